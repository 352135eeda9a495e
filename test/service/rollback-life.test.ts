/** A rollback through the whole of reconcile: forge and engine are replaced at their ports. */
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { StacklingError } from "../../components/errors.ts";
import { withClient } from "../../components/local/database-client.ts";
import { previewView } from "../../service/api/preview-view.ts";
import type { PullRequest } from "../../service/forges/forge.ts";
import { memoryComments } from "../support/memory-comments.ts";
import { pullRequest } from "../support/memory-forge.ts";
import { testDatabase } from "../support/postgres.ts";
import { type Bench, benchActions, config, reconcileBench, SHA } from "../support/reconcile-world.ts";
import { requires } from "../support/requires.ts";

const KEY = "shop#1";
const choice = { driver: "local", options: {} };
const withDatabase = { ...config, targets: config.targets.map((target) => ({ ...target, database: choice })) };

describe("a preview that was rolled back", requires("postgres"), () => {
  let database: Awaited<ReturnType<typeof testDatabase>>;
  let bench: Bench;
  before(async () => {
    database = await testDatabase();
  });
  after(() => database.drop());
  beforeEach(async () => {
    bench = await reconcileBench(database.url);
    bench.forge.files.set("main:preview.yaml", "services: {web: x}\ndatabase: true\n");
    await push(SHA.a);
    await push(SHA.b);
  });
  afterEach(() => bench.close());

  const reconcile = () => bench.reconcile(KEY, { config: withDatabase });
  const rollback = async (sha?: string) => {
    await benchActions(bench).rollback(KEY, sha === undefined ? {} : { sha }, "ada");
    await reconcile();
  };
  async function push(commit: string, of: Partial<PullRequest> = {}): Promise<void> {
    bench.clock.advance(600);
    bench.forge.pulls.set(1, pullRequest(1, commit, of));
    await reconcile();
  }
  const built = () => bench.stacks.ups.map(({ spec }) => `${spec.source.commit[0]}${spec.generations.database}`);
  const view = async () => previewView(await bench.preview(KEY));

  it("serves the older commit on a database made anew, shows why, and follows the next push", async () => {
    await rollback();
    assert.deepEqual(built(), ["a0", "b0", "a1"]);
    const { commit, headSha, rolledBack, goodCommits, reason } = await view();
    assert.deepEqual([commit, headSha, reason], [SHA.a, SHA.b, "Healthy"]);
    assert.deepEqual(rolledBack, { sha: SHA.a, by: "ada", at: bench.clock.now, database: "anew" });
    assert.equal(goodCommits, undefined);
    const [entry] = (await bench.store.history(KEY, 50)).filter(({ reason }) => reason === "RolledBack");
    assert.match(entry?.message ?? "", /^By ada: it goes back to "aaaaaaa"; its database is made anew/);

    await reconcile();
    await benchActions(bench).redeploy(KEY, "ada");
    await reconcile();
    assert.deepEqual(built(), ["a0", "b0", "a1", "a1"]);
    await push(SHA.c);
    assert.deepEqual(built().at(-1), "c1");
    assert.equal((await view()).rolledBack, undefined);
  });

  it("is rolled back once, also where the engine died in it and somebody asked again", async () => {
    bench.stacks.during = async () => {
      throw new StacklingError({ reason: "EngineInterrupted", userMessage: "it was killed" });
    };
    await rollback(SHA.a.slice(0, 7));
    bench.stacks.during = async () => undefined;
    bench.clock.advance(3600);
    await rollback(SHA.a);
    assert.deepEqual(built(), ["a0", "b0", "a1", "a1"]);
  });

  it("follows the head again when somebody says so", async () => {
    await rollback();
    await rollback(SHA.b);
    assert.deepEqual(built(), ["a0", "b0", "a1", "b1"]);
    assert.equal((await view()).rolledBack, undefined);
  });

  it("stays so though the store is lost", async () => {
    await rollback();
    await withClient(database.url, (client) => client.query("truncate preview, seat, receipt, history, lease"));
    await reconcile();
    assert.deepEqual(built(), ["a0", "b0", "a1"]);
    assert.equal((await view()).rolledBack?.sha, SHA.a);
  });

  it("is ready while all is stopped, for nothing of it is awaited", async () => {
    await rollback();
    await bench.store.setPause({ at: bench.clock.now, by: "ada" });
    await reconcile();
    const { condition, reason } = await view();
    assert.deepEqual([condition, reason], ["Ready", "Paused"]);
  });

  it("begins its next life at the head", async () => {
    await rollback();
    await push(SHA.b, { state: "closed" });
    assert.notEqual((await view()).goneAt, undefined);
    await push(SHA.b);
    assert.deepEqual(built().at(-1), "b1");
  });

  it("refuses a commit that never served, and one that is gone", async () => {
    await assert.rejects(rollback(SHA.c), { reason: "NoSuchCommit", message: /no commit that served here/ });
    await push(SHA.b, { state: "closed" });
    await assert.rejects(rollback(), { reason: "Gone" });
  });

  it("is asked for in a comment too, with what becomes of its database in the answer", async () => {
    const comments = memoryComments({ now: () => bench.clock.now });
    const look = () => bench.reconcile(KEY, { config: withDatabase, commandsOf: () => comments });
    await look();
    bench.clock.advance(10);
    comments.say(1, "/preview rollback keep-database", { author: "ada" });
    await look();
    assert.deepEqual(built(), ["a0", "b0", "a0"]);
    const { intents } = await bench.preview(KEY);
    assert.deepEqual([intents.rolledBack?.sha, intents.rolledBack?.by], [SHA.a, "@ada"]);
    assert.match(
      intents.commands?.answers?.at(-1)?.answer ?? "",
      /`aaaaaaa`; its database stays as newer migrations left it/,
    );
  });

  it("runs of a stranger's commits only one that was approved, and approves no other", async () => {
    const stranger = { fork: true };
    const approve = async (sha: string) => {
      bench.forge.pulls.set(1, pullRequest(1, sha, stranger));
      await benchActions(bench, { isolationOf: () => "apart" }).approve(KEY, sha, "ada");
      await reconcile();
    };
    await approve(SHA.a);
    await approve(SHA.b);
    await push(SHA.c, stranger);
    assert.equal((await view()).reason, "ApprovalNeeded");
    const before = built();
    await rollback(SHA.a);
    assert.deepEqual(built(), [...before, "a1"]);
    assert.deepEqual((await view()).untrusted?.approved?.sha, SHA.a);
    // Neither the head nor what was approved before it runs on that word.
    await rollback(SHA.c);
    assert.equal((await view()).reason, "ApprovalNeeded");
    assert.deepEqual(built().slice(before.length), ["a1"]);
    await rollback(SHA.a);
    await approve(SHA.c);
    assert.deepEqual(built().slice(before.length), ["a1", "c1"], "whoever approves the head wants it to run");
  });
});
