import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { withClient } from "../../../components/local/database-client.ts";
import type { Charged, Reading } from "../../../service/money/reckon.ts";
import type { CostAbout, CostLine } from "../../../service/money/types.ts";
import { openStore, type PostgresStore } from "../../../service/store/postgres.ts";
import { testDatabase } from "../../support/postgres.ts";
import { silent } from "../../support/reconcile-world.ts";

const T0 = "2026-11-22T10:00:00.000Z";
const T1 = "2026-11-22T10:01:00.000Z";
const reading = (at: string): Reading => ({ at, awake: true, counters: {}, held: [] });
const line = (more: Partial<Charged> = {}): Charged => ({
  ...{
    day: "2026-11-22",
    source: "metered",
    meter: "cpu",
    resource: "web",
    quantity: 1,
    unit: "vCPU-hours",
    cost: 0.01,
  },
  currency: "USD",
  ...more,
});
const about = (key: string, more: Partial<CostAbout> = {}): CostAbout => ({
  ...{ key, repository: key.split(/[#:@]/)[0] ?? "", number: 1, author: "ada", target: "local" },
  ...more,
});
const NOVEMBER = { from: "2026-11-01", to: "2026-11-30" };

describe("the ledger", () => {
  let database: Awaited<ReturnType<typeof testDatabase>>;
  let store: PostgresStore;
  before(async () => {
    database = await testDatabase();
    store = await openStore({ url: database.url, holder: "one", logger: silent, now: () => T0 });
  });
  after(async () => {
    await store?.close();
    await database?.drop();
  });
  beforeEach(() => withClient(database.url, (client) => client.query("truncate cost, cost_about, cost_reading")));
  const add = (key: string, lines: readonly Charged[], last?: string, at = T0) =>
    store.addCosts({ about: about(key), lines, reading: reading(at), before: last ? reading(last) : undefined });
  const costs = async (query = {}) =>
    (await store.costs({ ...NOVEMBER, ...query })).map(({ key, meter, cost }) => [
      key,
      meter,
      Math.round(cost * 1e6) / 1e6,
    ]);

  it("adds to a day's row, one for each meter and resource", async () => {
    await add("shop#1", [line(), line({ resource: "api" }), line({ meter: "disk", unit: "GiB-months", cost: 0.5 })]);
    assert.equal(await add("shop#1", [line({ cost: 0.02 })], T0, T1), true);
    assert.deepEqual((await costs()).sort(), [
      ["shop#1", "cpu", 0.04],
      ["shop#1", "disk", 0.5],
    ]);
    const rows = await withClient(database.url, async (client) => {
      const asked = "select meter, resource, quantity from cost order by meter, resource";
      return (await client.query({ text: asked, rowMode: "array" })).rows;
    });
    assert.deepEqual(rows, [
      ["cpu", "api", 1],
      ["cpu", "web", 2],
      ["disk", "web", 1],
    ]);
  });

  it("adds up no quantities of two units", async () => {
    const gib = line({ meter: "logs", unit: "GiB", quantity: 2 });
    await add("shop#1", [gib, { ...gib, resource: "api" }, { ...gib, resource: "", unit: "GiB-months", quantity: 5 }]);
    const found = (await store.costs(NOVEMBER)).map(({ meter, unit, quantity }) => [meter, unit, quantity]);
    assert.deepEqual(found.sort(), [
      ["logs", "GiB", 4],
      ["logs", "GiB-months", 5],
    ]);
  });

  it("writes nothing where another replica counted since, so that nothing counts twice", async () => {
    await add("shop#1", [line()]);
    assert.equal(await add("shop#1", [line()]), false);
    const both = await Promise.all([add("shop#1", [line()], T0, T1), add("shop#1", [line()], T0, T1)]);
    assert.deepEqual(both.sort(), [false, true]);
    assert.deepEqual(await costs(), [["shop#1", "cpu", 0.02]]);
    assert.equal((await store.readings()).get("shop#1")?.at, T1);
  });

  it("puts a vendor's newer word for a day in place of its older one, and leaves what was metered", async () => {
    await add("shop#1", [line()]);
    const bill = (day: string, cost: number, key = "shop#1"): CostLine => ({
      ...line({ day, cost, source: "aws" }),
      key,
    });
    const replace = (days: readonly string[], lines: readonly CostLine[]) =>
      store.replaceCosts({ source: "aws", days, lines });
    await replace(["2026-11-21", "2026-11-22"], [bill("2026-11-21", 5), bill("2026-11-22", 6)]);
    // Two lines of one kind are one row, and what lies outside of the days is not theirs to say.
    await replace(["2026-11-22"], [bill("2026-11-22", 3), bill("2026-11-22", 4), bill("2026-11-20", 9)]);
    const found = await store.costs(NOVEMBER);
    assert.deepEqual(found.map(({ day, source, cost }) => [day, source, cost]).sort(), [
      ["2026-11-21", "aws", 5],
      ["2026-11-22", "aws", 7],
      ["2026-11-22", "metered", 0.01],
    ]);
  });

  it("knows the repository of a preview that only a bill names", async () => {
    const bill = { ...line({ source: "neon", meter: "database-compute" }), key: "shop#404" } as const;
    await store.replaceCosts({ source: "neon", days: ["2026-11-22"], lines: [bill] });
    const known = (await store.costsAbout(["shop#404"])).get("shop#404");
    assert.deepEqual(known, { key: "shop#404", repository: "shop", number: 404, target: "" });
    assert.equal((await costs({ repositories: ["shop"] })).length, 1);
  });

  it("gives what is asked for only: a preview's, some repositories', some days'", async () => {
    await add("shop#1", [line(), line({ day: "2026-10-31" })]);
    await add("blog#1", [line()]);
    assert.deepEqual(await costs({ key: "blog#1" }), [["blog#1", "cpu", 0.01]]);
    assert.deepEqual(await costs({ repositories: ["shop"] }), [["shop#1", "cpu", 0.01]]);
    assert.deepEqual(await costs({ repositories: [] }), []);
    assert.equal((await costs({ from: "2026-10-01" })).length, 3);
  });

  it("takes any text there is", async () => {
    const odd = about("shop#1", { title: "half \ud800 and \u0000", author: "o'brien" });
    await store.addCosts({
      about: odd,
      lines: [line({ resource: "\u0000" })],
      reading: reading(T0),
      before: undefined,
    });
    assert.equal((await store.costsAbout(["shop#1"])).get("shop#1")?.author, "o'brien");
  });

  it("keeps costs for 13 months, with whom they belong to", async () => {
    await add(
      "old#1",
      [line({ day: "2025-10-15" }), line({ day: "2025-09-30" })],
      undefined,
      "2025-10-15T00:00:00.000Z",
    );
    await add("older#1", [line({ day: "2025-09-30" })], undefined, "2025-09-30T00:00:00.000Z");
    await store.trimCosts(T0);
    assert.deepEqual(await costs({ from: "2000-01-01" }), [["old#1", "cpu", 0.01]]);
    assert.deepEqual([...(await store.costsAbout(["old#1", "older#1"])).keys()], ["old#1"]);
    assert.equal((await store.readings()).size, 0);
  });
});
