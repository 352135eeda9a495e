/** A preview's life as somebody lives it on the pages, with what comes of each click in the API. */
import assert from "node:assert/strict";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { Browser, Locator, Page } from "playwright-core";
import { launchBrowser } from "../support/browser.ts";
import { createRepository, type TestRepository } from "../support/git-repository.ts";
import { requires } from "../support/requires.ts";
import { type Instance, prepareInstance } from "./support/instance.ts";
import { remainsOf } from "./support/oracle.ts";
import { tinyApp } from "./support/tiny-app.ts";

const KEY = "app#1";
const FALLBACK = "https://staging.acme.dev/";
const PATIENCE_MS = 60_000;

describe("a preview's life on the pages", requires("engine", "postgres", "browser"), () => {
  let repository: TestRepository;
  let instance: Instance;
  let browser: Browser;
  let page: Page;
  let url: string;
  let folder: string;
  const complaints: string[] = [];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "stackling-pages-"));
    // A build runs as a user of its own.
    await chmod(folder, 0o755);
    const files = tinyApp({ text: "main", build: "console.log('nothing to do');" });
    const server = (files["server.mjs"] ?? "").replace("text/plain", "text/html");
    repository = await createRepository({ files: { ...files, "server.mjs": server } });
    await repository.commit("feature", { "text.txt": "feature" });
    instance = await prepareInstance({
      config: (port) =>
        `port: ${port}\nlifecycle: { hardStop: 2d, extendMax: 3d }\nfallbackUrl: ${FALLBACK}\nrepositories:\n  - { path: ${repository.path}, name: app }\n`,
    });
    await instance.start();
    url = (await instance.waitFor(KEY, ({ stage }) => stage === "Active", "live")).url ?? "";
    browser = await launchBrowser();
    page = await browser.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    page.on("pageerror", (error) => complaints.push(String(error)));
    await page.goto(await instance.client.loginLink());
  });
  after(async () => {
    await browser?.close();
    await instance?.remove();
    await repository?.remove();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  const home = () => `http://localhost:${instance.port}`;
  const stage = (wanted: string) => instance.waitFor(KEY, (preview) => preview.stage === wanted, wanted);
  const said = (text: string | RegExp) => page.locator("#outcome").getByText(text).waitFor();
  const press = (name: string, within: Page | Locator = page) =>
    within.getByRole("button", { name, exact: true }).click();
  const agree = (name: string) => press(name, page.getByRole("dialog"));
  const fact = (name: string) => page.locator("dt", { hasText: name }).locator("xpath=following-sibling::dd");

  it("sends it to sleep and wakes it from the list, by keys alone", async () => {
    const actions = page.getByRole("link", { name: `Actions on ${KEY}` });
    await actions.focus();
    await page.keyboard.press("Enter");
    await page.locator("dialog button:focus", { hasText: "Put to sleep" }).waitFor();
    await page.keyboard.press("Enter");
    await said("app#1 goes to sleep.");
    await stage("Asleep");
    await page.getByText("Ready · asleep").waitFor();
    await actions.press("Enter");
    await page.locator("dialog button:focus", { hasText: "Wake" }).press("Enter");
    await said("app#1 wakes up.");
    await stage("Active");
    await page.getByRole("row", { name: KEY }).getByText("Ready", { exact: true }).waitFor();
  });

  it("extends and keeps it, and says until when", async () => {
    await page.getByRole("link", { name: KEY, exact: true }).click();
    await press("Extend by 48 hours");
    await said(/^app#1 stays until .* at least\.$/);
    const { extendedTo } = await instance.client.find(KEY);
    const hours = (Date.parse(extendedTo ?? "") - Date.now()) / 3_600_000;
    assert.ok(hours > 47 && hours <= 48, `${hours}`);
    await fact("Extended to").getByText("in 2 days").waitFor();
    await press("Keep");
    await said(/^app#1 is kept/);
    assert.equal((await instance.client.find(KEY)).kept, true);
    await fact("Kept").getByText("by a person").waitFor();
    assert.equal(await page.getByText("Hard stop").count(), 0);
    await press("No longer keep");
    await said(/^app#1 is not kept any more/);
    assert.equal((await instance.client.find(KEY)).kept, false);
    await page.getByText("Hard stop").waitFor();
  });

  it("says why something cannot be done", async () => {
    await press("Extend by 7 days");
    await said(/^extending "app#1": it may stay until .* at most/);
  });

  it("stops everything, says so on every page, and lets it go on", async () => {
    await page.goto(home());
    await press("Stop all previews");
    await agree("Stop all previews");
    await said("Everything is stopped.");
    assert.equal((await instance.client.pause())?.by, "page");
    await stage("Asleep");
    const banner = page.getByRole("region", { name: "Everything is stopped" });
    await banner.getByText(/since .*UTC \(just now\), by somebody on the pages/).waitFor();
    await banner.getByRole("link", { name: FALLBACK }).waitFor();
    await page.goto(url);
    await page.getByRole("heading", { name: "Previews are stopped" }).waitFor();
    await page.getByText(/Stopped since \d{4}-/).waitFor();
    await page.getByRole("link", { name: FALLBACK }).waitFor();
    await page.getByRole("link", { name: "Status and logs" }).click();
    await banner.waitFor();
    await press("Resume all");
    await page.keyboard.press("Escape");
    await press("Resume all");
    await agree("Resume all");
    await said("Everything goes on.");
    await banner.waitFor({ state: "detached" });
    await page.getByRole("heading", { name: KEY, level: 1 }).waitFor();
    assert.equal(await instance.client.pause(), null);
    await instance.waitFor(KEY, ({ stage, reason }) => stage === "Active" && reason === "Healthy", "awake again");
    await page.goto(url);
    await page.getByText(/^feature /).waitFor();
    await page.locator("stackling-banner").waitFor();
  });

  it("shows what a build prints while it runs, then what the preview consists of", async () => {
    await page.goto(`${home()}/previews/${encodeURIComponent(KEY)}`);
    const gate = join(folder, "go-on");
    const build = `
      import { existsSync } from "node:fs";
      console.log("\\u001b[32mcompiling\\u001b[0m <img src=x> token=abcdefghijkl");
      while (!existsSync(${JSON.stringify(gate)})) await new Promise((resolve) => setTimeout(resolve, 50));
      console.log("compiled");`;
    await repository.commit("feature", { "build.mjs": build });
    const log = page.getByRole("log", { name: "Log of the deployment" });
    await log.getByText("build compiling <img src=x> token=[redacted]").waitFor();
    const [running] = await instance.client.deployments(KEY);
    assert.equal(running?.outcome, "running");
    await writeFile(gate, "");
    await log.getByText("build compiled").waitFor();
    await log.getByText(/Commit [0-9a-f]{7} serves/).waitFor();
    const lines: string[] = [];
    const { id = "" } = running ?? {};
    for await (const { text } of instance.client.deployLog(KEY, id, { follow: true })) lines.push(text);
    assert.match(lines.at(-1) ?? "", /serves$/);
    assert.equal((await instance.client.deployments(KEY))[0]?.outcome, "done");
    const tree = page.locator("#resources .tree");
    await tree.getByText("route routes-web").waitFor();
    await tree.getByText("database login").waitFor();
    await page.getByRole("link", { name: "Deployments", exact: true }).first().click();
    assert.match(page.url(), /#deployments$/);
  });

  it("says what the doctor finds, and what the repository's preview.yaml says", async () => {
    await page.goto(`${home()}/doctor`);
    await page.getByText(/^The Pulumi engine is/).waitFor();
    await page.getByRole("link", { name: "Ask again" }).click();
    await page.getByText(/^The Pulumi engine is/).waitFor();
    await page.goto(`${home()}/repositories`);
    await page.getByText("What preview.yaml says").click();
    await page.getByText("node server.mjs").waitFor();
  });

  it("looks for strays and removes nothing", async () => {
    await page.goto(home());
    await press("Look for strays");
    await page.getByRole("heading", { name: "Nothing stray" }).waitFor();
    await page.getByText("0 found, nothing removed").waitFor();
    await stage("Active");
  });

  it("takes it down, and makes it anew from the page of one that is gone", async () => {
    await page.goto(`${home()}/previews/${encodeURIComponent(KEY)}`);
    await press("Take down");
    await agree("Take down");
    await said("app#1 is being removed.");
    const { stack } = await stage("Gone");
    assert.deepEqual(await remainsOf({ dataDir: instance.dataDir, stack }), []);
    await page.getByText("Its services, database and link are gone.").waitFor();
    await page.goto(url);
    await page.getByRole("heading", { name: "This preview is gone" }).waitFor();
    assert.equal(await page.locator("form, button").count(), 0);
    await page.getByRole("link", { name: "Rebuild it" }).click();
    await press("Rebuild");
    await said("app#1 is made anew.");
    await stage("Active");
    await page.getByRole("link", { name: /^Open pr-1-app/ }).click();
    await page.getByText(/^feature /).waitFor();
    assert.deepEqual(complaints, []);
  });
});
