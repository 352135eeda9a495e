import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { defaultCosts } from "../../../service/config/costs.ts";
import { type CostsDeps, createCosts } from "../../../service/money/costs.ts";
import type { DayCost } from "../../../service/money/ledger.ts";
import { pricesFor } from "../../../service/money/load-prices.ts";
import { aPreview } from "../../support/previews.ts";

const NOW = "2026-12-02T00:00:00.000Z";
const line = (key: string, day: string, cost: number): DayCost => ({
  ...{ key, day, cost, source: "metered", meter: "cpu", quantity: 1, unit: "vCPU-hours", currency: "USD" },
});
const abouts = ["shop#1", "shop:staging"].map((key) => {
  return { key, repository: "shop", target: "local", ...(key.includes("#") && { number: 1 }) };
});

function costsOf(lines: readonly DayCost[], currency = "USD") {
  const store: CostsDeps["store"] = {
    costs: async ({ from, to, key }) =>
      lines.filter((one) => one.day >= from && one.day <= to && (key === undefined || one.key === key)),
    costsAbout: async () => new Map(abouts.map((one) => [one.key, one])),
  };
  const prices = pricesFor({
    costs: { ...defaultCosts, currency, local: { cpuHour: 1, gibHour: 1, diskGibMonth: 1 } },
  });
  return createCosts({ store, prices, account: "preview.acme.dev", now: () => NOW });
}

describe("what costs come to", () => {
  it("has a forecast of pull requests alone where sums are of these, in a month's first days too", async () => {
    const days = ["2026-11-28", "2026-11-29", "2026-11-30", "2026-12-01"];
    const lines = days.flatMap((day) => [line("shop#1", day, 1), line("shop:staging", day, 10)]);
    const { totals } = await costsOf(lines).sums({ by: "pull-request", from: "2026-12-01", to: "2026-12-31" });
    assert.deepEqual(totals, [{ currency: "USD", cost: 1, basis: "estimated", forecast: 1 + 30 }]);
  });

  it("tells no estimate in a currency that the prices are not in any more", async () => {
    const preview = aPreview({ number: 1, urls: { web: "http://pr-1-shop.localhost" } });
    const lines = [line("shop#1", "2026-12-01", 3)];
    const before = await costsOf(lines).of(preview);
    assert.deepEqual([before?.currency, before?.estimate?.awakePerHour.toFixed(2)], ["USD", "0.75"]);
    const found = await costsOf(lines, "EUR").of(preview);
    assert.deepEqual([found?.currency, found?.total, found?.estimate], ["USD", 3, undefined]);
  });
});
