import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { openStore, type PostgresStore } from "../../../service/store/postgres.ts";
import type { Sample } from "../../../service/trends/sample.ts";
import { startTrends } from "../../../service/trends/trends.ts";
import { eventually } from "../../support/eventually.ts";
import { testDatabase } from "../../support/postgres.ts";
import { aDraft } from "../../support/previews.ts";
import { silent } from "../../support/reconcile-world.ts";
import { requires } from "../../support/requires.ts";

const T0 = "2026-03-01T12:10:00.000Z";

describe("trends over a real store", requires("postgres"), () => {
  let database: Awaited<ReturnType<typeof testDatabase>>;
  let stores: readonly PostgresStore[];
  let time = T0;
  const now = () => time;
  const later = (minutes: number) => new Date(Date.parse(T0) + minutes * 60_000).toISOString();
  const sample = (at: string, here: number): Sample => ({
    at,
    here,
    awake: here,
    stalled: 0,
    queued: 0,
    meanAgeSeconds: 0,
    readySeconds: [],
    tornDown: 0,
    teardownsFailed: 0,
  });

  before(async () => {
    database = await testDatabase();
    const open = (holder: string) => openStore({ url: database.url, holder, logger: silent, now });
    stores = await Promise.all(["one", "two"].map(open));
  });
  after(async () => {
    for (const store of stores) await store.close();
    await database.drop();
  });

  it("counts an hour once, whichever replica comes to it first, and what the last hours missed", async () => {
    const [store] = stores as [PostgresStore];
    await store.create(aDraft(1, T0));
    const entry = (minute: number, reason: string) =>
      store.record({ key: "shop#1", at: later(minute), reason, message: reason });
    await entry(1, "Provisioning");
    await entry(2, "Healthy");
    await entry(90, "Updating");
    await entry(93, "Healthy");
    const proof = { key: "shop#2", stack: "shop-pr-2", reason: "Closed", removed: [], proof: [], durationMs: 1 };
    await store.addReceipt({ ...proof, at: later(50) });
    time = later(100);
    const all = stores.map((one) => startTrends({ store: one, now, logger: silent, lookEveryMs: 20, freshMs: 0 }));
    const samples = () => store.samples(later(-600));
    await eventually(async () => (await samples()).length === 1);
    // What no sample holds yet counts all the same, and nothing counts twice.
    await entry(101, "DestroyFailed");
    time = later(105);
    for (const one of all) {
      assert.deepEqual(await one.summary(), { days: 7, readyP50: 120, readyP95: 180, teardownRate: 0.5 });
    }
    time = later(160);
    await eventually(async () => (await samples()).length === 2);
    assert.deepEqual(
      (await samples()).map(({ readySeconds, tornDown, teardownsFailed }) => [readySeconds, tornDown, teardownsFailed]),
      [
        [[120, 180], 1, 0],
        [[], 0, 1],
      ],
    );
    for (const one of all) await one.close();
  });

  it("keeps the first of an hour, and a year and a little", async () => {
    const [store] = stores as [PostgresStore];
    const year = (days: number) => new Date(Date.parse(T0) + days * 86_400_000).toISOString();
    await store.addSample(sample(year(1), 5));
    await store.addSample(sample(year(1), 6));
    const [first] = await store.samples(year(1 - 1 / 48));
    assert.equal(first?.here, 5);
    await store.addSample(sample(year(401.5), 7));
    assert.deepEqual(
      (await store.samples(year(-1))).map(({ here }) => here),
      [7],
    );
  });
});
