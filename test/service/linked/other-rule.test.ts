/** A linked head waits for what its own repository asks for; and what a stranger learns of a number. */
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { previewView } from "../../../service/api/preview-view.ts";
import type { OperatorConfig } from "../../../service/config/types.ts";
import type { PullRequest } from "../../../service/forges/forge.ts";
import { createSubjectReader } from "../../../service/subject.ts";
import { awaitedCommit } from "../../../service/trust.ts";
import { pullRequest } from "../../support/memory-forge.ts";
import { testDatabase } from "../../support/postgres.ts";
import { type Bench, benchActions, config, reconcileBench, SHA, shop } from "../../support/reconcile-world.ts";

const KEY = "shop#1";
const HEAD = "d".repeat(40);
const SHOP_YAML = "repositories: { api: acme/api }\nservices: { web: node web.js, api: { from: api } }\n";
const API_YAML = "services: { web: { command: node api.js } }\n";
const api = { ...shop, name: "api", path: "acme/api", linkedBy: ["shop"] };

let database: Awaited<ReturnType<typeof testDatabase>>;
before(async () => {
  database = await testDatabase();
});
after(() => database.drop());

describe("a linked pull request of another repository", () => {
  let bench: Bench;
  let both: OperatorConfig;

  beforeEach(async () => {
    bench = await reconcileBench(database.url);
    both = { ...config, repositories: [shop, api] };
    bench.forge.refs.set("main", SHA.b);
    bench.forge.files.set("main:preview.yaml", SHOP_YAML);
    // Both repositories answer at one forge here: those of the other one go into a branch of its own.
    bench.forge.files.set("next:preview.yaml", API_YAML);
    bench.forge.files.set(`${SHA.b}:preview.yaml`, API_YAML);
    open(7, HEAD, { baseRef: "next", author: "grace" });
    open(1, SHA.a, { previewWith: ["acme/api#7"] });
  });
  afterEach(() => bench.close());

  const open = (number: number, sha: string, more: Partial<PullRequest> = {}) =>
    bench.forge.pulls.set(number, pullRequest(number, sha, more));
  const status = async (key = KEY) => (await bench.preview(key)).status;
  const runs = async () => (await status()).live?.sources?.api?.commit;

  /** Looks at it; resolves with the keys that are to be looked at next. */
  async function look(key = KEY): Promise<readonly string[]> {
    const told: string[] = [];
    const { store, clock } = bench;
    await bench.reconcile(key, {
      config: both,
      subjects: createSubjectReader({ config: both, forge: () => bench.forge, store, now: () => clock.now }),
      findRepository: async (name) => both.repositories.find((one) => one.name === name),
      store: { ...store, enqueue: async (keys) => void told.push(...keys) },
    });
    return told;
  }
  const ruled = (approval: { required: number; waitSeconds: number }) => {
    both = { ...both, repositories: [shop, { ...api, approval }] };
  };

  it("is not built before its own repository's rule lets it, and then at once", async () => {
    ruled({ required: 1, waitSeconds: 0 });
    await look("api#7");
    await look();
    const waiting = await status();
    assert.deepEqual([waiting.reason, bench.stacks.runs], ["ApprovalNeeded", []]);
    assert.equal(
      waiting.message,
      "acme/api#7 waits by its own repository's rule: 0 of 1 approval of commit `ddddddd`; approve it there, as `api#7`.",
    );
    assert.equal(awaitedCommit(await bench.preview(KEY)), undefined, "nothing of its own is to be approved");
    const actions = benchActions(bench, { repositories: async () => both.repositories });
    await assert.rejects(actions.approve("api#7", HEAD, "@grace"), { reason: "NotApproved" });
    await actions.approve("api#7", HEAD, "@ana");
    assert.ok((await look("api#7")).includes(KEY), "the one that waits for it is looked at");
    await look();
    assert.deepEqual([(await status()).reason, await runs()], ["Healthy", HEAD]);
    assert.deepEqual(
      (await look("api#7")).filter((key) => key === KEY),
      [],
    );
    open(7, SHA.c, { baseRef: "next", author: "grace" });
    await look("api#7");
    await look();
    assert.deepEqual([(await status()).reason, await runs()], ["ApprovalNeeded", HEAD], "what serves goes on");
    bench.forge.reviews.push(`ana ${SHA.c}`);
    assert.ok((await look("api#7")).includes(KEY), "a review counts as it does there");
    await look();
    assert.equal(await runs(), SHA.c);
  });

  it("waits for its time as long as there, and what was approved here does not shorten that", async () => {
    ruled({ required: 1, waitSeconds: 600 });
    bench.forge.reviews.push(`ana ${HEAD}`);
    await look("api#7");
    bench.clock.advance(300);
    await look();
    const { message } = await status();
    assert.match(message, /^acme\/api#7 waits by its own repository's rule: Commit `ddddddd` waits until [^;]+\.$/);
    const { dueAt = "" } = await bench.preview(KEY);
    bench.clock.advance(299);
    assert.ok(dueAt > bench.clock.now);
    bench.clock.advance(1);
    assert.ok(dueAt <= bench.clock.now);
    await look();
    assert.equal(await runs(), HEAD);
  });

  it("is approved as it was shown, at once, and not as it has become since", async () => {
    open(7, HEAD, { baseRef: "next", author: "grace", fork: true });
    await look();
    const actions = benchActions(bench, { repositories: async () => both.repositories, isolationOf: () => "apart" });
    const shown = previewView(await bench.preview(KEY)).awaitsWith;
    assert.deepEqual(shown, { "api#7": HEAD });
    open(7, SHA.c, { baseRef: "next", author: "grace", fork: true });
    await look();
    bench.clock.advance(3600);
    await assert.rejects(actions.approve(KEY, SHA.a, "@ana", shown), {
      reason: "NotApproved",
      message: /what it is previewed with changed since it was shown/,
    });
    open(7, HEAD, { baseRef: "next", author: "grace", fork: true });
    await look();
    await actions.approve(KEY, SHA.a, "@ana", shown);
    await look();
    assert.equal(await runs(), HEAD);
  });

  it("is forgotten with the line that named it, also while the pull request itself waits for an approval", async () => {
    const strange = { fork: true, author: "mallory", trustedAuthor: false };
    open(1, SHA.a, { previewWith: ["acme/api#7"], ...strange });
    await look();
    const { reason, links = [] } = await status();
    assert.deepEqual([reason, links.length], ["ApprovalNeeded", 1]);
    assert.match(links[0]?.problem ?? "", /take it out\.$/);
    open(1, SHA.a, strange);
    await look();
    const { reason: still, links: left } = await status();
    assert.deepEqual([still, left], ["ApprovalNeeded", undefined]);
  });

  it("tells a stranger the same of a number that there is and of one that there is not", async () => {
    const seen = async (number: number, said: string) => {
      open(number, SHA.a, { previewWith: [said], fork: true, author: "mallory", trustedAuthor: false });
      await look(`shop#${number}`);
      const { reason, links = [], message } = await status(`shop#${number}`);
      return [reason, links.map(({ problem, headSha, url }) => ({ problem, headSha, url })), message];
    };
    const there = await seen(1, "acme/api#7");
    assert.deepEqual(await seen(2, "acme/api#8"), there);
    assert.match(JSON.stringify(there[1]), /no pull request of the same author.*take it out/);
  });

  it("goes on with a stranger's own one while that cannot be read", async () => {
    open(7, HEAD, { baseRef: "next", author: "mallory", fork: true });
    open(1, SHA.a, { previewWith: ["acme/api#7"], fork: true, author: "mallory", trustedAuthor: false });
    await look();
    bench.forge.pulls.delete(7);
    await look();
    assert.equal((await status()).links?.[0]?.headSha, HEAD);
  });

  it("names a number that nothing answers for, and the way out, to who may write", async () => {
    open(1, SHA.a, { previewWith: ["acme/api#999"] });
    await look();
    const { reason, message } = await status();
    assert.equal(reason, "Unreachable");
    assert.match(message, /`Preview-With: acme\/api#999`: .*correct the line or take it out of the description/);
  });
});
