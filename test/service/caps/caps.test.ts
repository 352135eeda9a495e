import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { StacklingError } from "../../../components/errors.ts";
import { type Caps, createCaps } from "../../../service/caps/caps.ts";
import type { OperatorConfig } from "../../../service/config/types.ts";
import { openStore, type PostgresStore } from "../../../service/store/postgres.ts";
import { pullRequest } from "../../support/memory-forge.ts";
import { testDatabase } from "../../support/postgres.ts";
import { type Bench, config, reconcileBench, SHA, silent } from "../../support/reconcile-world.ts";

let database: Awaited<ReturnType<typeof testDatabase>>;
before(async () => {
  database = await testDatabase();
});
after(() => database.drop());

describe("caps", () => {
  let bench: Bench;
  beforeEach(async () => {
    bench = await reconcileBench(database.url);
    for (let number = 1; number <= 5; number++) bench.forge.pulls.set(number, pullRequest(number, SHA.a));
  });
  afterEach(() => bench.close());

  const capsOf = (limits: Partial<OperatorConfig["limits"]>, seats: PostgresStore = bench.store): Caps => {
    const caps = createCaps({
      seats,
      config: { ...config, limits: { ...config.limits, ...limits } },
      now: () => bench.clock.now,
    });
    assert.ok(caps);
    return caps;
  };
  const reconcile = (number: number, caps: Caps) => bench.reconcile(`shop#${number}`, { caps });
  const status = async (number: number) => (await bench.preview(`shop#${number}`)).status;
  /** Keys that are to be looked at now, taken from the queue. */
  const enqueued = async () => {
    const jobs = await bench.store.queue.fetch(10);
    for (const job of jobs) await bench.store.queue.done(job);
    return jobs.map(({ key }) => key).sort();
  };

  it("lets what does not fit wait with its place, and fails nothing", async () => {
    const caps = capsOf({ previewsPerRepository: 1 });
    for (const number of [1, 2, 3]) await reconcile(number, caps);
    assert.deepEqual(bench.stacks.runs, ["up shop-pr-1 aaaaaaa"]);
    const second = await bench.preview("shop#3");
    assert.deepEqual([second.status.condition, second.status.reason], ["Reconciling", "Queued"]);
    assert.match(second.status.message, /^Second in the queue of shop, /);
    assert.ok(second.dueAt, "and is looked at again without anybody asking");
    assert.equal(bench.announced.at(-1), "shop#3 Reconciling Queued");
  });

  it("enqueues the one that waited longest as soon as another falls asleep, and that one waits when it is visited", async () => {
    const caps = capsOf({ previews: 1 });
    for (const number of [1, 3, 2]) {
      await reconcile(number, caps);
      bench.clock.advance(1);
    }
    await enqueued();
    bench.clock.advance(3600);
    await bench.store.visited({ "shop#3": bench.clock.now });
    await reconcile(1, caps);
    assert.equal((await status(1)).reason, "Asleep");
    assert.deepEqual(await enqueued(), ["shop#3"]);
    await reconcile(3, caps);
    assert.equal((await status(3)).reason, "Healthy");

    bench.clock.advance(1);
    await bench.store.visited({ "shop#1": bench.clock.now });
    await reconcile(1, caps);
    assert.match((await status(1)).message, /^Second in the queue; /);
    assert.equal(bench.awake.get("shop-pr-1"), false);
  });

  it("goes on with the next when a preview is gone, and when one that waited is closed", async () => {
    const caps = capsOf({ previews: 1 });
    for (const number of [1, 2, 3]) {
      await reconcile(number, caps);
      bench.clock.advance(1);
    }
    await enqueued();
    bench.forge.pulls.set(2, pullRequest(2, SHA.a, { state: "closed" }));
    await reconcile(2, caps);
    assert.deepEqual(await enqueued(), [], "it held no room");
    bench.forge.pulls.set(1, pullRequest(1, SHA.a, { state: "closed" }));
    await reconcile(1, caps);
    assert.deepEqual(await enqueued(), ["shop#3"]);
    await reconcile(3, caps);
    assert.deepEqual((await status(3)).reason, "Healthy");
  });

  it("gives the room of a build that failed to the next", async () => {
    const caps = capsOf({ previews: 1 });
    bench.stacks.during = async (run) => {
      if (run.includes("pr-1")) throw new StacklingError({ reason: "BuildFailed", userMessage: "building" });
      assert.equal(run, "up shop-pr-2 aaaaaaa");
      // While it is built nobody else gets its seat, whoever asks.
      await reconcile(3, caps);
    };
    await reconcile(1, caps);
    await reconcile(2, caps);
    assert.equal((await status(2)).reason, "Healthy");
    assert.equal((await status(3)).reason, "Queued");
    assert.deepEqual(bench.stacks.runs, ["up shop-pr-1 aaaaaaa", "up shop-pr-2 aaaaaaa"]);
  });

  it("updates what is live already without a wait, also over a cap that was lowered", async () => {
    for (const number of [1, 2]) await bench.reconcile(`shop#${number}`);
    const caps = capsOf({ previews: 1 });
    bench.forge.pulls.set(1, pullRequest(1, SHA.b));
    await reconcile(1, caps);
    assert.equal((await status(1)).live?.source.commit, SHA.b);
    assert.deepEqual([(await status(2)).reason, bench.awake.size], ["Healthy", 0]);
    await reconcile(3, caps);
    assert.equal((await status(3)).reason, "Queued");
  });

  it("gives the last seat to one of many replicas that ask at once", async () => {
    for (const number of [1, 2, 3, 4, 5]) await bench.reconcile(`shop#${number}`, { caps: capsOf({ previews: 1 }) });
    bench.forge.pulls.set(1, pullRequest(1, SHA.a, { state: "closed" }));
    await bench.reconcile("shop#1");
    const other = await openStore({ url: database.url, holder: "other", logger: silent, now: () => bench.clock.now });
    try {
      const stores = [bench.store, other, bench.store, other];
      const asked = await Promise.all(
        stores.map((store, index) => capsOf({ previews: 1 }, store).takeSeat(`shop#${index + 2}`)),
      );
      assert.equal(asked.filter((queued) => queued === undefined).length, 1);
      assert.equal(asked[0], undefined, "and it is the one that waited longest");
      assert.deepEqual(new Set(asked.slice(1).map((queued) => queued?.message.split(" ")[0])).size, 3);
    } finally {
      await other.close();
    }
  });

  it("keeps a place and a seat over a kill", async () => {
    const caps = capsOf({ previews: 1 });
    await assert.rejects(
      bench.reconcile("shop#1", {
        caps,
        onStep: (step) => {
          if (step === "lease") throw new Error("killed");
        },
      }),
      /killed/,
    );
    await reconcile(2, caps);
    assert.equal((await status(2)).reason, "Queued");
    await reconcile(1, caps);
    assert.equal((await status(1)).reason, "Healthy");
  });

  describe("that make room", () => {
    const limits = { previews: 2, makeRoom: true, makeRoomAfterSeconds: 600 };

    it("put the idlest to sleep, and it sleeps until it is visited again", async () => {
      const caps = capsOf(limits);
      for (const number of [1, 2]) await reconcile(number, caps);
      await bench.store.visited({ "shop#1": bench.clock.now });
      bench.clock.advance(900);
      await bench.store.visited({ "shop#1": bench.clock.now });
      await reconcile(3, caps);
      assert.deepEqual(await enqueued(), ["shop#2"]);
      await reconcile(2, caps);
      assert.deepEqual([(await status(2)).reason, bench.awake.get("shop-pr-2")], ["Asleep", false]);
      assert.deepEqual(await enqueued(), ["shop#3"]);
      await reconcile(3, caps);
      assert.equal((await status(3)).reason, "Healthy");
      await reconcile(2, caps);
      assert.equal((await status(2)).reason, "Asleep", "looked at again, it goes on sleeping");
    });

    it("leave one alone that waited long and was just built", async () => {
      const caps = capsOf({ ...limits, previews: 1 });
      for (const number of [1, 2, 3]) await reconcile(number, caps);
      bench.clock.advance(900);
      await reconcile(2, caps);
      await reconcile(1, caps);
      await reconcile(2, caps);
      assert.equal((await status(2)).reason, "Healthy");
      await enqueued();
      await reconcile(3, caps);
      assert.deepEqual(await enqueued(), []);
      bench.clock.advance(600);
      await reconcile(3, caps);
      assert.deepEqual(await enqueued(), ["shop#2"]);
    });

    it("never touch one that was visited lately, is kept, or is being updated", async () => {
      const caps = capsOf(limits);
      for (const number of [1, 2]) await reconcile(number, caps);
      bench.clock.advance(900);
      await bench.store.visited({ "shop#1": bench.clock.now });
      await bench.store.update("shop#2", ({ intents }) => ({ intents: { ...intents, keep: true } }));
      await reconcile(3, caps);
      assert.deepEqual(await enqueued(), []);
      await bench.store.update("shop#2", ({ intents }) => ({ intents: { ...intents, keep: false } }));
      const labelled = (labels: readonly string[]) =>
        bench.store.update("shop#2", ({ pullRequest: read }) => (read ? { pullRequest: { ...read, labels } } : {}));
      await labelled(["keep-preview"]);
      await reconcile(3, caps);
      assert.deepEqual(await enqueued(), []);
      await labelled([]);
      await bench.store.setStatus("shop#2", { interrupted: true });
      await reconcile(3, caps);
      assert.deepEqual(await enqueued(), []);
      await bench.store.setStatus("shop#2", { interrupted: false });
      await reconcile(3, caps);
      assert.deepEqual(await enqueued(), ["shop#2"]);
    });
  });

  it("are none where the config sets none", () => {
    assert.equal(createCaps({ seats: bench.store, config, now: () => bench.clock.now }), undefined);
  });
});
