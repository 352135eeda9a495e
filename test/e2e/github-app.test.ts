/** GitHub connected from the pages, in a browser: an App is made at an Enterprise Server and used without a restart. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Browser, Page } from "playwright-core";
import { launchBrowser } from "../support/browser.ts";
import { eventually } from "../support/eventually.ts";
import { requires } from "../support/requires.ts";
import { type GithubWorld, prepareGithubWorld } from "./support/github-world.ts";
import { whereIs } from "./support/oracle.ts";
import { tinyApp } from "./support/tiny-app.ts";

describe("a GitHub App made from the pages", requires("engine", "postgres", "browser"), () => {
  let world: GithubWorld;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];

  before(async () => {
    world = await prepareGithubWorld({ files: tinyApp({ text: "main" }) });
    const { github, instance } = world;
    const config = [
      `port: ${instance.port}`,
      `forges: { github: { baseUrl: "${github.url}/api/v3", app: manifest, rateLimits: false } }`,
      "repositories: [{ path: acme/shop }]",
      "lifecycle: { resync: 1s }",
      "",
    ].join("\n");
    await instance.start({ config });
    browser = await launchBrowser();
    page = await browser.newPage();
    page.setDefaultTimeout(60_000);
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("console", (message) => {
      // GitHub's pages have no icon here.
      if (message.type() === "error" && message.location().url.startsWith(home())) complaints.push(message.text());
    });
  });
  after(async () => {
    await browser?.close();
    await world?.remove();
  });
  const home = () => `http://localhost:${world.instance.port}`;
  const findings = async () => (await world.instance.client.doctor()).findings;

  it("is asked for by nobody who is not logged in", async () => {
    await page.goto(`${home()}/github/new`);
    assert.equal(new URL(page.url()).pathname, "/");
    await page.goto(`${home()}/github/created?code=abc&state=abc`);
    assert.notEqual(new URL(page.url()).pathname, "/github/created");
    complaints.length = 0;
    const said = await findings();
    assert.ok(
      said.some(({ ok, what }) => !ok && /no App was made/.test(what)),
      JSON.stringify(said),
    );
  });

  it("comes with one click there and one at GitHub, and leads to where it is installed", async () => {
    const { github, instance } = world;
    await page.goto(await instance.client.loginLink());
    await page.getByRole("link", { name: "GitHub", exact: true }).click();
    await page.getByRole("link", { name: "Make one" }).click();
    await page.getByText("Polling only:").waitFor();
    await page.getByRole("button", { name: "Create the GitHub App in your own account" }).click();
    await page.getByRole("button", { name: "Create GitHub App for acme" }).click();
    await page.getByRole("link", { name: "Install" }).click();
    await page.waitForURL(`${home()}/github/installed?**`);
    await page.getByRole("listitem").getByText("acme/tools").waitFor();
    const text = await page.locator("main").innerText();
    assert.match(text, /acme\/shop gets previews/);
    assert.match(text, /acme\/tools not in the config/);
    assert.match(text, /- path: acme\/tools/);
    assert.doesNotMatch(text, /app: manifest/);
    assert.deepEqual(complaints, []);
    const made = github.apps.manifests.at(-1);
    assert.equal(made?.redirect_url, `${home()}/github/created`);
    assert.equal(made?.hook_attributes, undefined);
  });

  it("works at once: what was opened before is built, and its check is the App's", async () => {
    const { github, instance } = world;
    const { number, headSha } = await github.open({ gitBranch: "cart", files: { "text.txt": "cart" } });
    const { url = "" } = await instance.waitFor(`shop#${number}`, (p) => p.reason === "Healthy", "live");
    assert.match((await instance.get(url)).text, /^cart/);
    await eventually(async () => (await github.checkRuns(headSha))[0]?.conclusion === "success");
    const said = await findings();
    assert.ok(
      said.some(({ what }) => /polling only/.test(what)),
      JSON.stringify(said),
    );
    assert.deepEqual(
      said.filter(({ ok, what }) => !ok && /App permission|GitHub/.test(what)),
      [],
    );
    await github.close(number);
    await instance.waitFor(`shop#${number}`, (p) => p.stage === "Gone", "gone");
  });

  it("is made in an organisation just as well, and takes the place of the first", async () => {
    await page.goto(`${home()}/github/new`);
    await page.getByRole("link", { name: "what it sees" }).waitFor();
    await page.getByLabel("Organisation").fill("not a name");
    await page.getByRole("button", { name: "Choose" }).click();
    await page.getByText('"not a name" is not the name of an organisation').first().waitFor();
    await page.goto(`${home()}/github/new`);
    await page.getByLabel("Organisation").fill("acme");
    await page.getByRole("button", { name: "Choose" }).click();
    await page.getByRole("button", { name: "Create the GitHub App in acme" }).click();
    await page.getByRole("button", { name: "Create GitHub App for acme" }).click();
    await page.getByRole("link", { name: "Install" }).waitFor();
    assert.equal(world.github.apps.owners.at(-1), "acme");
  });

  it("is kept where nobody reads its key: not in the log, not in a file, not on a page", async () => {
    const { github, instance } = world;
    const key = github.app.privateKey.split("\n")[3] ?? "";
    assert.ok(key.length > 8);
    assert.deepEqual(await whereIs(key, instance.dataDir), []);
    for (const path of ["/github/new", "/github/installed", "/"]) {
      await page.goto(`${home()}${path}`);
      assert.ok(!(await page.content()).includes(key));
    }
  });
});
