import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Level } from "../../../service/metrics/catalog.ts";
import { costLevels } from "../../../service/metrics/costs.ts";
import { createCosts } from "../../../service/money/costs.ts";
import type { DayCost } from "../../../service/money/ledger.ts";
import { pricesFor } from "../../../service/money/load-prices.ts";
import type { CostAbout } from "../../../service/money/types.ts";
import { config } from "../../support/reconcile-world.ts";

const line = (key: string, day: string, cost: number, more: Partial<DayCost> = {}): DayCost => ({
  key,
  day,
  cost,
  meter: "cpu",
  source: "metered",
  quantity: 1,
  unit: "vCPU-hours",
  currency: "EUR",
  ...more,
});
const LINES = [
  line("shop#1", "2026-10-31", 100),
  line("shop#1", "2026-11-01", 1),
  line("shop#1", "2026-11-22", 0.5),
  line("shop#2", "2026-11-22", 0.25, { meter: "memory", unit: "GiB-hours" }),
  line("till#1", "2026-11-21", 8),
  line("till#1", "2026-11-21", 4, { source: "aws" }),
];
const about = (key: string, repository: string, team?: string): CostAbout => ({
  key,
  repository,
  target: "local",
  ...(team ? { team } : {}),
});
const ABOUTS = [about("shop#1", "shop", "checkout"), about("shop#2", "shop", "checkout"), about("till#1", "till")];

describe("the metrics of money", () => {
  let [asked, isAway] = [0, false];
  const costs = createCosts({
    store: {
      async costs({ from, to }) {
        asked += 1;
        if (isAway) throw new Error("the database is away");
        return LINES.filter(({ day }) => day >= from && day <= to);
      },
      costsAbout: async () => new Map(ABOUTS.map((one) => [one.key, one])),
    },
    prices: pricesFor(config),
    account: "preview.acme.dev",
    now: () => "2026-11-22T10:00:00.000Z",
  });
  const values = (levels: readonly Level[], metric: Level["name"]) =>
    Object.fromEntries(
      levels.filter(({ name }) => name === metric).map(({ labels, value }) => [Object.values(labels).join(" "), value]),
    );

  it("are the ledger's sums of this month, with a bill in place of what was metered", async () => {
    const levels = await costLevels(costs)();
    assert.deepEqual(values(levels, "stackling_cost_month"), { "shop EUR": 1.75, "till EUR": 4 });
    assert.deepEqual(values(levels, "stackling_cost_today"), { "shop EUR": 0.75 });
    assert.deepEqual(values(levels, "stackling_cost_month_by_team"), { "checkout EUR": 1.75, " EUR": 4 });
    assert.deepEqual(values(levels, "stackling_cost_month_by_meter"), { "cpu EUR": 5.5, "memory EUR": 0.25 });
    const { EUR: forecast = 0 } = values(levels, "stackling_cost_month_forecast");
    assert.ok(forecast > 5.75);
  });

  it("are read once in some minutes, and at once again where that failed", async (context) => {
    let clock = 1_000_000;
    context.mock.method(performance, "now", () => clock);
    const levels = costLevels(costs);
    isAway = true;
    await assert.rejects(levels());
    isAway = false;
    await levels();
    const before = asked;
    clock += 200_000;
    await Promise.all([levels(), levels()]);
    assert.equal(asked, before);
    clock += 200_000;
    await levels();
    assert.ok(asked > before);
  });
});
