import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import type { Browser, Page } from "playwright-core";
import { launchBrowser } from "../../../support/browser.ts";
import { aPreview } from "../../../support/previews.ts";
import { requires } from "../../../support/requires.ts";
import { type Edge, startEdge, startUpstream, URLS } from "../edge.ts";

const PASSWORD = "open sesame";

describe("the door's page in a browser", requires("browser"), () => {
  let browser: Browser;
  let edge: Edge;
  let upstream: Awaited<ReturnType<typeof startUpstream>>;
  let page: Page;
  const complaints: string[] = [];

  before(async () => {
    browser = await launchBrowser();
  });
  after(() => browser.close());
  beforeEach(async () => {
    complaints.length = 0;
    upstream = await startUpstream((request, response) => {
      response.setHeader("Content-Type", "text/html");
      response.end(`<p>The shop at ${request.url}</p>`);
    });
    const doors = { password: { env: "PASSWORD" } };
    edge = await startEdge({
      access: { access: { kind: "doors", doors, satisfy: "all", shareSeconds: 3_600 }, environment: { PASSWORD } },
    });
    edge.addresses.set("shop-pr-42/web", upstream.address);
    edge.store.put(aPreview({ urls: URLS }));
    page = await browser.newPage();
    page.on("console", (message) => {
      if (message.type() === "error" && !message.text().includes("401")) complaints.push(message.text());
    });
  });
  afterEach(async () => {
    await page.context().close();
    await edge.close();
    await upstream.close();
  });
  const home = () => `http://pr-42-shop.localhost:${edge.port}`;

  it("asks for the password, says when it is wrong, and goes on to what was asked for", async () => {
    await page.goto(`${home()}/cart?x=1`);
    await page.getByRole("heading", { name: "This preview is not public" }).waitFor();
    assert.equal(await page.locator("#answer:focus").count(), 1);
    await page.keyboard.type("a guess");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText("That is not the password.").waitFor();
    if (process.env.SCREENSHOT) await page.screenshot({ path: process.env.SCREENSHOT });
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByRole("button", { name: "Open" }).click();
    await page.getByText("The shop at /cart?x=1").waitFor();
    assert.equal(page.url(), `${home()}/cart?x=1`);
    const [cookie] = await page.context().cookies();
    assert.equal(cookie?.httpOnly, true);
    assert.equal(cookie?.domain, "pr-42-shop.localhost");
    assert.deepEqual(complaints, []);
  });

  it("is passed by a share link, whose token the address bar keeps not", async () => {
    const link = await edge.access?.share(aPreview({ urls: URLS }), { seconds: 3_600, to: "/cart" });
    await page.goto(`${home()}${new URL(link?.url ?? "").pathname}?to=/cart`);
    await page.getByText("The shop at /cart").waitFor();
    assert.equal(page.url(), `${home()}/cart`);
    assert.deepEqual(complaints, []);
  });
});
