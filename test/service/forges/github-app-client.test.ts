/** How an App is let in: its tokens, and a GitHub Enterprise Server. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { signedHeaders, startGithub, type TestGithub } from "../../support/emulate.ts";

const SHOP = { name: "shop", path: "acme/shop" };
const TOOLS = { name: "tools", path: "acme/tools" };

describe("an App's token", () => {
  let github: TestGithub;
  before(async () => {
    github = await startGithub({ files: { "preview.yaml": "services: {}\n" } });
  });
  after(() => github.stop());

  const asked = (from: number) =>
    github.requests.slice(from).filter(({ path }) => path.endsWith("/access_tokens")).length;

  it("is asked for once for all that it is used for, in every repository of the installation", async () => {
    const forge = await github.connect("app");
    const before = github.requests.length;
    for (let round = 0; round < 3; round++) {
      assert.equal((await forge.list(SHOP)).kind, "found");
      assert.equal((await forge.list(TOOLS)).kind, "found");
      assert.equal(await forge.readFile(SHOP, "main", "no-such-file"), undefined);
      await forge.clonePoint(SHOP);
    }
    assert.equal(asked(before), 1);
  });

  it("is of an installation that is looked up once, whatever is not found in its repositories", async () => {
    const forge = await github.connect("app");
    assert.equal((await forge.list(SHOP)).kind, "found");
    const before = github.requests.length;
    for (let round = 0; round < 2; round++) {
      assert.equal(await forge.readFile(SHOP, "main", "no-such-file"), undefined);
      assert.equal(await forge.resolve(SHOP, "no-such-branch"), undefined);
    }
    const looked = github.requests.slice(before).filter(({ path }) => path.endsWith("/installation"));
    assert.deepEqual(looked, []);
  });

  it("is of an installation that is looked up anew once its repository cannot be seen any more", async () => {
    const forge = await github.connect("app");
    assert.equal((await forge.list(SHOP)).kind, "found");
    const before = github.requests.length;
    const takenOff = github.fail({ path: /^\/repos\/acme\/shop(\/(?!installation)|\?|$)/, status: 404 });
    assert.equal((await forge.read(SHOP, 1)).kind, "unreachable");
    takenOff();
    assert.equal((await forge.list(SHOP)).kind, "found");
    const looked = github.requests.slice(before).filter(({ path }) => path.endsWith("/installation"));
    assert.equal(looked.length, 1);
  });

  it("is made anew when it ends before its time, and what was asked for is done", async ({ mock }) => {
    const forge = await github.connect("app", { cloneUrl: github.gitUrl });
    const tokenOf = async () => (await forge.clonePoint(SHOP)).environment.STACKLING_GIT_TOKEN ?? "";
    const first = await tokenOf();
    assert.match(first, /^ghs_/);
    github.end(first);
    // Of a token that is new the library believes that GitHub has not heard yet, and waits.
    mock.timers.enable({ apis: ["Date"], now: Date.now() + 60_000 });
    const before = github.requests.length;
    assert.equal((await forge.list(SHOP)).kind, "found");
    assert.ok(asked(before) >= 1);
    assert.notEqual(await tokenOf(), first);
  });

  it("has a limit of which doctor shows what is left, once the installation was met", async () => {
    const forge = await github.connect("app");
    assert.equal((await forge.checkConnection?.())?.length, 0);
    await forge.list(SHOP);
    const [found, ...more] = (await forge.checkConnection?.()) ?? [];
    assert.match(
      found?.what ?? "",
      /^GitHub, installation 100: \d+ of \d+ requests are left until \d\d:\d\d UTC; 0 of 500/,
    );
    assert.deepEqual([found?.ok, more], [true, []]);
    const body = JSON.stringify({ resources: { core: { limit: 5_000, remaining: 12, reset: 1_800_000_000 } } });
    const mend = github.fail({ path: /^\/rate_limit/, status: 200, body });
    const [few] = (await forge.checkConnection?.()) ?? [];
    mend();
    assert.deepEqual([few?.ok, few?.what.includes("12 of 5000")], [false, true]);
  });

  it("is given up when GitHub says that an installation changed", async () => {
    const forge = await github.connect("app");
    await forge.list(SHOP);
    const before = github.requests.length;
    const body = JSON.stringify({ action: "new_permissions_accepted", installation: { id: 100 } });
    await forge.verify?.({ headers: signedHeaders("installation", body), body: Buffer.from(body) });
    await forge.list(SHOP);
    assert.equal(asked(before), 1);
  });
});

describe("a GitHub Enterprise Server", () => {
  it("is asked below its own path, and cloned from its own address", async () => {
    const github = await startGithub({ files: { "preview.yaml": "services: {}\n" }, recording: true });
    try {
      for (const kind of ["token", "app"] as const) {
        const forge = await github.connect(kind, { baseUrl: `${github.url}/api/v3/`, cloneUrl: undefined });
        const { number, headSha } = await github.open({ gitBranch: `ghes-${kind}`, files: { "g.txt": kind } });
        const read = await forge.read(SHOP, number);
        assert.equal(read.kind, "found");
        assert.equal((await forge.clonePoint(SHOP)).url, `${github.url}/acme/shop.git`);
        const announcement = {
          key: `shop#${number}`,
          condition: "Ready",
          reason: "Healthy",
          summary: "It serves.",
          comment: `<!-- stackling:shop#${number} -->\nIt is ready.`,
          headSha,
        } as const;
        const handles = await forge.announce(SHOP, { number, headSha }, announcement, {});
        assert.equal(handles.failed, undefined);
        assert.equal((await github.comments(number)).length, 1);
      }
    } finally {
      await github.stop();
    }
  });
});
