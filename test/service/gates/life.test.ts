/** Smoke tests and gates through the whole of reconcile: forge and engine are replaced at their ports, the application answers for real. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { ConflictError, StacklingError, TerminalError } from "../../../components/errors.ts";
import { rolledBackOf } from "../../../service/rollback.ts";
import { pullRequest } from "../../support/memory-forge.ts";
import { testDatabase } from "../../support/postgres.ts";
import { type Bench, benchActions, reconcileBench, SHA } from "../../support/reconcile-world.ts";
import { requires } from "../../support/requires.ts";

const KEY = "shop#1";

describe("a preview with smoke tests and gates", requires("postgres"), () => {
  let database: Awaited<ReturnType<typeof testDatabase>>;
  let bench: Bench;
  /** Status that `/health` answers, by commit. */
  const answers = new Map<string, number>();
  const asked: string[] = [];
  /** Called in place of an answer. */
  let hangs: (() => void) | undefined;
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.headers.host} ${request.url}`);
    if (hangs) return hangs();
    const commit = bench.stacks.ups.at(-1)?.spec.source.commit ?? "";
    response
      .writeHead(answers.get(commit) ?? 200, { "content-type": "application/json" })
      .end(`{"commit":"${commit}"}`);
  });
  before(async () => {
    database = await testDatabase();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  });
  after(async () => {
    server.close();
    await database.drop();
  });
  beforeEach(async () => {
    answers.clear();
    asked.splice(0);
    hangs = undefined;
    bench = await reconcileBench(database.url);
    yaml("smoke: [{path: /health, within: 1s}]\n");
  });
  afterEach(() => bench.close());

  const yaml = (checks: string) => bench.forge.files.set("main:preview.yaml", `services: {web: x}\n${checks}`);
  const world = () => ({
    ...bench.deps.world,
    address: async () => ({ address: `127.0.0.1:${(server.address() as AddressInfo).port}` }),
  });
  const reconcile = (more = {}) => bench.reconcile(KEY, { world: world(), ...more });
  async function push(commit: string, more = {}): Promise<void> {
    bench.clock.advance(600);
    bench.forge.pulls.set(1, pullRequest(1, commit));
    await reconcile(more);
  }
  const built = () => bench.stacks.ups.map(({ spec }) => `${spec.source.commit[0]}${spec.gate ? " gate" : ""}`);
  const status = async () => (await bench.preview(KEY)).status;
  const shown = async () => {
    const { condition, reason, message } = await status();
    return `${condition} ${reason}: ${message}`;
  };

  it("is ready once they passed, and offers to go back to no commit before", async () => {
    const reasons: string[] = [];
    await push(SHA.a, {
      onStep: async (step: string) => {
        if (step === "checks") reasons.push(await shown(), String((await status()).served?.length));
      },
    });
    assert.deepEqual(reasons, ["Reconciling Checking: Smoke tests and gates come next.", "undefined"]);
    assert.equal(await shown(), "Ready Healthy: Serving.");
    const { checks, served } = await status();
    assert.deepEqual(
      checks?.results.map(({ name, ok, kind }) => [name, ok, kind]),
      [["GET /health", true, "smoke"]],
    );
    assert.deepEqual(
      served?.map(({ sha }) => sha),
      [SHA.a],
    );
    assert.deepEqual(asked, ["GET pr-1-shop.localhost:4000 /health"]);
    assert.equal((await bench.preview(KEY)).lastVisitAt, undefined);
    await reconcile();
    assert.equal(asked.length, 1);
  });

  it("goes back to the last good commit when one fails, until the next push", async () => {
    await push(SHA.a);
    answers.set(SHA.b, 500);
    await push(SHA.b);
    await reconcile();
    assert.deepEqual(built(), ["a", "b", "a"]);
    assert.match(
      await shown(),
      /^Stalled SmokeTestFailed: Smoke test "GET \/health": it answered 500, not 200–399(, at the last of \d tries)?\. Commit `aaaaaaa` serves in place of `bbbbbbb`\. A push tries again\.$/,
    );
    assert.deepEqual(
      (await status()).served?.map(({ sha }) => sha),
      [SHA.a],
    );
    assert.equal(rolledBackOf(await bench.preview(KEY))?.by, "gates");
    const [entry] = (await bench.store.history(KEY, 50)).filter(({ reason }) => reason === "RolledBack");
    assert.match(entry?.message ?? "", /^Smoke test .* tries\. "aaaaaaa" comes back in place of "bbbbbbb"\.$/);
    await reconcile();
    assert.deepEqual(built(), ["a", "b", "a"]);

    await push(SHA.c);
    assert.deepEqual(built(), ["a", "b", "a", "c"]);
    assert.equal(await shown(), "Ready Healthy: Serving.");
    assert.equal((await status()).failedChecks, undefined);
  });

  it("goes back no further where the good commit fails now, too, and keeps it good", async () => {
    await push(SHA.a);
    await push(SHA.b);
    for (const sha of [SHA.b, SHA.c]) answers.set(sha, 500);
    await push(SHA.c);
    await reconcile();
    assert.deepEqual(built(), ["a", "b", "c", "b"]);
    assert.deepEqual(
      (await status()).served?.map(({ sha }) => sha),
      [SHA.a, SHA.b],
    );
    assert.match(
      await shown(),
      /^Stalled SmokeTestFailed: .* Commit `bbbbbbb` serves in place of `ccccccc`, and fails now, too; an older one would be no better\. A push/,
    );
    assert.deepEqual([(await status()).failedChecks?.commit, (await status()).checks?.commit], [SHA.c, SHA.b]);
    const back = (await bench.store.history(KEY, 50)).filter(({ reason }) => reason === "RolledBack");
    assert.equal(back.length, 1);

    answers.delete(SHA.b);
    await benchActions(bench).redeploy(KEY, "ada");
    await reconcile();
    assert.match(await shown(), /^Stalled SmokeTestFailed: .* Commit `bbbbbbb` serves in place of `ccccccc`\. A push/);
  });

  it("goes back to the commit that a person had gone back to, and not to the one that he left", async () => {
    await push(SHA.a);
    await push(SHA.b);
    await benchActions(bench).rollback(KEY, { sha: SHA.a }, "ada");
    await reconcile();
    answers.set(SHA.c, 500);
    await push(SHA.c);
    assert.deepEqual(built(), ["a", "b", "a", "c", "a"]);
    assert.match(await shown(), /Commit `aaaaaaa` serves in place of `ccccccc`\./);
  });

  it("goes back there as well where somebody pushed while that one was checked", async () => {
    await push(SHA.a);
    await push(SHA.b);
    await benchActions(bench).rollback(KEY, { sha: SHA.a }, "ada");
    answers.set(SHA.c, 500);
    await reconcile({
      onStep: (step: string) => {
        if (step === "checks") bench.forge.pulls.set(1, pullRequest(1, SHA.c));
      },
    });
    await reconcile();
    assert.deepEqual(built(), ["a", "b", "a", "c", "a"]);
  });

  it("serves on where a commit that was good fails after another update", async () => {
    await push(SHA.a);
    await push(SHA.b);
    answers.set(SHA.b, 500);
    await benchActions(bench).redeploy(KEY, "ada");
    await reconcile();
    assert.deepEqual(built(), ["a", "b", "b"]);
    assert.match(
      await shown(),
      /Commit `bbbbbbb` serves on, for it was good before, and an older one would be no better\. A push tries again\.$/,
    );
  });

  it("lets the new version serve where it is kept, and checks it again when somebody has it built again", async () => {
    yaml("smoke: [{path: /health, within: 1s}]\nonFailure: keep\n");
    await push(SHA.a);
    answers.set(SHA.b, 503);
    await push(SHA.b);
    assert.deepEqual(built(), ["a", "b"]);
    assert.match(await shown(), /^Stalled SmokeTestFailed: .* it answered 503.* Commit `bbbbbbb` serves on\. A push/);
    answers.clear();
    await benchActions(bench).redeploy(KEY, "ada");
    await reconcile();
    assert.equal(await shown(), "Ready Healthy: Serving.");
    assert.deepEqual(
      (await status()).served?.map(({ sha }) => sha),
      [SHA.a, SHA.b],
    );
  });

  it("serves on where nothing good came before, and says so", async () => {
    answers.set(SHA.a, 500);
    await push(SHA.a);
    assert.match(await shown(), /Commit `aaaaaaa` serves on, for no commit before `aaaaaaa` has served here\./);
    assert.equal((await status()).served, undefined);
  });

  it("is checked again when the service was killed in it", async () => {
    const killed = push(SHA.a, {
      onStep: (step: string) => {
        if (step === "checks") throw new Error("killed");
      },
    });
    await assert.rejects(killed, /killed/);
    assert.deepEqual(asked, []);
    bench.clock.advance(60);
    await reconcile();
    assert.equal(asked.length, 1);
    assert.equal(await shown(), "Ready Healthy: Serving.");
    assert.deepEqual(built(), ["a"]);
  });

  it("goes at once when the pull request is closed meanwhile", async () => {
    yaml("smoke: [{path: /health, within: 5m, timeout: 60s}]\n");
    let look = () => {};
    hangs = () => {
      bench.forge.pulls.set(1, pullRequest(1, SHA.a, { state: "closed" }));
      look();
    };
    await push(SHA.a, {
      onWish: (_key: string, listener: () => void) => {
        look = listener;
        return () => {};
      },
    });
    assert.equal((await status()).reason, "Gone");
    assert.deepEqual(built(), ["a"]);
  });

  it("drops what it found when somebody pushed meanwhile", async () => {
    await push(SHA.a);
    answers.set(SHA.b, 500);
    await push(SHA.b, {
      onStep: (step: string) => {
        if (step === "checks" && bench.stacks.ups.length === 2) bench.forge.pulls.set(1, pullRequest(1, SHA.c));
      },
    });
    assert.deepEqual(built(), ["a", "b", "c"]);
    assert.equal(await shown(), "Ready Healthy: Serving.");
  });

  it("asks nothing while it sleeps, and checks once it is awake", async () => {
    const asleep = async (step: string) => {
      if (step !== "settle" || bench.stacks.ups.length !== 1 || asked.length > 0) return;
      await bench.store.update(KEY, ({ intents }) => ({
        intents: { ...intents, asleep: true, asleepSince: bench.clock.now },
      }));
    };
    await push(SHA.a, { onStep: asleep });
    assert.deepEqual([(await status()).reason, asked], ["Asleep", []]);
    bench.clock.advance(1);
    await benchActions(bench).wake(KEY, "ada");
    await reconcile();
    await reconcile();
    assert.deepEqual([(await status()).reason, asked.length], ["Healthy", 1]);
  });

  it("runs a command in an update of its own, and tells what it said when it fails", async () => {
    yaml("gates: [{command: npm run e2e}]\nonFailure: keep\n");
    await push(SHA.a);
    assert.deepEqual(built(), ["a", "a gate"]);
    assert.equal(await shown(), "Ready Healthy: Serving.");
    assert.equal((await status()).attempted?.cutShort, undefined);

    bench.stacks.during = async () => {
      if (bench.stacks.ups.at(-1)?.spec.gate) {
        throw new TerminalError({ reason: "GateFailed", userMessage: "it exited with code 1", excerpt: ["boom"] });
      }
    };
    await push(SHA.b);
    assert.match(await shown(), /^Stalled GateFailed: Gate "npm run e2e": it exited with code 1\./);
    assert.deepEqual((await status()).excerpt, ["boom"]);
  });

  it("looks at the world first when the engine was killed in a command, and runs it again", async () => {
    yaml("gates: [{command: npm run e2e}]\n");
    bench.stacks.during = async () => {
      if (bench.stacks.ups.at(-1)?.spec.gate)
        throw new StacklingError({ reason: "EngineInterrupted", userMessage: "x" });
    };
    await push(SHA.a);
    assert.deepEqual(built(), ["a", "a gate"]);
    bench.stacks.during = async () => {};
    bench.clock.advance(60);
    await reconcile();
    assert.deepEqual(built(), ["a", "a gate", "a gate"]);
    assert.equal(bench.stacks.ups.at(-1)?.refresh, true);
    assert.equal(await shown(), "Ready Healthy: Serving.");
  });

  it("waits for somebody else's lock with a command, and blames no gate", async () => {
    yaml("gates: [{command: npm run e2e}]\n");
    bench.stacks.during = async () => {
      if (bench.stacks.ups.at(-1)?.spec.gate) throw new ConflictError({ reason: "StackLocked", userMessage: "locked" });
    };
    await push(SHA.a);
    assert.equal((await status()).checks, undefined);
    bench.stacks.during = async () => {};
    bench.clock.advance(60);
    await reconcile();
    assert.equal(await shown(), "Ready Healthy: Serving.");
  });

  it("does not hold a version back for what is not required", async () => {
    yaml("smoke: [{path: /health, within: 1s, required: false}]\n");
    answers.set(SHA.a, 500);
    await push(SHA.a);
    assert.equal(await shown(), "Ready Healthy: Serving.");
    assert.deepEqual(
      (await status()).checks?.results.map(({ ok, required }) => [ok, required]),
      [[false, false]],
    );
  });
});
