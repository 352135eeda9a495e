/** A pull request's life on a real Gitea: its repository, its webhook, its merge. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { remainsOf, whereIs } from "../e2e/support/oracle.ts";
import { tinyApp } from "../e2e/support/tiny-app.ts";
import { eventually } from "../support/eventually.ts";
import { requires } from "../support/requires.ts";
import { type GiteaWorld, prepareGiteaWorld } from "./support/gitea-world.ts";

describe("a pull request on a real Gitea", requires("gitea", "engine", "postgres"), () => {
  let world: GiteaWorld;
  let number = 0;
  let firstSha = "";
  before(async () => {
    world = await prepareGiteaWorld(tinyApp({ text: "main" }));
    await world.instance.start();
  });
  after(() => world.remove());

  const key = () => `shop#${number}`;
  const live = (headSha: string) =>
    world.instance.waitFor(key(), (p) => p.reason === "Healthy" && p.commit === headSha, `live at ${headSha}`);
  const serves = async (text: string) => {
    const { url = "" } = await world.instance.client.find(key());
    await eventually(
      async () => {
        const page = await world.instance.get(url);
        assert.ok(page.status === 200 && page.text.startsWith(text), `"${page.text}" begins with "${text}"`);
        return true;
      },
      { what: `${url} serves "${text}"` },
    );
  };
  const statusOf = async (sha: string) => (await world.shop.statuses(sha))[0];
  const reacted = (comment: number, wanted: string) =>
    eventually(async () => (await world.shop.reactions(comment)).join() === wanted, { what: `reaction ${wanted}` });

  it("makes the repository's webhook by itself, which doctor shows", async () => {
    const { shop, instance } = world;
    const hooks = () => shop.api("GET", `/repos/${shop.path}/hooks`) as Promise<{ config: { url: string } }[]>;
    await eventually(async () => (await hooks()).length === 1, { what: "the webhook is made" });
    const [hook] = await hooks();
    assert.equal(hook?.config.url, `http://localhost:${instance.port}/webhooks/gitea`);
    const { findings } = await instance.client.doctor();
    assert.ok(findings.some(({ ok, what }) => ok && /the webhook of "acme\/shop" calls /.test(what)));
    assert.deepEqual(
      findings.filter(({ ok, what }) => !ok && what.includes("acme/shop")),
      [],
    );
  });

  it("is commented on at once and live soon after, with a link that answers and a commit status", async () => {
    const { shop } = world;
    const opened = await shop.open({ gitBranch: "cart", files: { "text.txt": "cart" } });
    number = opened.number;
    firstSha = opened.headSha;
    await world.commented(number, /is being built|is ready/);
    const { url = "", commitUrl } = await live(firstSha);
    await serves(`cart ${firstSha}`);
    const text = await world.commented(number, /is ready/);
    assert.ok(text.includes(`](${url})`), text);
    assert.ok(text.includes(`](${world.gitea.url}/acme/shop/commit/${firstSha})`), text);
    const status = await eventually(async () => {
      const found = await statusOf(firstSha);
      return found?.status === "success" ? found : undefined;
    });
    assert.deepEqual([status.context, status.target_url], ["stackling/shop", url]);
    assert.equal((await fetch(commitUrl ?? "")).status, 200);
  });

  it("serves what was pushed and says so in the same comment", async () => {
    const headSha = await world.shop.push(number, { "text.txt": "basket" });
    await live(headSha);
    await serves(`basket ${headSha}`);
    await world.commented(number, new RegExp(`is ready[\\s\\S]*${headSha.slice(0, 7)}`));
  });

  it("refuses an outsider's command and says so", async () => {
    const { shop, instance } = world;
    const comment = await shop.comment(number, "/preview keep", "mallory");
    await reacted(comment, "-1");
    assert.equal((await instance.client.find(key())).kept, false);
  });

  it("does what somebody with the right to write says", async () => {
    const { shop, instance } = world;
    const comment = await shop.comment(number, "/preview keep", "ada");
    await instance.waitFor(key(), (p) => p.kept, "kept");
    await reacted(comment, "+1");
    await world.commented(number, /`\/preview keep` by .*ada/);
  });

  it("rolls back to an earlier commit until the next push", async () => {
    const { shop } = world;
    const comment = await shop.comment(number, `/preview rollback ${firstSha}`, "ada");
    await reacted(comment, "+1");
    await live(firstSha);
    await serves(`cart ${firstSha}`);
    const headSha = await shop.push(number, { "text.txt": "trolley" });
    await live(headSha);
    await serves(`trolley ${headSha}`);
  });

  it("runs nothing of a fork and asks for an approval", async () => {
    const { shop, instance } = world;
    const stranger = await shop.open({
      gitBranch: "evil",
      files: { "text.txt": "evil" },
      by: "mallory",
      fromFork: true,
    });
    const { stack } = await instance.waitFor(
      `shop#${stranger.number}`,
      (p) => p.reason === "ApprovalNeeded",
      "held back",
    );
    await world.commented(stranger.number, /waits for an approval[\s\S]*fork/);
    assert.deepEqual(await remainsOf({ dataDir: instance.dataDir, stack }), []);
    await eventually(async () => (await statusOf(stranger.headSha))?.status === "pending");
    const { reviewUrl } = await instance.client.find(`shop#${stranger.number}`);
    assert.equal((await fetch(reviewUrl ?? "")).status, 200, reviewUrl);
    await shop.close(stranger.number);
  });

  it("goes on when its repository is renamed", async () => {
    const { shop } = world;
    await shop.rename("store");
    const headSha = await shop.push(number, { "text.txt": "pram" });
    await live(headSha);
    await serves(`pram ${headSha}`);
    await world.commented(number, new RegExp(`is ready[\\s\\S]*${headSha.slice(0, 7)}`));
    await eventually(async () => (await statusOf(headSha))?.status === "success");
  });

  it("shows the token and the webhook's secret nowhere", async () => {
    const { instance, shop, secrets } = world;
    const { client, dataDir } = instance;
    const answers = JSON.stringify([
      await client.list({ gone: true }),
      await client.find(key()),
      await client.doctor(),
      await shop.comments(number),
    ]);
    for (const secret of Object.values(secrets)) {
      assert.ok(!answers.includes(secret));
      assert.deepEqual(await whereIs(secret, dataDir), []);
    }
  });

  it("leaves nothing when it is merged, and says so", async () => {
    const { shop, instance } = world;
    await shop.merge(number);
    const { stack } = await instance.waitFor(key(), (p) => p.stage === "Gone", "gone");
    assert.deepEqual(await remainsOf({ dataDir: instance.dataDir, stack }), []);
    const text = await world.commented(number, /is gone/);
    assert.match(text, /merged/i);
    const { receipts } = (await instance.ask(`/previews/${encodeURIComponent(key())}/history`)) as {
      receipts: { reason: string }[];
    };
    assert.equal(receipts.length, 1);
  });
});
