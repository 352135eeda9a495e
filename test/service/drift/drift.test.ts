import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { ConflictError, StacklingError, TerminalError } from "../../../components/errors.ts";
import type { Difference, DriftRequest } from "../../../infra/stacks.ts";
import { renderComment } from "../../../service/comment/comment.ts";
import type { DriftPolicy } from "../../../service/config/types.ts";
import { createCompare } from "../../../service/drift/compare.ts";
import { startDriftTimer } from "../../../service/drift/timer.ts";
import { eventually } from "../../support/eventually.ts";
import { pullRequest } from "../../support/memory-forge.ts";
import { testDatabase } from "../../support/postgres.ts";
import { type Bench, benchActions, reconcileBench, SHA, silent } from "../../support/reconcile-world.ts";

const DAY_SECONDS = 86_400;
const ROLE: Difference = {
  urn: "urn:pulumi:shop-pr-1::stackling::stackling:local:DatabaseRole::role",
  type: "stackling:local:DatabaseRole",
  name: "role",
  kind: "missing",
  message: 'database role "shop_pr_1" is missing',
};

let database: Awaited<ReturnType<typeof testDatabase>>;
let bench: Bench;
/** Stacks in the order they were compared. */
let looked: string[];
/** What the timers have asked. */
let asked = { engines: 0, policies: 0 };
before(async () => {
  database = await testDatabase();
});
after(() => database.drop());
beforeEach(async () => {
  bench = await reconcileBench(database.url);
  looked = [];
  found();
});
afterEach(() => bench.close());

/** What every look tells from now on. */
function found(...differences: readonly Difference[]): void {
  bench.stacks.drift = async ({ stack }) => {
    looked.push(stack);
    return { differences };
  };
}

async function open(...numbers: readonly number[]): Promise<void> {
  for (const number of numbers) {
    bench.forge.pulls.set(number, pullRequest(number, SHA.a));
    await bench.reconcile(`shop#${number}`);
    bench.clock.advance(1);
  }
}

const compare = () => createCompare({ ...bench.deps, stacks: bench.stacks });
const actions = () => benchActions(bench);
const driftOf = async (key: string) => (await bench.preview(key)).status.drift;
const reasons = async (key: string) => (await bench.store.history(key, 100)).map(({ reason }) => reason);

/** Until `done`; all replicas of `count` share the store. */
async function onSchedule(
  done: () => Promise<boolean>,
  { policy = "report", count = 1, waiting = 0 }: { policy?: DriftPolicy; count?: number; waiting?: number } = {},
): Promise<void> {
  asked = { engines: 0, policies: 0 };
  const timers = Array.from({ length: count }, () =>
    startDriftTimer({
      store: bench.store,
      compare: compare(),
      repair: actions().repair,
      engines: () => {
        asked.engines += 1;
        return { size: 2, running: waiting > 0 ? 2 : 0, waiting };
      },
      policyOf: async () => {
        asked.policies += 1;
        return policy;
      },
      // Seconds by the test's clock, which stands still.
      everySeconds: 1,
      now: () => bench.clock.now,
      logger: silent,
    }),
  );
  try {
    await eventually(done, { what: "the look on schedule" });
  } finally {
    await Promise.all(timers.map((timer) => timer.close()));
  }
}

describe("a look for drift", () => {
  it("is remembered in words, with its history, and said in the comment", async () => {
    await open(1);
    found(ROLE);
    await compare()("shop#1");
    const { urn, ...kept } = ROLE;
    assert.deepEqual(await driftOf("shop#1"), {
      at: bench.clock.now,
      since: bench.clock.now,
      differences: [kept],
    });
    assert.match(
      renderComment(await bench.preview("shop#1")),
      /An edit by hand: database role "shop\\_pr\\_1" is miss/,
    );
    const since = bench.clock.now;
    bench.clock.advance(DAY_SECONDS);
    await compare()("shop#1");
    assert.equal((await driftOf("shop#1"))?.since, since);
    assert.equal((await reasons("shop#1")).filter((reason) => reason === "Drifted").length, 1);
  });

  it("that could not be read is not no drift, and keeps what is known", async () => {
    await open(1);
    const failure = new StacklingError({ reason: "TargetUnreachable", userMessage: "the cluster does not answer" });
    found(ROLE);
    await compare()("shop#1");
    const { differences } = (await driftOf("shop#1")) ?? {};
    bench.stacks.drift = async () => Promise.reject(failure);
    await assert.rejects(compare()("shop#1"), failure);
    const seen = await driftOf("shop#1");
    assert.deepEqual(seen?.differences, differences);
    assert.equal(seen?.unread?.message, failure.userMessage);
  });

  it("that was broken off leaves no trace", async () => {
    await open(1);
    const interrupt = new AbortController();
    bench.stacks.drift = async () => {
      interrupt.abort();
      throw new StacklingError({ reason: "EngineInterrupted", userMessage: "it was asked to stop" });
    };
    await assert.rejects(compare()("shop#1", { interrupt: interrupt.signal }));
    assert.equal(await driftOf("shop#1"), undefined);
  });

  it("that found something makes the next update look at the world first, which ends it", async () => {
    await open(1);
    found(ROLE);
    await compare()("shop#1");
    bench.forge.pulls.set(1, pullRequest(1, SHA.b));
    await bench.reconcile("shop#1");
    assert.equal(bench.stacks.ups.at(-1)?.refresh, true);
    assert.deepEqual(await driftOf("shop#1"), { at: bench.clock.now, differences: [] });
    assert.ok((await reasons("shop#1")).includes("DriftRepaired"));
    assert.doesNotMatch(renderComment(await bench.preview("shop#1")), /by hand/);
  });

  it("is forgotten with the preview", async () => {
    await open(1);
    found(ROLE);
    await compare()("shop#1");
    bench.forge.pulls.set(1, pullRequest(1, SHA.a, { state: "closed" }));
    await bench.reconcile("shop#1");
    assert.equal(await driftOf("shop#1"), undefined);
  });
});

describe("a wish to repair", () => {
  const shown = async () => {
    const { condition, reason } = (await bench.preview("shop#1")).status;
    return [condition, reason];
  };

  const failing = (error?: Error) => {
    bench.stacks.during = async () => {
      if (error) throw error;
    };
  };

  it("leaves nobody who waits with the state before it, whether that served or failed", async () => {
    await open(1);
    await actions().repair("shop#1", "ada");
    assert.deepEqual(await shown(), ["Reconciling", "Queued"]);
    failing(new TerminalError({ reason: "BuildFailed", userMessage: "the build failed" }));
    await bench.reconcile("shop#1");
    assert.deepEqual(await shown(), ["Stalled", "BuildFailed"]);
    failing();
    await actions().repair("shop#1", "ada");
    assert.deepEqual(await shown(), ["Reconciling", "Queued"]);
    await bench.reconcile("shop#1");
    assert.deepEqual(await shown(), ["Ready", "Healthy"]);
    assert.deepEqual(
      bench.stacks.ups.map(({ refresh }) => refresh),
      [false, true, true],
    );
  });

  it("makes way for what stands where nothing is brought up now", async () => {
    await open(1);
    await bench.store.setPause({ at: bench.clock.now, by: "ada" });
    await bench.reconcile("shop#1");
    await actions().repair("shop#1", "ada");
    await bench.reconcile("shop#1");
    assert.deepEqual(await shown(), ["Ready", "Paused"]);
  });

  it("changes no word about one that is gone, or that could not be removed", async () => {
    await open(1);
    bench.forge.pulls.set(1, pullRequest(1, SHA.a, { state: "closed" }));
    failing(new StacklingError({ reason: "EngineFailed", userMessage: "it broke" }));
    await bench.reconcile("shop#1");
    await actions().repair("shop#1", "ada");
    assert.deepEqual(await shown(), ["Stalled", "DestroyFailed"]);
    failing();
    bench.clock.advance(DAY_SECONDS);
    await bench.reconcile("shop#1");
    await actions().repair("shop#1", "ada");
    assert.deepEqual(await shown(), ["Ready", "Gone"]);
  });
});

describe("looks for drift on a schedule", () => {
  it("take the one first that was not looked at for longest, and each once", async () => {
    await open(1, 2, 3);
    bench.clock.advance(DAY_SECONDS);
    await actions().drift("shop#1");
    looked = [];
    bench.clock.advance(10);
    await onSchedule(async () => looked.length >= 3, { count: 2 });
    assert.deepEqual(looked, ["shop-pr-2", "shop-pr-3", "shop-pr-1"]);
  });

  it("run one at a time, also with several replicas", async () => {
    await open(1, 2, 3, 4);
    bench.clock.advance(DAY_SECONDS);
    let [running, most] = [0, 0];
    bench.stacks.drift = async ({ stack }) => {
      most = Math.max(most, ++running);
      await bench.store.ping();
      running -= 1;
      looked.push(stack);
      return { differences: [] };
    };
    await onSchedule(async () => looked.length >= 4, { count: 3 });
    assert.equal(most, 1);
    assert.equal(new Set(looked).size, looked.length);
  });

  it("repair by policy what they find", async () => {
    await open(1);
    bench.clock.advance(DAY_SECONDS);
    found(ROLE);
    await onSchedule(async () => (await bench.preview("shop#1")).status.interrupted, { policy: "repair" });
    await bench.reconcile("shop#1");
    assert.equal(bench.stacks.ups.at(-1)?.refresh, true);
    assert.deepEqual(await driftOf("shop#1"), { at: bench.clock.now, differences: [] });
    assert.deepEqual(
      (await reasons("shop#1")).filter((reason) => /Drift/.test(reason)),
      ["DriftRepaired", "Drifted"],
    );
  });

  it("only report by default, and leave what serves alone", async () => {
    await open(1);
    bench.clock.advance(DAY_SECONDS);
    found(ROLE);
    await onSchedule(async () => (await driftOf("shop#1"))?.differences.length === 1);
    const { status } = await bench.preview("shop#1");
    assert.deepEqual([status.interrupted, status.reason], [false, "Healthy"]);
  });

  it("give the engine and the stack back when a push comes", async () => {
    await open(1);
    bench.clock.advance(DAY_SECONDS);
    let given: DriftRequest | undefined;
    bench.stacks.drift = (request) => {
      given = request;
      const { promise, reject } = Promise.withResolvers<never>();
      const broken = () => reject(new ConflictError({ reason: "EngineInterrupted", userMessage: "asked to stop" }));
      request.interrupt?.addEventListener("abort", broken, { once: true });
      return promise;
    };
    await onSchedule(async () => {
      if (!given) return false;
      bench.forge.pulls.set(1, pullRequest(1, SHA.b));
      await bench.reconcile("shop#1");
      return (await bench.preview("shop#1")).status.live?.source.commit === SHA.b;
    });
    assert.equal(given?.interrupt?.aborted, true);
  });

  it("wait while others wait for an engine, and look at nothing that is off, stopped or worked on", async () => {
    await open(1, 2);
    bench.clock.advance(DAY_SECONDS);
    await bench.store.update("shop#1", ({ status }) => ({ status: { ...status, interrupted: true } }));
    await onSchedule(async () => asked.engines > 1, { waiting: 1 });
    await onSchedule(async () => asked.policies > 1, { policy: "off" });
    assert.deepEqual(looked, []);
    await onSchedule(async () => looked.length > 0);
    assert.deepEqual(looked, ["shop-pr-2"]);
  });
});
