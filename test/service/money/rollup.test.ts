import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { DayCost } from "../../../service/money/ledger.ts";
import { forecastOf, rollup } from "../../../service/money/rollup.ts";
import type { CostAbout } from "../../../service/money/types.ts";

const cost = (more: Partial<DayCost>): DayCost => ({
  ...{ key: "shop#1", day: "2026-11-22", source: "metered", meter: "cpu", quantity: 1, unit: "vCPU-hours", cost: 1 },
  currency: "USD",
  ...more,
});
const about = (key: string, more: Partial<CostAbout> = {}): [string, CostAbout] => [
  key,
  { key, repository: key.split(/[#:@]/)[0] ?? "", target: "local", ...more },
];
const ABOUTS = new Map([
  about("shop#1", { number: 1, author: "ada", team: "storefront" }),
  about("shop#2", { number: 2, author: "grace" }),
  about("blog#7", { number: 7, author: "ada" }),
  about("shop:staging", { team: "storefront" }),
]);
const COSTS = [
  cost({}),
  cost({ meter: "disk", unit: "GiB-months", cost: 0.5 }),
  cost({ key: "shop#2", cost: 4, day: "2026-10-31" }),
  cost({ key: "blog#7", cost: 2 }),
  cost({ key: "shop:staging", cost: 8 }),
];
const sums = (by: Parameters<typeof rollup>[2], costs: readonly DayCost[] = COSTS) =>
  rollup(costs, ABOUTS, by).map(({ name, cost: sum }) => [name, sum]);

describe("a rollup", () => {
  it("sums up by whatever is asked for, the greatest first", () => {
    assert.deepEqual(sums("preview"), [
      ["shop:staging", 8],
      ["shop#2", 4],
      ["blog#7", 2],
      ["shop#1", 1.5],
    ]);
    assert.deepEqual(sums("pull-request"), [
      ["shop#2", 4],
      ["blog#7", 2],
      ["shop#1", 1.5],
    ]);
    assert.deepEqual(sums("repository"), [
      ["shop", 13.5],
      ["blog", 2],
    ]);
    assert.deepEqual(sums("author"), [
      [undefined, 8],
      ["grace", 4],
      ["ada", 3.5],
    ]);
    assert.deepEqual(sums("team"), [
      ["storefront", 9.5],
      [undefined, 6],
    ]);
    assert.deepEqual(sums("month"), [
      ["2026-11", 11.5],
      ["2026-10", 4],
    ]);
  });

  it("takes a vendor's word before what we metered of the same group and day, and of nothing else", () => {
    const bill = cost({ source: "aws", cost: 3 });
    const elsewhere = [
      cost({ meter: "database-compute", cost: 10 }),
      cost({ day: "2026-11-21", cost: 20 }),
      cost({ key: "shop#2", cost: 40 }),
    ];
    const found = rollup([cost({}), cost({ meter: "disk", cost: 0.5 }), bill, ...elsewhere], ABOUTS, "preview");
    assert.deepEqual(
      found.map(({ name, cost: sum, basis }) => [name, sum, basis]),
      [
        ["shop#2", 40, "estimated"],
        ["shop#1", 33, "both"],
      ],
    );
    assert.equal(rollup([cost({}), bill], ABOUTS, "preview")[0]?.basis, "actual");
  });

  it("takes a bill that names secrets alone for no word of what runs elsewhere", () => {
    const secrets = cost({ meter: "secrets", unit: "units", cost: 0.5 });
    const costs = [cost({ cost: 4 }), cost({ meter: "memory", cost: 2 }), secrets];
    assert.deepEqual(sums("preview", [...costs, cost({ ...secrets, source: "aws", cost: 0.25 })]), [["shop#1", 6.25]]);
    const all = [cost({ ...secrets, source: "aws", cost: 0.25 }), cost({ source: "aws", cost: 3 })];
    assert.deepEqual(sums("preview", [...costs, ...all]), [["shop#1", 3.25]]);
  });

  it("keeps a preview's share of a load balancer, whose bill knows no preview", () => {
    const share = cost({ meter: "load-balancer", unit: "hours", cost: 0.5 });
    const billed = [cost({ cost: 4 }), share, cost({ source: "aws", cost: 3 })];
    const [found] = rollup(billed, ABOUTS, "preview");
    assert.deepEqual([found?.cost, found?.basis], [3.5, "both"]);
    const own = [...billed, cost({ ...share, source: "aws", cost: 0.25 })];
    assert.deepEqual(sums("preview", own), [["shop#1", 3.25]], "one that bears the preview's tag is in its bill");
    assert.deepEqual(sums("preview", [share, cost({ source: "opencost", cost: 3 })]), [["shop#1", 3]]);
  });

  it("keeps currencies apart", () => {
    const found = rollup(
      [cost({}), cost({ source: "neon", meter: "database-compute", currency: "EUR" })],
      ABOUTS,
      "team",
    );
    assert.deepEqual(
      found.map(({ name, currency, cost: sum }) => [name, currency, sum]),
      [
        ["storefront", "EUR", 1],
        ["storefront", "USD", 1],
      ],
    );
  });

  it("has one order, in whichever the ledger answers", () => {
    const parts = (key: string, costs: readonly number[]) => costs.map((part) => cost({ key, cost: part }));
    // 0.1 + 0.2 + 0.3 is more than 0.3 + 0.2 + 0.1.
    const [rising, falling] = [
      [0.1, 0.2, 0.3],
      [0.3, 0.2, 0.1],
    ] as const;
    const names = (costs: readonly DayCost[]) => sums("preview", costs).map(([name]) => name);
    assert.deepEqual(names([...parts("a", falling), ...parts("b", rising)]), ["a", "b"]);
    assert.deepEqual(names([...parts("a", rising), ...parts("b", falling)]), ["a", "b"]);
  });

  it("names meters with their quantities, and how many previews and days there were", () => {
    const [sum] = rollup([cost({}), cost({ day: "2026-11-20", quantity: 3 })], ABOUTS, "repository");
    assert.deepEqual(sum?.meters, [{ meter: "cpu", quantity: 4, unit: "vCPU-hours", cost: 2 }]);
    assert.deepEqual([sum?.from, sum?.to, sum?.previews], ["2026-11-20", "2026-11-22", 1]);
  });
});

describe("a month's forecast", () => {
  const NOW = "2026-11-22T00:00:00.000Z";
  const days = (from: number, to: number) =>
    Array.from({ length: to - from + 1 }, (_, i) =>
      cost({ day: `2026-11-${String(from + i).padStart(2, "0")}`, cost: 2 }),
    );

  it("goes on at the pace of the last week", () => {
    const [found] = forecastOf([cost({ day: "2026-11-01", cost: 100 }), ...days(15, 21)], NOW);
    assert.deepEqual(found, { currency: "USD", soFar: 114, forecast: 114 + 9 * 2 });
  });

  it("takes the pace of the days there were, and of a first day no more than it was", () => {
    assert.equal(forecastOf(days(20, 21), NOW)[0]?.forecast, 4 + 9 * 2);
    assert.equal(
      forecastOf([cost({ day: "2026-11-22", cost: 1 })], "2026-11-22T01:00:00.000Z")[0]?.forecast,
      1 + (8 + 23 / 24),
    );
  });

  it("is the same pace late in the day as early", () => {
    const [found] = forecastOf(days(15, 22), "2026-11-22T23:59:59.999Z");
    assert.equal(Math.round(found?.forecast ?? 0), 16 + 8 * 2);
  });

  it("takes the week's pace into a new month", () => {
    const [found] = forecastOf(days(24, 30), "2026-12-01T00:00:00.000Z");
    assert.deepEqual(found, { currency: "USD", soFar: 0, forecast: 31 * 2 });
  });

  it("is none of nothing", () => assert.deepEqual(forecastOf([], NOW), []));
});
