import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { ConflictError, StacklingError, TerminalError } from "../../components/errors.ts";
import { STEPS, type Step } from "../../service/reconcile.ts";
import { eventually } from "../support/eventually.ts";
import { pullRequest } from "../support/memory-forge.ts";
import { testDatabase } from "../support/postgres.ts";
import { type Bench, PREVIEW_YAML, reconcileBench, SHA } from "../support/reconcile-world.ts";

const KEY = "shop#1";
const STACK = "shop-pr-1";

let database: Awaited<ReturnType<typeof testDatabase>>;
before(async () => {
  database = await testDatabase();
});
after(() => database.drop());

describe("reconcile", () => {
  let bench: Bench;
  beforeEach(async () => {
    bench = await reconcileBench(database.url);
    bench.forge.pulls.set(1, pullRequest(1, SHA.a));
  });
  afterEach(() => bench.close());

  it("brings the preview up and says so when a pull request is open", async () => {
    await bench.reconcile(KEY);
    const { status, gitBranch } = await bench.preview(KEY);
    assert.deepEqual([status.condition, status.reason, status.stackExists], ["Ready", "Healthy", true]);
    assert.equal(status.live?.source.commit, SHA.a);
    assert.equal(status.live?.urls.web, "http://pr-1-shop.localhost:4000");
    assert.equal(gitBranch, "feature-1");
    assert.deepEqual(bench.announced, ["shop#1 Reconciling Provisioning", "shop#1 Ready Healthy"]);
  });

  it("starts the engine while a repository on this machine is still fetched", async () => {
    const fetched = Promise.withResolvers<void>();
    bench.stacks.during = async () => fetched.resolve();
    await bench.reconcile(KEY, { prepareSource: () => fetched.promise });
    assert.equal((await bench.preview(KEY)).status.reason, "Healthy");
  });

  it("starts no engine before a remote repository is fetched", async () => {
    bench.forge.clonePoint = async () => ({ url: "https://forge.example/acme/shop.git", environment: {}, refs: [] });
    const refused = new StacklingError({ reason: "CheckoutFailed", userMessage: "fetching: the forge is away" });
    await bench.reconcile(KEY, { prepareSource: () => Promise.reject(refused) });
    assert.deepEqual(bench.stacks.runs, []);
    assert.equal((await bench.preview(KEY)).status.reason, "CheckoutFailed");
  });

  it("leaves a fetch on this machine that failed to the checkout, which says why", async () => {
    const refused = new StacklingError({ reason: "CheckoutFailed", userMessage: "fetching: the disk is full" });
    bench.stacks.during = async () => {
      throw new StacklingError({ reason: "CheckoutFailed", userMessage: "checking out: the disk is full" });
    };
    await bench.reconcile(KEY, { prepareSource: () => Promise.reject(refused) });
    const { status } = await bench.preview(KEY);
    assert.deepEqual([status.reason, status.message], ["CheckoutFailed", "checking out: the disk is full."]);
  });

  it("runs no engine when nothing changed", async () => {
    await bench.reconcile(KEY);
    const { revision } = await bench.preview(KEY);
    await bench.reconcile(KEY);
    assert.deepEqual(bench.stacks.runs, [`up ${STACK} aaaaaaa`]);
    assert.equal((await bench.preview(KEY)).revision, revision, "and writes nothing");
  });

  it("makes exactly one more update when ten pushes arrive during one", async () => {
    bench.stacks.during = async (run) => {
      if (!run.endsWith("aaaaaaa")) return;
      for (let push = 0; push < 10; push++) {
        bench.forge.pulls.set(1, pullRequest(1, push.toString(16).repeat(40)));
        await bench.store.enqueue([KEY]);
      }
    };
    await bench.reconcile(KEY);
    const jobs = await bench.store.queue.fetch(10);
    for (const job of jobs) {
      await bench.reconcile(job.key);
      await bench.store.queue.done(job);
    }
    assert.deepEqual(bench.stacks.runs, [`up ${STACK} aaaaaaa`, `up ${STACK} 9999999`]);
    assert.equal(jobs.length, 1);
  });

  it("destroys the stack, proves it and writes a receipt when the pull request is closed", async () => {
    await bench.reconcile(KEY);
    bench.forge.pulls.set(1, pullRequest(1, SHA.a, { state: "closed", merged: true }));
    await bench.reconcile(KEY);
    const { status } = await bench.preview(KEY);
    assert.deepEqual([status.reason, status.goneReason, status.stackExists], ["Gone", "Merged", false]);
    assert.equal(bench.stacks.existing.size, 0);
    const receipts = await bench.store.receipts(KEY);
    assert.equal(receipts.length, 1);
    assert.ok(receipts[0]?.proof.every(({ found }) => found === 0));
    assert.equal((await bench.store.list()).length, 0);
  });

  it("ends as gone when the pull request is closed while it is created", async () => {
    bench.stacks.during = async (run) => {
      if (run.startsWith("up")) bench.forge.pulls.set(1, pullRequest(1, SHA.a, { state: "closed" }));
    };
    await bench.reconcile(KEY);
    assert.deepEqual(bench.stacks.runs, [`up ${STACK} aaaaaaa`, `destroy ${STACK}`]);
    assert.equal((await bench.preview(KEY)).status.reason, "Gone");
  });

  it("interrupts the engine when a look is asked for and the pull request turns out closed", async () => {
    let tell: (() => void) | undefined;
    bench.stacks.during = async (run, { interrupt }) => {
      if (!run.startsWith("up")) return;
      bench.forge.pulls.set(1, pullRequest(1, SHA.a, { state: "closed" }));
      tell?.();
      await eventually(() => interrupt?.aborted, { what: "the interrupt" });
      throw new StacklingError({ reason: "EngineFailed", userMessage: "interrupted" });
    };
    await bench.reconcile(KEY, {
      onWish: (_key, listener) => {
        tell = listener;
        return () => {};
      },
    });
    assert.deepEqual(bench.stacks.runs, [`up ${STACK} aaaaaaa`, `destroy ${STACK}`]);
    assert.equal((await bench.preview(KEY)).status.reason, "Gone");
  });

  it("makes a preview of its own life when a closed pull request is opened again", async () => {
    await bench.reconcile(KEY);
    const first = (await bench.preview(KEY)).createdAt;
    bench.forge.pulls.set(1, pullRequest(1, SHA.a, { state: "closed" }));
    await bench.reconcile(KEY);
    bench.clock.advance(100);
    bench.forge.pulls.set(1, pullRequest(1, SHA.b));
    await bench.reconcile(KEY);
    const { status, createdAt } = await bench.preview(KEY);
    assert.equal(status.reason, "Healthy");
    assert.equal(status.goneAt, undefined);
    assert.ok(createdAt > first);
  });

  it("destroys nothing and keeps serving when the forge is unreachable", async () => {
    await bench.reconcile(KEY);
    bench.forge.outage = "the forge answers 502";
    await bench.reconcile(KEY);
    const { status, dueAt } = await bench.preview(KEY);
    assert.deepEqual([status.condition, status.reason, status.stackExists], ["Ready", "Unreachable", true]);
    assert.ok(dueAt, "it is looked at again by itself");
    bench.forge.outage = undefined;
    await bench.reconcile(KEY);
    assert.equal((await bench.preview(KEY)).status.reason, "Healthy");
    assert.deepEqual(bench.stacks.runs, [`up ${STACK} aaaaaaa`]);
  });

  it("destroys nothing when the pull request answers 404 or the repository left the config", async () => {
    await bench.reconcile(KEY);
    bench.forge.pulls.delete(1);
    await bench.reconcile(KEY);
    assert.equal((await bench.preview(KEY)).status.reason, "Unreachable");
    await bench.reconcile(KEY, { findRepository: async () => undefined });
    assert.equal((await bench.preview(KEY)).status.reason, "NotConfigured");
    assert.deepEqual([...bench.stacks.existing.keys()], [STACK]);
  });

  it("runs nothing of a fork and says why", async () => {
    bench.forge.pulls.set(1, pullRequest(1, SHA.a, { fork: true, author: "eve" }));
    await bench.reconcile(KEY);
    const { status } = await bench.preview(KEY);
    assert.deepEqual([status.condition, status.reason], ["Stalled", "ApprovalNeeded"]);
    assert.match(status.message, /fork/);
    assert.deepEqual(bench.stacks.runs, []);
  });

  it("keeps the old version serving and lists every problem when preview.yaml is broken", async () => {
    await bench.reconcile(KEY);
    bench.forge.files.set("main:preview.yaml", "services:\n  web:\n    kind: wrong\nnonsense: 1\n");
    bench.forge.pulls.set(1, pullRequest(1, SHA.b));
    await bench.reconcile(KEY);
    const { status } = await bench.preview(KEY);
    assert.deepEqual([status.condition, status.reason], ["Stalled", "SpecInvalid"]);
    assert.ok(status.excerpt.length >= 2, status.excerpt.join("\n"));
    assert.match(status.excerpt[0] ?? "", /preview\.yaml:\d+/);
    assert.equal(status.live?.source.commit, SHA.a);
  });

  it("tries five times with growing pauses, then waits for a push", async () => {
    bench.stacks.during = async () => {
      throw new StacklingError({ reason: "HealthCheckFailed", userMessage: "web: no answer", excerpt: ["boom"] });
    };
    const pauses: number[] = [];
    for (let round = 0; round < 12; round++) {
      await bench.reconcile(KEY);
      const { dueAt } = await bench.preview(KEY);
      const pause = (Date.parse(dueAt ?? "") - Date.parse(bench.clock.now)) / 1000;
      // Only its hard stop is left to wait for.
      if (!dueAt || pause > 86_400) break;
      pauses.push(pause);
      bench.clock.now = dueAt;
    }
    assert.deepEqual(pauses, [5, 10, 20, 40]);
    assert.equal(bench.stacks.runs.length, 5);
    const { status } = await bench.preview(KEY);
    assert.deepEqual([status.condition, status.reason, status.excerpt], ["Stalled", "HealthCheckFailed", ["boom"]]);
    bench.stacks.during = async () => {};
    bench.forge.pulls.set(1, pullRequest(1, SHA.b));
    await bench.reconcile(KEY);
    assert.equal((await bench.preview(KEY)).status.reason, "Healthy");
  });

  it("does not try again before a new input when the input is at fault", async () => {
    bench.stacks.during = async () => {
      throw new TerminalError({ reason: "BuildFailed", userMessage: "npm run build exited with 1" });
    };
    await bench.reconcile(KEY);
    bench.clock.advance(7200);
    await bench.reconcile(KEY);
    assert.equal(bench.stacks.runs.length, 1);
    assert.equal((await bench.preview(KEY)).status.reason, "BuildFailed");
  });

  it("goes back to the commit that served when the failing push is taken back", async () => {
    await bench.reconcile(KEY);
    bench.stacks.during = async (run) => {
      if (run.endsWith("bbbbbbb")) throw new TerminalError({ reason: "StartFailed", userMessage: "exited with 1" });
    };
    bench.forge.pulls.set(1, pullRequest(1, SHA.b));
    await bench.reconcile(KEY);
    assert.equal((await bench.preview(KEY)).status.live?.source.commit, SHA.a);
    bench.forge.pulls.set(1, pullRequest(1, SHA.a));
    await bench.reconcile(KEY);
    assert.deepEqual(
      bench.stacks.runs.map((run) => run.slice(-7)),
      ["aaaaaaa", "bbbbbbb", "aaaaaaa"],
    );
    assert.equal((await bench.preview(KEY)).status.reason, "Healthy");
  });

  it("waits and shows the holder when a person's own pulumi run locks the stack", async () => {
    let locked = true;
    bench.stacks.during = async () => {
      if (locked) throw new ConflictError({ reason: "StackLocked", userMessage: 'locked by "ada" for 3 min' });
    };
    await bench.reconcile(KEY);
    const { status, dueAt } = await bench.preview(KEY);
    assert.deepEqual([status.reason, status.message], ["StackLocked", 'locked by "ada" for 3 min']);
    assert.ok(dueAt && dueAt > bench.clock.now);
    locked = false;
    bench.clock.now = dueAt;
    await bench.reconcile(KEY);
    assert.equal((await bench.preview(KEY)).status.reason, "Healthy");
  });

  it("waits for another holder's lease", async () => {
    const lease = await bench.store.acquireLease(STACK);
    assert.ok(lease);
    await bench.reconcile(KEY);
    assert.deepEqual(bench.stacks.runs, []);
    assert.ok((await bench.preview(KEY)).dueAt);
    await lease.release();
    await bench.reconcile(KEY);
    assert.equal(bench.stacks.runs.length, 1);
  });

  it("retries a failed destroy for ever and shows it", async () => {
    await bench.reconcile(KEY);
    bench.forge.pulls.set(1, pullRequest(1, SHA.a, { state: "closed" }));
    let failing = true;
    bench.stacks.during = async () => {
      if (failing) throw new StacklingError({ reason: "EngineFailed", userMessage: "no space" });
    };
    for (let round = 0; round < 15; round++) {
      await bench.reconcile(KEY);
      const { status, dueAt } = await bench.preview(KEY);
      assert.deepEqual([status.condition, status.reason], ["Stalled", "DestroyFailed"]);
      assert.ok(dueAt && Date.parse(dueAt) - Date.parse(bench.clock.now) <= 3_600_000);
      bench.clock.now = dueAt;
    }
    failing = false;
    await bench.reconcile(KEY);
    assert.equal((await bench.preview(KEY)).status.reason, "Gone");
  });

  it("removes what no state knew of, and is not gone while something stays", async () => {
    await bench.reconcile(KEY);
    bench.forge.pulls.set(1, pullRequest(1, SHA.a, { state: "closed" }));
    bench.owned.push({ kind: "database", id: "shop_pr_1", stack: STACK });
    const stubborn = { ...bench.deps.world, remove: async () => {} };
    await bench.reconcile(KEY, { world: stubborn });
    const { status, dueAt } = await bench.preview(KEY);
    assert.deepEqual([status.reason, status.goneAt], ["DestroyFailed", undefined]);
    assert.match(status.message, /database "shop_pr_1"/);
    bench.clock.now = dueAt ?? "";
    await bench.reconcile(KEY);
    assert.equal((await bench.preview(KEY)).status.reason, "Gone");
    assert.equal(bench.owned.length, 0);
  });

  it("puts an idle preview to sleep and wakes it on a visit, without an engine", async () => {
    await bench.reconcile(KEY);
    bench.clock.advance(3601);
    await bench.reconcile(KEY);
    assert.deepEqual([(await bench.preview(KEY)).status.reason, bench.awake.get(STACK)], ["Asleep", false]);
    bench.clock.advance(3600);
    await bench.store.visited({ [KEY]: bench.clock.now });
    await bench.reconcile(KEY);
    assert.deepEqual([(await bench.preview(KEY)).status.reason, bench.awake.get(STACK)], ["Healthy", true]);
    assert.equal(bench.stacks.runs.length, 1);
  });

  it("ends the wait of a wake when the pull request turns out closed meanwhile", async () => {
    await bench.reconcile(KEY);
    bench.clock.advance(3601);
    await bench.reconcile(KEY);
    await bench.store.visited({ [KEY]: bench.clock.now });
    let tell: (() => void) | undefined;
    const world = {
      ...bench.deps.world,
      setAwake: async (_target: unknown, _stack: string, _awake: boolean, signal?: AbortSignal) => {
        bench.forge.pulls.set(1, pullRequest(1, SHA.a, { state: "closed" }));
        tell?.();
        await eventually(() => signal?.aborted, { what: "the end of the wait" });
        throw new StacklingError({ reason: "StartFailed", userMessage: "waking: broken off" });
      },
    };
    const onWish = (_key: string, listener: () => void) => {
      tell = listener;
      return () => {};
    };
    await bench.reconcile(KEY, { world, onWish });
    const { dueAt = "never" } = await bench.preview(KEY);
    bench.clock.advance(1);
    assert.ok(dueAt <= bench.clock.now, `it is looked at again ${dueAt}`);
    await bench.reconcile(KEY);
    assert.equal((await bench.preview(KEY)).status.reason, "Gone");
  });

  it("wakes a preview for its visitor before it asks the forge, and asks it right behind", async () => {
    await bench.reconcile(KEY);
    bench.clock.advance(3601);
    await bench.reconcile(KEY);
    await bench.store.visited({ [KEY]: bench.clock.now });
    let asked = 0;
    bench.forge.read = async () => {
      asked += 1;
      throw new Error("the forge is away");
    };
    await bench.reconcile(KEY);
    const { status, dueAt = "never" } = await bench.preview(KEY);
    assert.deepEqual([status.reason, bench.awake.get(STACK), asked], ["Healthy", true, 0]);
    bench.clock.advance(1);
    assert.ok(dueAt <= bench.clock.now, `it is looked at again ${dueAt}`);
    await bench.reconcile(KEY);
    assert.equal(asked, 1);
  });

  it("reads generations back from the stack when the store lost the preview", async () => {
    await bench.reconcile(KEY);
    await bench.store.update(KEY, ({ intents }) => ({
      intents: { ...intents, generations: { ...intents.generations, database: 3 } },
    }));
    await bench.reconcile(KEY);
    const before = (await bench.preview(KEY)).status.live;
    const elsewhere = await testDatabase();
    const lost = await reconcileBench(elsewhere.url);
    try {
      lost.forge.pulls.set(1, pullRequest(1, SHA.a));
      for (const [stack, outputs] of bench.stacks.existing) lost.stacks.existing.set(stack, outputs);
      lost.clock.advance(86_400);
      await lost.reconcile(KEY);
      const { status, intents } = await lost.preview(KEY);
      assert.equal(intents.generations.database, 3);
      assert.deepEqual(status.live, before);
      assert.deepEqual(lost.stacks.runs, [], "the running spec is still the wanted one");
    } finally {
      await lost.close();
      await elsewhere.drop();
    }
  });

  it("destroys no kept preview and wakes a sleeping one when the store lost both wishes", async () => {
    await bench.reconcile(KEY);
    await bench.store.update(KEY, ({ intents }) => ({ intents: { ...intents, keep: true } }));
    const elsewhere = await testDatabase();
    const lost = await reconcileBench(elsewhere.url);
    try {
      lost.forge.pulls.set(1, pullRequest(1, SHA.a));
      for (const [stack, outputs] of bench.stacks.existing) lost.stacks.existing.set(stack, outputs);
      lost.awake.set(STACK, false);
      lost.clock.advance(40 * 86_400);
      await lost.reconcile(KEY);
      assert.deepEqual([lost.stacks.runs, (await lost.preview(KEY)).status.reason], [[], "Healthy"]);
      assert.equal(lost.awake.get(STACK), true);
      lost.clock.advance(31 * 86_400);
      await lost.reconcile(KEY);
      assert.equal((await lost.preview(KEY)).status.goneReason, "Expired", "but it does not stay for ever");
    } finally {
      await lost.close();
      await elsewhere.drop();
    }
  });

  it("starts nothing for a preview by hand that nobody asked for", async () => {
    await bench.reconcile("shop@feature-1");
    assert.equal(await bench.store.find("shop@feature-1"), undefined);
  });
});

describe("reconcile, ended at each of its steps", () => {
  let bench: Bench;
  before(async () => {
    bench = await reconcileBench(database.url);
    bench.forge.files.set("main:preview.yaml", `${PREVIEW_YAML}gates: [{command: "true"}]\n`);
  });
  after(() => bench.close());

  let number = 1;
  for (const step of STEPS) {
    it(`comes to the same end after a kill at "${step}"`, async () => {
      const key = `shop#${++number}`;
      bench.forge.pulls.set(number, pullRequest(number, SHA.a));
      await killedAt(bench, key, step);
      await bench.reconcile(key);
      assert.equal((await bench.preview(key)).status.reason, "Healthy");
      bench.clock.advance(3601);
      await killedAt(bench, key, step);
      await bench.reconcile(key);
      assert.equal((await bench.preview(key)).status.reason, "Asleep");
      await bench.store.visited({ [key]: bench.clock.now });
      await killedAt(bench, key, step);
      await bench.reconcile(key);
      assert.equal((await bench.preview(key)).status.reason, "Healthy");
      bench.forge.pulls.set(number, pullRequest(number, SHA.a, { state: "closed" }));
      await killedAt(bench, key, step);
      await bench.reconcile(key);
      assert.equal((await bench.preview(key)).status.reason, "Gone");
      assert.equal((await bench.store.receipts(key)).length, 1);
      assert.equal(bench.stacks.existing.has(`shop-pr-${number}`), false);
    });
  }

  it("has no step that is not on the list", async () => {
    const sources = await Promise.all(
      ["reconcile.ts", "actuate.ts", "bring-up.ts"].map((file) =>
        readFile(new URL(`../../service/${file}`, import.meta.url), "utf8"),
      ),
    );
    const used = new Set(
      sources.flatMap((text) => [...text.matchAll(/\bstep\("(\w+)"/g)].map((match) => match[1] ?? "")),
    );
    // `step(kind, …)` is the one call by variable: sleep or wake.
    assert.deepEqual([...used, "sleep", "wake"].sort(), [...STEPS].sort());
  });
});

/** A crash: the step's work does not happen, and nothing behind it does either. */
async function killedAt(bench: Bench, key: string, at: Step): Promise<void> {
  const killed = Promise.withResolvers<void>();
  const run = bench.reconcile(key, {
    onStep: (step) => {
      if (step !== at) return;
      killed.resolve();
      return new Promise<never>(() => {});
    },
  });
  await Promise.race([run, killed.promise]);
  await bench.store.releaseOwnLeases();
}
