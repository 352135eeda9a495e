import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, realpath, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { inboxFolder } from "../../../components/local/emulators.ts";
import { launchBrowser } from "../../support/browser.ts";
import { eventually } from "../../support/eventually.ts";
import { type RunningInbox, startInbox } from "../../support/inbox.ts";
import { requires } from "../../support/requires.ts";

const PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

describe("an inbox in a browser", requires("browser"), () => {
  let browser: Browser;
  let dataDir: string;
  let inbox: RunningInbox;
  let elsewhere: Server;
  let outside = "";
  const asked: string[] = [];
  let context: BrowserContext;
  let page: Page;

  before(async () => {
    dataDir = await realpath(await mkdtemp(join(tmpdir(), "stackling-inbox-page-")));
    inbox = await startInbox(await inboxFolder(dataDir), { kind: "smtp", home: join(dataDir, "home") });
    elsewhere = createServer((request, response) => {
      asked.push(request.url ?? "");
      response.setHeader("content-type", "text/html");
      response.end("<title>Elsewhere</title>");
    });
    elsewhere.listen(0, "127.0.0.1");
    await once(elsewhere, "listening");
    outside = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}`;
    browser = await launchBrowser();
  });
  after(async () => {
    await browser.close();
    await inbox.end();
    elsewhere.close();
    await rm(dataDir, { recursive: true, force: true });
  });
  beforeEach(async () => {
    await fetch(`${inbox.url}/inbox/messages`, { method: "DELETE" });
    asked.length = 0;
    await context?.close();
    context = await browser.newContext();
    page = await context.newPage();
  });

  const mail = { from: "Kettle & Leaf <shop@example.com>", to: "ada@example.com" };

  it("shows a mail with script and pictures from elsewhere, and neither runs nor is loaded", async () => {
    const hostile = `<h1>Tea for you</h1>
      <script>parent.document.title = document.title = "taken"; fetch("/inbox/messages", { method: "DELETE" })</script>
      <img src="${outside}/pixel.png" onerror="location='${outside}/onerror'"><link rel="stylesheet" href="${outside}/style.css">
      <style>@import "${outside}/import.css"; h1 { background: url("${outside}/background.png"); color: rgb(1, 2, 3) }</style>
      <meta http-equiv="refresh" content="0;url=${outside}/refresh"><base href="${outside}/base/">
      <iframe src="${outside}/frame"></iframe><object data="${outside}/object"></object>
      <svg><image href="${outside}/svg.png"/><script>parent.postMessage("x", "*")</script></svg>
      <form action="${outside}/form"><button>Send</button></form><a href="${outside}/top" target="_top">Away</a>`;
    await inbox.mailer.sendMail({ ...mail, subject: "An <b>offer</b>", html: hostile });
    await page.goto(inbox.url);
    await page.getByRole("link", { name: "An <b>offer</b>" }).click();
    const shown = page.frameLocator("iframe");
    await shown.getByRole("heading", { name: "Tea for you" }).waitFor();
    assert.equal(await page.title(), "An <b>offer</b>");
    await shown.getByRole("button", { name: "Send" }).click();
    await shown.getByRole("link", { name: "Away" }).click();
    await picture(page, "hostile");
    // By itself it is no more trusted.
    const source = (await page.locator("iframe").getAttribute("src")) ?? "";
    await page.goto(`${inbox.url}${source}`);
    await page.getByRole("heading", { name: "Tea for you" }).waitFor();
    assert.equal(await page.title(), "");
    await page.goto(inbox.url);
    assert.equal(await page.locator("#count").textContent(), "1 mail");
    assert.deepEqual(asked, []);
  });

  it("shows a mail with its own pictures, its text and what is attached, and opens its links beside", async () => {
    await inbox.mailer.sendMail({
      ...mail,
      subject: "Your order 1001",
      text: `Thank you.\n\n${outside}/order?id=1`,
      html: `<h1>Thank you, Ada</h1><img src="cid:leaf" alt="A leaf"><p><a href="${outside}/order">See your order</a></p>`,
      attachments: [
        { filename: "leaf.png", content: PIXEL, encoding: "base64", cid: "leaf" },
        { filename: "bill.html", content: "<script>top.location='/taken'</script>" },
      ],
    });
    await page.goto(`${inbox.url}/inbox`);
    await page.getByRole("link", { name: "Your order 1001" }).click();
    const shown = page.frameLocator("iframe");
    const leaf = shown.getByRole("img", { name: "A leaf" });
    await leaf.waitFor();
    await eventually(() => leaf.evaluate((image) => (image as unknown as { naturalWidth: number }).naturalWidth === 1));
    const opened = context.waitForEvent("page");
    await shown.getByRole("link", { name: "See your order" }).click();
    const order = await opened;
    await order.waitForURL(`${outside}/order`);
    assert.equal(await order.evaluate("window.opener"), null);
    const downloaded = page.waitForEvent("download");
    await page.getByRole("link", { name: "bill.html" }).click();
    assert.equal((await downloaded).suggestedFilename(), "bill.html");
    await page.getByText("Text", { exact: true }).click();
    const link = page.getByRole("link", { name: `${outside}/order?id=1` });
    assert.deepEqual(
      [await link.getAttribute("target"), await link.getAttribute("rel")],
      ["_blank", "noopener noreferrer"],
    );
    await picture(page, "order");
  });

  it("lists a mail that comes while somebody looks, and nothing once all are deleted", async () => {
    await page.goto(`${inbox.url}/inbox`);
    await page.getByText("are kept here and go nowhere").waitFor();
    await inbox.mailer.sendMail({ ...mail, subject: "It comes", text: "x" });
    await page.getByRole("link", { name: "It comes" }).waitFor();
    const questions: string[] = [];
    page.on("dialog", (dialog) => {
      questions.push(dialog.message());
      dialog.accept().catch(() => undefined);
    });
    await page.getByRole("button", { name: "Delete all" }).click();
    await page.getByText("are kept here and go nowhere").waitFor();
    assert.deepEqual(questions, ["Delete everything in this inbox?"]);
  });

  it("is one column on a phone, the list or the mail, and wide enough for both", async () => {
    const subject = `A subject that is a good deal longer than a phone is wide ${"and on ".repeat(8)}`;
    await inbox.mailer.sendMail({ ...mail, subject, text: `${"long".repeat(90)} https://example.com/` });
    await inbox.mailer.sendMail({ ...mail, subject: "Short", text: "Hello." });
    await page.setViewportSize({ width: 360, height: 740 });
    await page.emulateMedia({ colorScheme: "dark" });
    await page.goto(`${inbox.url}/inbox`);
    await page.getByRole("link", { name: "Short" }).waitFor();
    await picture(page, "phone-list");
    assert.ok(await fits(page));
    await page.getByRole("link", { name: subject.trim() }).click();
    await page.getByRole("link", { name: "← All" }).waitFor();
    await picture(page, "phone-mail");
    assert.ok(await fits(page));
    assert.equal(await page.getByRole("navigation").isVisible(), false);
    await page.getByRole("link", { name: "← All" }).click();
    assert.equal(await page.getByRole("navigation").isVisible(), true);
  });
});

/** Nothing is cut off, nor scrolled to the side for. */
async function fits(page: Page): Promise<boolean> {
  return (await page.evaluate("document.documentElement.scrollWidth <= innerWidth")) as boolean;
}

/** For somebody who wants to look. */
async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env.SCREENSHOTS;
  if (folder) await page.screenshot({ path: join(folder, `inbox-${name}.png`) });
}
