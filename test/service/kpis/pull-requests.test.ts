import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import type { PullRequest } from "../../../service/forges/forge.ts";
import { createKpis } from "../../../service/kpis/kpis.ts";
import { createPullRequestLog, type MergeSeen } from "../../../service/kpis/pull-requests.ts";
import { kpiStore } from "../../../service/kpis/store.ts";
import { openDatabase } from "../../../service/store/database.ts";
import { openStore, type PostgresStore } from "../../../service/store/postgres.ts";
import { pullRequest } from "../../support/memory-forge.ts";
import { testDatabase } from "../../support/postgres.ts";
import { aDraft } from "../../support/previews.ts";
import { SHA, silent } from "../../support/reconcile-world.ts";
import { requires } from "../../support/requires.ts";

const DAY = 86_400_000;
/** Old rows are dropped by the server's clock. */
const T0 = new Date().toISOString();
const ago = (days: number) => new Date(Date.parse(T0) - days * DAY).toISOString();
const open = (number: number, more: Partial<PullRequest> = {}) =>
  pullRequest(number, SHA.a, { createdAt: ago(3), ...more });
const merged = (number: number, more: Partial<PullRequest> = {}) =>
  open(number, { state: "closed", merged: true, mergedAt: ago(1), ...more });

describe("pull requests, written down over a real store", requires("postgres"), () => {
  let database: Awaited<ReturnType<typeof testDatabase>>;
  const stores: PostgresStore[] = [];
  let merges: MergeSeen[];
  let time = T0;
  const now = () => time;
  const store = () => stores[0] as PostgresStore;
  const logs = () =>
    stores.map((one) =>
      createPullRequestLog({ store: one, now, logger: silent, onMerged: (merge) => merges.push(merge) }),
    );
  const log = () => logs()[0] as ReturnType<typeof createPullRequestLog>;
  const known = async (repository: string) =>
    (await store().mergedSince(ago(1000))).filter(({ key }) => key.startsWith(`${repository}#`));
  const entry = (key: string, at: string, reason: string) => store().record({ key, at, reason, message: reason });

  before(async () => {
    database = await testDatabase();
    for (const holder of ["one", "two"])
      stores.push(await openStore({ url: database.url, holder, logger: silent, now }));
  });
  beforeEach(() => {
    [merges, time] = [[], T0];
  });
  after(async () => {
    for (const one of stores) await one.close();
    await database.drop();
  });

  it("tell a merge once over all replicas, with whether a version served before", async () => {
    await entry("cart#1", ago(2), "Healthy");
    await entry("cart#2", ago(2), "BuildFailed");
    for (const one of logs()) for (const number of [1, 2]) await one.read("cart", merged(number));
    assert.deepEqual(merges, [
      { repository: "cart", previewed: true, leadSeconds: 2 * 86_400 },
      { repository: "cart", previewed: false, leadSeconds: 2 * 86_400 },
    ]);
    assert.deepEqual(
      (await known("cart")).map(({ key, previewed }) => [key, previewed]),
      [
        ["cart#1", true],
        ["cart#2", false],
      ],
    );
  });

  it("are to be read for themselves once the list shows them no more, until something is known", async () => {
    assert.deepEqual(await log().listed("desk", [open(1), open(2), open(3)]), []);
    await log().listed("till", [open(9)]);
    assert.deepEqual(await log().listed("desk", [open(3)]), ["desk#1", "desk#2"]);
    await log().read("desk", open(1));
    await log().read("desk", merged(2));
    assert.deepEqual(await log().listed("desk", [open(3)]), ["desk#1"]);
    await log().read("desk", open(1, { state: "closed" }));
    assert.deepEqual(await log().listed("desk", [open(3)]), []);
    assert.deepEqual(
      (await known("desk")).map(({ key }) => key),
      ["desk#2"],
    );
  });

  it("are written down also where a list that grew while it was read shows one twice", async () => {
    await log().listed("loom", [open(1), open(2), open(1)]);
    assert.deepEqual(await log().listed("loom", []), ["loom#1", "loom#2"]);
  });

  it("are forgotten when no list showed them for a month, or 400 days behind their merge", async () => {
    time = ago(31);
    await log().listed("mill", [open(1), open(2)]);
    time = ago(20);
    await log().listed("mill", [open(2)]);
    time = T0;
    await log().read("mill", merged(3, { createdAt: ago(410), mergedAt: ago(401) }));
    await log().read("mill", merged(4, { createdAt: ago(410), mergedAt: ago(399) }));
    assert.deepEqual(
      (await known("mill")).map(({ key }) => key),
      ["mill#4"],
    );
    const third = await openStore({ url: database.url, holder: "three", logger: silent, now });
    await third.close();
    assert.deepEqual(await log().listed("mill", []), ["mill#2"]);
  });

  it("are told of by nobody while the store is away, and no read fails for it", async () => {
    const [away] = await Promise.all([openStore({ url: database.url, holder: "away", logger: silent, now })]);
    await away.close();
    const broken = createPullRequestLog({ store: away, now, logger: silent, onMerged: (merge) => merges.push(merge) });
    await broken.read("away", merged(1));
    assert.deepEqual(await broken.listed("away", [open(2)]), []);
    assert.deepEqual(merges, []);
  });

  it("count with all else that the store knows of a period", async () => {
    await store().create(aDraft(1, ago(2)));
    await entry("shop#1", ago(2), "Provisioning");
    await entry("shop#1", new Date(Date.parse(ago(2)) + 30_000).toISOString(), "Healthy");
    await entry("shop#1", ago(1), "Asleep");
    await entry("shop#2", ago(40), "BuildFailed");
    await log().listed("shop", [open(1), open(2)]);
    await log().read("shop", merged(2, { createdAt: ago(3) }));
    await log().read("shop", merged(5, { bot: true }));
    const proof = { stack: "shop-pr-9", reason: "Closed", removed: [], proof: [], durationMs: 1 };
    await store().addReceipt({ ...proof, key: "shop#9", at: ago(1) });
    await store().addReceipt({ ...proof, key: "shop#8", at: ago(20) });
    const swept = { dryRun: false, removed: [], failed: [], unread: [] };
    const stray = { stack: "x", hasStack: true, things: [], why: "", needsConfirmation: false };
    await store().addSweep({ ...swept, at: ago(1), found: [stray] });
    const costs = { sums: async () => ({ sums: [], totals: [] }) };
    const kpis = createKpis({ store: store(), costs, now });
    const week = await kpis({ days: 7, repositories: ["shop"] });
    assert.deepEqual([week.here.previews, week.readySeconds?.median, week.teardowns.proved], [1, 30, 1]);
    assert.ok(Math.abs((week.asleepShare ?? 0) - 0.5) < 0.01, `asleep for ${week.asleepShare}`);
    assert.deepEqual((await kpis({ days: 7 })).strays, { sweeps: 1, since: ago(1), found: 1, removed: 0 });
    assert.deepEqual(
      [week.leadSeconds.without?.median, week.leadSeconds.with, week.leadSeconds.bots],
      [2 * 86_400, undefined, 1],
    );
    assert.ok(week.leadSeconds.since !== undefined);
    const quarter = await kpis({ days: 90, repositories: ["shop"] });
    assert.deepEqual(
      [quarter.failures.map(({ reason }) => reason), quarter.teardowns.proved, quarter.strays],
      [["BuildFailed"], 2, undefined],
    );
    // Asked again within a minute, it is not counted again.
    await entry("shop#1", T0, "Waking");
    assert.equal(await kpis({ days: 7, repositories: ["shop"] }), week);
    time = new Date(Date.parse(T0) + 61_000).toISOString();
    assert.notEqual(await kpis({ days: 7, repositories: ["shop"] }), week);
  });

  it("are the newest where there are more of them than are read at once, as receipts are", async () => {
    for (const days of [7, 6, 5]) {
      await log().read("vast", merged(days, { createdAt: ago(9), mergedAt: ago(days / 10) }));
      const proof = { stack: "vast", reason: "Closed", removed: [], proof: [], durationMs: 1 };
      await store().addReceipt({ ...proof, key: `vast#${days}`, at: ago(days / 10) });
    }
    const { db } = openDatabase({ url: database.url, connections: 1, logger: silent });
    try {
      const few = kpiStore({ db, rowsMax: 2 });
      const keys = (rows: readonly { readonly key: string }[]) => rows.map(({ key }) => key);
      assert.deepEqual(keys(await few.mergedSince(ago(0.9))), ["vast#6", "vast#5"]);
      assert.deepEqual(keys(await few.receiptsSince(ago(0.9))).sort(), ["vast#5", "vast#6"]);
    } finally {
      await db.destroy();
    }
  });

  it("are told apart by what was made of them before a period in which they were stopped", async () => {
    await store().create(aDraft(11, ago(30)));
    await store().create(aDraft(12, ago(30)));
    await entry("shop#11", ago(29), "Healthy");
    await entry("shop#11", ago(21), "StartFailed");
    for (const key of ["shop#11", "shop#12"]) await entry(key, ago(20), "OverBudget");
    const { moves, telling } = await store().movesSince(ago(7));
    const said = (of: string) =>
      [moves, telling].map((all) => all.filter(({ key }) => key === of).map(({ reason }) => reason));
    assert.deepEqual(said("shop#11"), [["OverBudget"], ["Healthy"]]);
    assert.deepEqual(said("shop#12"), [["OverBudget"], []]);
  });
});
