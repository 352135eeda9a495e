import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { withClient } from "../../../components/local/database-client.ts";
import { createMetrics } from "../../../service/metrics/metrics.ts";
import { openStore } from "../../../service/store/postgres.ts";
import { pullRequest } from "../../support/memory-forge.ts";
import { samplesBy, samplesOf } from "../../support/metrics.ts";
import { testDatabase } from "../../support/postgres.ts";
import { type Bench, reconcileBench, SHA, silent } from "../../support/reconcile-world.ts";

describe("what the store tells the metrics", () => {
  let database: Awaited<ReturnType<typeof testDatabase>>;
  let bench: Bench;
  before(async () => {
    database = await testDatabase();
  });
  after(() => database.drop());
  beforeEach(async () => {
    bench = await reconcileBench(database.url);
  });
  afterEach(() => bench.close());

  const now = () => bench.clock.now;
  const run = (text: string) => withClient(database.url, (client) => client.query(text));

  it("is how many wait, and how long the oldest does that no worker holds up", async () => {
    const { store } = bench;
    assert.deepEqual(await store.backlog(), { depth: 0, working: 0, oldestSeconds: 0 });
    await store.enqueue(["shop#1"]);
    const [job] = await store.queue.fetch(10);
    assert.equal(job?.key, "shop#1");
    await store.enqueue(["shop#1"]);
    await run("update pgboss.job set created_on = now() - interval '1 hour'");
    assert.deepEqual(await store.backlog(), { depth: 1, working: 1, oldestSeconds: 0 }, "it waits for its own update");

    await store.enqueue(["shop#2"]);
    await run("update pgboss.job set created_on = now() - interval '10 minutes' where singleton_key = 'shop#2'");
    const { depth, oldestSeconds } = await store.backlog();
    assert.equal(depth, 2);
    assert.ok(oldestSeconds >= 600 && oldestSeconds < 3_600);
  });

  it("is the same on each replica, and what a replica did is told by that one alone", async () => {
    const replicas = [bench.store, await openStore({ url: database.url, holder: "other", logger: silent, now })];
    try {
      const [ours, others] = replicas.map((store) => createMetrics({ version: "1.2.3", store, logger: silent }));
      bench.forge.pulls.set(1, pullRequest(1, SHA.a));
      await bench.reconcile("shop#1");
      const [mine, theirs] = [samplesOf((await ours?.text()) ?? ""), samplesOf((await others?.text()) ?? "")];
      for (const name of ["stackling_previews", "stackling_previews_by_reason", "stackling_inbox_depth"]) {
        assert.ok(Object.keys(samplesBy(mine, name)).length > 0, name);
        assert.deepEqual(samplesBy(theirs, name), samplesBy(mine, name), name);
      }
      const moves = "stackling_transitions_total";
      assert.deepEqual(samplesBy(theirs, moves), {});
      assert.equal(samplesBy(mine, moves)['condition="Ready",reason="Healthy",repository="shop"'], 1);
    } finally {
      await replicas[1]?.close();
    }
  });

  it("is how many went without a proof, and none that never had a stack", async () => {
    const { store, forge, clock } = bench;
    const close = (number: number) => forge.pulls.set(number, pullRequest(number, SHA.a, { state: "closed" }));
    for (const number of [1, 2]) {
      forge.pulls.set(number, pullRequest(number, SHA.a, number === 2 ? { labels: ["no-preview"] } : {}));
      await bench.reconcile(`shop#${number}`);
      clock.advance(60);
      close(number);
      await bench.reconcile(`shop#${number}`);
    }
    assert.ok((await bench.preview("shop#1")).status.goneAt);
    assert.equal(await store.unproved(), 0);
    await run("delete from receipt where key = 'shop#1'");
    assert.equal(await store.unproved(), 1);
    clock.advance(8 * 86_400);
    assert.equal(await store.unproved(), 0, "what is long gone is for the history");
  });
});
