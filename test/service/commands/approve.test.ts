/** Pull requests of forks and outsiders, through the whole of reconcile: forge and engine are replaced at their ports. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { withClient } from "../../../components/local/database-client.ts";
import { specDigest } from "../../../infra/spec.ts";
import type { AllActions } from "../../../service/actions.ts";
import type { RepositoryConfig } from "../../../service/config/repository-types.ts";
import type { PullRequest } from "../../../service/forges/forge.ts";
import type { ReconcileDeps } from "../../../service/reconcile.ts";
import { type MemoryComments, memoryComments } from "../../support/memory-comments.ts";
import { pullRequest } from "../../support/memory-forge.ts";
import { testDatabase } from "../../support/postgres.ts";
import { type Bench, benchActions, reconcileBench, SHA, shop } from "../../support/reconcile-world.ts";

const GRANTING = `
services:
  web:
    command: node server.js
    env: {STRIPE_KEY: "\${secrets.STRIPE_KEY}", MIXED: "key=\${secrets.STRIPE_KEY}", SESSION: "\${secrets.SESSION_KEY}", PLAIN: "yes"}
secrets: {STRIPE_KEY: granted, SESSION_KEY: generated}
database: true
submodules: true
`;

describe("a pull request that is not trusted", () => {
  let database: Awaited<ReturnType<typeof testDatabase>>;
  let bench: Bench;
  let comments: MemoryComments;
  let actions: AllActions;
  let more: Partial<ReconcileDeps>;
  let number = 0;
  before(async () => {
    database = await testDatabase();
    bench = await reconcileBench(database.url);
    comments = memoryComments({ now: () => bench.clock.now });
    more = { commandsOf: () => comments };
    actions = benchActions(bench);
  });
  after(async () => {
    await bench.close();
    await database.drop();
  });

  const look = (key: string, further: Partial<ReconcileDeps> = {}) => bench.reconcile(key, { ...more, ...further });
  /** Of a fork, looked at once, and long enough ago for everybody to have seen it. */
  const opened = async (changes: Partial<PullRequest> = { fork: true }, further: Partial<ReconcileDeps> = {}) => {
    const key = `shop#${++number}`;
    bench.forge.pulls.set(number, pullRequest(number, SHA.a, { author: "mallory", trustedAuthor: false, ...changes }));
    await look(key, further);
    bench.clock.advance(120);
    return { key, number };
  };
  const push = async (key: string, of: number, headSha: string) => {
    const before = bench.forge.pulls.get(of);
    assert.ok(before);
    bench.forge.pulls.set(of, { ...before, headSha });
    await look(key);
  };
  const stateOf = async (key: string) => {
    const { status } = await bench.preview(key);
    return [status.reason, status.live?.source.commit];
  };
  const lastAnswer = async (key: string) => {
    const { outcome, answer } = (await bench.preview(key)).intents.commands?.answers?.at(-1) ?? {};
    return `${outcome}: ${answer}`;
  };
  const runsOf = (key: string) => bench.stacks.runs.filter((run) => run.includes(key.replace("#", "-pr-")));

  const strangers: Readonly<Record<string, Partial<PullRequest>>> = {
    "of a fork": { fork: true },
    "of a fork whose author may write": { fork: true, trustedAuthor: true },
    "of an outsider's git branch in the repository itself": { fork: false, trustedAuthor: false },
    "of a fork's default branch": { fork: true, headRef: "main" },
  };
  for (const [whose, changes] of Object.entries(strangers)) {
    it(`${whose} waits, and runs once its commit is approved`, async () => {
      const { key, number } = await opened(changes);
      assert.deepEqual(await stateOf(key), ["ApprovalNeeded", undefined]);
      assert.deepEqual(runsOf(key), []);
      comments.say(number, `/preview approve ${SHA.a}`);
      await look(key);
      assert.deepEqual(await stateOf(key), ["Healthy", SHA.a]);
      assert.equal(await lastAnswer(key), "done: commit `aaaaaaa` may run, and no other");
      assert.deepEqual((await bench.preview(key)).intents.approved, { sha: SHA.a, by: "@ada", at: bench.clock.now });
    });
  }

  it("is not let in by somebody without write access, whatever else the comment says", async () => {
    const { key, number } = await opened();
    for (const author of ["mallory", "eve"]) comments.say(number, `/preview approve ${SHA.a}\n/preview up`, { author });
    await look(key);
    assert.deepEqual(await stateOf(key), ["ApprovalNeeded", undefined]);
    assert.match(await lastAnswer(key), /^refused: only who may write/);
    assert.deepEqual(runsOf(key), []);
  });

  it("is not let in by the approval of an older commit, which says so", async () => {
    const { key, number } = await opened();
    await push(key, number, SHA.b);
    comments.say(number, `/preview approve ${SHA.a}`);
    await look(key);
    assert.deepEqual(await stateOf(key), ["ApprovalNeeded", undefined]);
    assert.equal(
      await lastAnswer(key),
      "confused: `aaaaaaa` is not its newest commit, which is `bbbbbbb`; nothing is approved",
    );
    assert.equal((await bench.preview(key)).intents.approved, undefined);
  });

  it("is not let in by an approval that a push overtook", async () => {
    const { key, number } = await opened();
    comments.say(number, `/preview approve ${SHA.a}`);
    await push(key, number, SHA.b);
    assert.deepEqual(await stateOf(key), ["ApprovalNeeded", undefined]);
    assert.deepEqual(runsOf(key), []);
  });

  it("asks again after a push, while the approved commit serves on", async () => {
    const { key, number } = await opened();
    comments.say(number, `/preview approve ${SHA.a}`);
    await look(key);
    await push(key, number, SHA.b);
    assert.deepEqual(await stateOf(key), ["ApprovalNeeded", SHA.a]);
    comments.say(number, "/preview redeploy");
    await look(key);
    assert.match(await lastAnswer(key), /^confused: the head lies in a fork\. Nothing of it runs until it is approved/);
    assert.deepEqual(runsOf(key), [`up shop-pr-${number} aaaaaaa`]);
    comments.say(number, `/preview approve ${SHA.b.toUpperCase()}\n/preview redeploy`);
    await look(key);
    assert.deepEqual(await stateOf(key), ["Healthy", SHA.b]);
    assert.equal(await lastAnswer(key), "done: the newest commit is built again");
  });

  it("is built again, too, at the older commit that it was rolled back to, which the answer says", async () => {
    const { key, number } = await opened();
    comments.say(number, `/preview approve ${SHA.a}`);
    await look(key);
    await push(key, number, SHA.b);
    comments.say(number, "/preview rollback aaaaaaa\n/preview redeploy");
    await look(key);
    assert.equal(await lastAnswer(key), "done: `aaaaaaa` is built again");
    comments.say(number, "/preview redeploy");
    await look(key);
    assert.equal(await lastAnswer(key), "done: `aaaaaaa` is built again");
    assert.deepEqual(await stateOf(key), ["Healthy", SHA.a]);
    comments.say(number, `/preview approve ${SHA.b}`);
    await look(key);
    assert.equal(await lastAnswer(key), "done: commit `bbbbbbb` may run, and no other");
    assert.deepEqual(await stateOf(key), ["Healthy", SHA.b]);
  });

  it("takes no abbreviated commit, for another one can be made to begin like it", async () => {
    const { key, number } = await opened();
    comments.say(number, `/preview approve ${SHA.a.slice(0, 12)}`);
    await look(key);
    assert.equal(await lastAnswer(key), "confused: it wants the whole id of the commit, as the comment shows it");
    assert.deepEqual(await stateOf(key), ["ApprovalNeeded", undefined]);
  });

  it("is let in by a bare approve where its commit was there to be seen", async () => {
    const { key, number } = await opened();
    comments.say(number, "/preview approve");
    await look(key);
    assert.deepEqual(await stateOf(key), ["Healthy", SHA.a]);
  });

  it("is not let in by a bare approve right behind a push, or overtaken by one", async () => {
    const { key, number } = await opened();
    await push(key, number, SHA.b);
    bench.clock.advance(30);
    comments.say(number, "/preview approve");
    await look(key);
    assert.match(await lastAnswer(key), /^confused: a commit came in the minute before, or after: say which/);
    bench.clock.advance(120);
    comments.say(number, "/preview approve");
    await push(key, number, SHA.c);
    assert.match(await lastAnswer(key), /^confused: a commit came in the minute before, or after/);
    assert.deepEqual(await stateOf(key), ["ApprovalNeeded", undefined]);
    assert.deepEqual(runsOf(key), []);
  });

  it("gets none of the operator's secrets nor submodules, and a database of its own that starts empty", async () => {
    bench.forge.files.set("main:preview.yaml", GRANTING);
    const choice = { driver: "clone", options: {} };
    const [target] = bench.deps.config.targets;
    assert.ok(target);
    const config = { ...bench.deps.config, targets: [{ ...target, database: choice }] };
    const findRepository = (changes: Partial<RepositoryConfig> = {}) => ({
      config,
      findRepository: async () => ({ ...shop, baseline: "customers", ...changes }),
    });
    try {
      const { key, number } = await opened({ fork: true }, findRepository());
      comments.say(number, `/preview approve ${SHA.a}`);
      await look(key, findRepository());
      const { live } = (await bench.preview(key)).status;
      assert.deepEqual(live?.untrusted, { isolated: true });
      assert.deepEqual([live?.grantedSecrets, live?.generatedSecrets], [[], ["SESSION_KEY"]]);
      assert.deepEqual(Object.keys(live?.services[0]?.environment ?? {}).sort(), ["DATABASE_URL", "PLAIN", "SESSION"]);
      assert.equal(live?.source.submodules, false);
      assert.deepEqual(live?.database, {});
      await look(key, findRepository({ untrusted: { baseline: "masked" } }));
      assert.deepEqual((await bench.preview(key)).status.live?.database, { baseline: "masked" });

      // Trusted meanwhile, it is another wish of the same commit, and the other way round.
      bench.forge.pulls.set(number, pullRequest(number, SHA.a));
      await look(key, findRepository());
      const trusted = (await bench.preview(key)).status.live;
      assert.deepEqual(trusted?.grantedSecrets, ["STRIPE_KEY"]);
      assert.ok(live && trusted && specDigest(live) !== specDigest(trusted));
    } finally {
      bench.forge.files.set("main:preview.yaml", "services:\n  web: node server.js\n");
    }
  });

  it("follows preview.yaml of the base branch alone", async () => {
    bench.forge.files.set(`${SHA.a}:preview.yaml`, "services:\n  web: node evil.js\n");
    bench.forge.files.set("feature:preview.yaml", "services:\n  web: node evil.js\n");
    const { key, number } = await opened({ fork: true, headRef: "feature" });
    comments.say(number, `/preview approve ${SHA.a}`);
    await look(key);
    assert.equal((await bench.preview(key)).status.live?.services[0]?.command, "node server.js");
  });

  it("runs on when the store is lost, and a newer commit still waits", async () => {
    const { key, number } = await opened();
    comments.say(number, `/preview approve ${SHA.a}`);
    await look(key);
    const { approved } = (await bench.preview(key)).intents;
    const runs = runsOf(key).length;
    await withClient(database.url, (client) => client.query("truncate preview, history, lease"));
    await look(key);
    assert.equal((await bench.preview(key)).status.live?.source.commit, SHA.a);
    assert.deepEqual((await bench.preview(key)).intents.approved, approved);
    assert.equal(runsOf(key).length, runs);
    await push(key, number, SHA.b);
    assert.deepEqual(await stateOf(key), ["ApprovalNeeded", SHA.a]);
  });

  it("is let in by the API too, for its newest commit alone, and the history says by whom", async () => {
    const { key, number } = await opened();
    await assert.rejects(actions.approve(key, SHA.b, "api"), {
      reason: "NotApproved",
      message: `approving commit "bbbbbbb" of "${key}": "bbbbbbb" is not its newest commit, which is "aaaaaaa"; nothing is approved`,
    });
    bench.forge.outage = "reading: 502";
    await assert.rejects(actions.approve(key, SHA.a, "api"), { reason: "Unreachable" });
    bench.forge.outage = undefined;
    assert.equal((await bench.preview(key)).intents.approved, undefined);
    await actions.approve(key, SHA.a, "api");
    await look(key);
    assert.deepEqual(await stateOf(key), ["Healthy", SHA.a]);
    const history = await bench.store.history(key, 10);
    assert.ok(
      history.some(({ reason, message }) => reason === "Approved" && message === "Commit aaaaaaa may run, by api."),
    );
    bench.forge.pulls.set(number, pullRequest(number, SHA.a));
    await assert.rejects(actions.approve(key, SHA.a, "api"), { message: /it needs no approval/ });
    bench.forge.pulls.set(number, pullRequest(number, SHA.a, { fork: true, state: "closed" }));
    await assert.rejects(actions.approve(key, SHA.a, "api"), { message: /the pull request is closed/ });
    await assert.rejects(actions.approve("shop#4711", SHA.a, "api"), { reason: "NoSuchPreview" });
  });

  for (const [isolation, says] of [
    ["together", /does not run as root/],
    ["sharing", /data that is not the preview's own/],
  ] as const) {
    it(`cannot be approved where the target keeps previews ${isolation}, and everybody is told why`, async () => {
      const kept = { isolationOf: () => isolation };
      const { key, number } = await opened({ fork: true }, kept);
      const { status } = await bench.preview(key);
      assert.equal(status.reason, "Blocked");
      assert.match(status.message, says);
      comments.say(number, `/preview approve ${SHA.a}`);
      await look(key, kept);
      assert.match(await lastAnswer(key), says);
      await assert.rejects(benchActions(bench, kept).approve(key, SHA.a, "api"), { message: says });
      // Approved elsewhere, or by an older version: it does not run here for that.
      await bench.store.update(key, ({ intents }) => ({
        intents: { ...intents, approved: { sha: SHA.a, by: "@ada", at: bench.clock.now } },
      }));
      await look(key, kept);
      assert.deepEqual(await stateOf(key), ["Blocked", undefined]);
      assert.deepEqual(runsOf(key), []);
    });
  }

  it("runs as the service's own user where the operator said that it may, and the record says so", async () => {
    const own = { isolationOf: () => "together" as const };
    const allowed = { ...own, findRepository: async () => ({ ...shop, untrusted: { withoutIsolation: true } }) };
    const { key, number } = await opened({ fork: true }, allowed);
    comments.say(number, `/preview approve ${SHA.a}`);
    await look(key, allowed);
    assert.deepEqual((await bench.preview(key)).status.live?.untrusted, { isolated: false });
  });

  it("is built once everything goes on, when it was approved while all was stopped", async () => {
    const { key, number } = await opened();
    await bench.store.setPause({ at: bench.clock.now, by: "ada" });
    bench.clock.advance(10);
    comments.say(number, `/preview approve ${SHA.a}`);
    await look(key);
    await bench.store.setPause(undefined);
    assert.match(await lastAnswer(key), /^done: commit `aaaaaaa` may run once previews go on/);
    assert.deepEqual(runsOf(key), []);
    await look(key);
    assert.deepEqual(await stateOf(key), ["Healthy", SHA.a]);
  });
});
