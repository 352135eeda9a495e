/** Stages on the real engine: staging follows a branch, production takes what staging serves, and both stay. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { launchBrowser } from "../support/browser.ts";
import { createRepository, type TestRepository } from "../support/git-repository.ts";
import { requires } from "../support/requires.ts";
import { type CommandLine, prepareCommandLine } from "./support/command-line.ts";
import { type Instance, prepareInstance } from "./support/instance.ts";
import { tinyApp } from "./support/tiny-app.ts";

/** Answers with its text and a secret of its stage's own; ends at once where the text says so and it is production. */
const SERVER = `
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
const text = readFileSync("text.txt", "utf8").trim();
const { KEY, PORT, DATABASE_URL } = process.env;
if (text === "broken" && KEY === "live-key") process.exit(1);
createServer((_request, response) => {
  response.end([text, KEY, new URL(DATABASE_URL).pathname.slice(1)].join(" "));
}).listen(PORT, "127.0.0.1");
`;
const STAGING = "shop:staging";
const PRODUCTION = "shop:production";

describe("the stages of a repository", requires("engine", "postgres"), () => {
  let shop: TestRepository;
  let instance: Instance;
  let cli: CommandLine;

  before(async () => {
    const files = tinyApp({ text: "one", server: SERVER });
    const preview = `${files["preview.yaml"]}secrets: {KEY: granted}\nenv: {KEY: "\${secrets.KEY}"}\n`;
    shop = await createRepository({ files: { ...files, "preview.yaml": preview } });
    const stages = {
      staging: { branch: "main", secrets: { KEY: { env: "E2E_STAGING_KEY" } } },
      production: { from: "staging", secrets: { KEY: { env: "E2E_LIVE_KEY" } } },
    };
    instance = await prepareInstance({
      config: (port) => JSON.stringify({ port, repositories: [{ path: shop.path, name: "shop", stages }] }),
      environment: { E2E_STAGING_KEY: "test-key", E2E_LIVE_KEY: "live-key" },
    });
    await instance.start();
    cli = await prepareCommandLine({ of: instance.dataDir });
  });
  after(async () => {
    await cli?.remove();
    await instance?.remove();
    await shop?.remove();
  });

  const push = (text: string) => shop.commit("main", { "text.txt": text }, `Say ${text}`);
  const served = (key: string, commit: string) =>
    instance.waitFor(key, (now) => now.condition === "Ready" && now.commit === commit, `serves ${commit.slice(0, 7)}`);
  const textOf = async (url: string | undefined) => (await instance.get(url ?? "")).text;
  let one = "";
  /** What was promoted last, where there is a browser. */
  let last: { readonly text: string; readonly commit: string } | undefined;

  it("are there from the start: one follows its branch, the other waits for a promotion", async () => {
    one = (await instance.waitFor(STAGING, ({ condition }) => condition === "Ready", "serves")).commit ?? "";
    const { url, stack } = await served(STAGING, one);
    assert.deepEqual([stack, url], ["shop-st-staging", `http://staging-shop.localhost:${instance.port}`]);
    assert.equal(await textOf(url), "one test-key shop_st_staging");
    const { reason } = await instance.waitFor(PRODUCTION, (now) => now.condition === "Stalled", "waits");
    assert.equal(reason, "NothingPromoted");
  });

  it("take over exactly the commit that was promoted, with their own secrets and database, though the branch moves on", async () => {
    const { code, stdout } = await cli.run("promote", "shop", "staging", "production");
    assert.equal(code, 0);
    assert.match(stdout, /: [0-9a-f]{7} was promoted from "staging" by api\. It is live: http:\/\/production-shop\./);
    const two = await push("two");
    const { url, promoted } = await served(PRODUCTION, one);
    assert.deepEqual([promoted?.sha, promoted?.from], [one, "staging"]);
    assert.equal(await textOf(url), "one live-key shop_st_production");
    await served(STAGING, two);
    assert.equal((await instance.client.find(PRODUCTION)).commit, one);
  });

  it("go back by themselves from a version that does not start, and serve all the while", async () => {
    const broken = await push("broken");
    await served(STAGING, broken);
    const { code, stdout } = await cli.run("promote", "shop", "staging", "production");
    assert.equal(code, 1);
    assert.match(
      stdout,
      new RegExp(`^shop:production: ${broken.slice(0, 7)} does not serve, ${one.slice(0, 7)} serves`),
    );
    const { url, commit } = await instance.waitFor(
      PRODUCTION,
      ({ condition, rolledBack }) => condition === "Ready" && rolledBack !== undefined,
      "went back",
    );
    assert.equal(commit, one);
    assert.equal(await textOf(url), "one live-key shop_st_production");
    const history = JSON.stringify(await instance.ask(`/previews/${encodeURIComponent(PRODUCTION)}/history`));
    assert.match(history, /failed \(StartFailed.*goes back to [0-9a-f]{7} by itself/);
  });

  it("are shown apart from previews, and promoted by a button that asks first", requires("browser"), async () => {
    const three = await push("three");
    await served(STAGING, three);
    const browser = await launchBrowser();
    try {
      const page = await browser.newPage();
      await page.goto(await instance.client.loginLink());
      await page.getByRole("region", { name: "Stages" }).getByRole("link", { name: PRODUCTION }).click();
      await page.getByText(/^Rolled back to [0-9a-f]{7} by itself.*; the next promotion ends that\.$/).waitFor();
      await page.getByRole("button", { name: `Promote ${three.slice(0, 7)}` }).click();
      const dialog = page.getByRole("dialog");
      await dialog.getByText(`Promote commit ${three.slice(0, 12)} to ${PRODUCTION}?`).waitFor();
      assert.equal((await instance.client.find(PRODUCTION)).promotion, undefined);
      await dialog.getByRole("button", { name: `Promote ${three.slice(0, 7)}` }).click();
      const { url } = await served(PRODUCTION, three);
      await page
        .getByText(`${three.slice(0, 7)} was promoted from "staging" by page.`)
        .first()
        .waitFor();
      assert.equal(await textOf(url), "three live-key shop_st_production");
    } finally {
      await browser.close();
    }
    last = { text: "three", commit: three };
  });

  it("serve on through stop-all and sweep, and go by a confirmed word alone", async () => {
    await instance.client.pause(true);
    const { found } = await instance.client.sweep({ dryRun: false, confirm: true });
    assert.deepEqual(found, []);
    const { url, commit } = await instance.client.find(PRODUCTION);
    const serving = last ?? { text: "one", commit: one };
    assert.equal(await textOf(url), `${serving.text} live-key shop_st_production`);
    assert.equal(commit, serving.commit);
    await instance.client.pause(false);
    await assert.rejects(instance.client.act(STAGING, { action: "down" }), /it is a stage.*--confirm/);
    await instance.client.act(STAGING, { action: "down", confirm: true });
    await instance.waitFor(STAGING, ({ goneAt }) => goneAt !== undefined, "is gone");
  });
});
