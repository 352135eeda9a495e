import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { timeThere } from "../../../service/kpis/asleep.ts";
import { failuresOf, isFailure } from "../../../service/kpis/failures.ts";
import { type Facts, measure } from "../../../service/kpis/measure.ts";
import { spreadOf } from "../../../service/kpis/spread.ts";
import { REASONS } from "../../../service/reasons.ts";
import type { SweepReport } from "../../../service/sweep/report.ts";
import type { Move } from "../../../service/trends/sample.ts";
import { aPreview, type PreviewWish } from "../../support/previews.ts";

const NOW = "2026-11-22T12:00:00.000Z";
const HOUR = 3600;
const ago = (hours: number) => new Date(Date.parse(NOW) - hours * 3_600_000).toISOString();
const move = (key: string, hours: number, reason: string): Move => ({ key, at: ago(hours), reason });
const WEEK = { days: 7, since: ago(168), now: NOW };
const NOTHING: Facts = {
  previews: [],
  born: [],
  moves: [],
  telling: [],
  tornDown: [],
  merged: [],
  mergedSince: undefined,
  costs: [],
  sweeps: [],
};
const merged = (number: number, leadHours: number, more: Partial<Facts["merged"][number]> = {}) => ({
  key: `shop#${number}`,
  openedAt: ago(leadHours + 10),
  mergedAt: ago(10),
  previewed: true,
  bot: false,
  ...more,
});

describe("what many values come to", () => {
  for (const [values, expected] of [
    [[5], { cases: 1, mean: 5, median: 5, p25: 5, p75: 5, p95: 5 }],
    [[4, 1, 3, 2], { cases: 4, mean: 2.5, median: 2, p25: 1, p75: 3, p95: 4 }],
    [Array.from({ length: 100 }, (_, at) => at + 1), { cases: 100, mean: 50.5, median: 50, p25: 25, p75: 75, p95: 95 }],
  ] as const) {
    it(`is said of ${values.length} with their number`, () => assert.deepEqual(spreadOf(values), expected));
  }
  it("is nothing of nothing", () => assert.equal(spreadOf([]), undefined));
});

describe("the share of their time that previews slept", () => {
  const cases: readonly {
    readonly says: string;
    readonly moves: readonly Move[];
    readonly hours: readonly [number, number];
  }[] = [
    {
      says: "counts from what was last before the period",
      moves: [move("shop#1", 300, "Asleep"), move("shop#1", 68, "Healthy")],
      hours: [168, 100],
    },
    {
      says: "ends when one is gone",
      moves: [move("shop#1", 20, "Healthy"), move("shop#1", 10, "Asleep"), move("shop#1", 4, "Gone")],
      hours: [16, 6],
    },
    {
      says: "begins anew when one comes back",
      moves: [move("shop#1", 20, "Gone"), move("shop#1", 6, "Provisioning")],
      hours: [6, 0],
    },
    {
      says: "knows that all sleep while everything is stopped",
      moves: [move("shop#1", 9, "Healthy"), move("shop#1", 8, "Paused")],
      hours: [9, 8],
    },
    {
      says: "knows that one sleeps which its budget stopped, also since long ago",
      moves: [move("shop#1", 300, "Healthy"), move("shop#1", 200, "OverBudget")],
      hours: [168, 168],
    },
    {
      says: "leaves out what a budget or a stop of everything never let come into being",
      moves: [move("shop#1", 8, "OverBudget"), move("shop#1", 5, "Paused"), move("shop#2", 200, "OverBudget")],
      hours: [0, 0],
    },
    {
      says: "leaves out what a budget does not let come back",
      moves: [move("shop#1", 9, "Healthy"), move("shop#1", 8, "Gone"), move("shop#1", 7, "OverBudget")],
      hours: [1, 0],
    },
    { says: "leaves out what was never built", moves: [move("shop#1", 8, "ApprovalNeeded")], hours: [0, 0] },
    { says: "sums over previews", moves: [move("shop#1", 8, "Asleep"), move("shop#2", 4, "Healthy")], hours: [12, 8] },
  ];
  for (const { says, moves, hours } of cases) {
    it(says, () => {
      const [thereSeconds, asleepSeconds] = hours.map((one) => one * HOUR);
      assert.deepEqual(timeThere(moves, WEEK.since, NOW), { thereSeconds, asleepSeconds });
    });
  }

  it("counts what was made before the last move before the period, and a version's time from that move only", () => {
    const moves = [move("shop#1", 200, "OverBudget"), move("shop#2", 169, "BuildFailed")];
    const telling = [move("shop#1", 300, "Healthy"), move("shop#2", 400, "Updating")];
    const served = [move("shop#2", 168, "Updating"), move("shop#2", 167, "Healthy"), move("shop#2", 166, "Gone")];
    const { asleepShare, readySeconds } = measure({ ...NOTHING, moves: [...moves, ...served], telling }, WEEK);
    assert.equal(asleepShare, 168 / (168 + 2));
    assert.equal(readySeconds?.median, 2 * HOUR);
  });
});

describe("reasons for which previews fail", () => {
  it("come with how often, in how many, and how many stand so now, the most frequent first", () => {
    const moves = [
      move("shop#1", 9, "BuildFailed"),
      move("shop#1", 8, "Updating"),
      move("shop#1", 7, "BuildFailed"),
      move("shop#2", 6, "BuildFailed"),
      move("shop#2", 5, "StartFailed"),
      move("shop#2", 4, "Asleep"),
    ];
    const stalled = aPreview({ number: 1, status: { condition: "Stalled", reason: "BuildFailed" } });
    assert.deepEqual(failuresOf(moves, [stalled]), [
      { reason: "BuildFailed", times: 3, previews: 2, now: 1 },
      { reason: "StartFailed", times: 1, previews: 1, now: 0 },
    ]);
  });

  it("are all but steps, wishes and waits, also those that a later version has", () => {
    const others = REASONS.filter((reason) => !isFailure(reason));
    assert.ok(REASONS.filter((reason) => reason.endsWith("Failed")).every(isFailure));
    assert.ok(isFailure("SomethingNewFailed"));
    assert.ok(
      ["Healthy", "Asleep", "Queued", "ApprovalNeeded", "StackLocked"].every((one) => others.includes(one as never)),
    );
  });
});

describe("the numbers of a period", () => {
  it("say of nothing that there was nothing, and no number", () => {
    const { here, leadSeconds, teardowns, strays, ...rest } = measure(NOTHING, WEEK);
    assert.deepEqual(here, { previews: 0, active: 0, asleep: 0, stalled: 0, queued: 0 });
    assert.deepEqual(leadSeconds, { bots: 0 });
    assert.deepEqual(teardowns, { proved: 0, failedTries: 0, failingNow: 0 });
    assert.deepEqual(strays, { sweeps: 0, found: 0, removed: 0 });
    assert.deepEqual({ ...rest, course: rest.course.length }, { ...WEEK, failures: [], costs: [], course: 7 });
  });

  it("count what is here now, with ages", () => {
    const made = (number: number, hours: number, status: PreviewWish["status"] = {}) => ({
      ...aPreview({ number, urls: { web: "http://x" }, status }),
      createdAt: ago(hours),
    });
    const previews = [made(1, 10), made(2, 30, { awake: false, reason: "Asleep" })];
    const stage = { ...aPreview({ number: 3 }), key: "shop:staging", stack: "shop-st-staging" };
    const { here } = measure({ ...NOTHING, previews: [...previews, stage] }, WEEK);
    assert.deepEqual([here.previews, here.active, here.asleep, here.asleepShare], [2, 1, 1, 0.5]);
    assert.deepEqual([here.ageSeconds?.mean, here.ageSeconds?.p95], [20 * HOUR, 30 * HOUR]);
  });

  it("take lead times from merges of people, with a preview and without, apart", () => {
    const facts = {
      ...NOTHING,
      mergedSince: ago(900),
      merged: [
        merged(1, 4),
        merged(2, 8),
        merged(3, 6),
        merged(4, 20, { previewed: false }),
        merged(5, 1, { bot: true }),
      ],
    };
    const { leadSeconds, course } = measure(facts, WEEK);
    assert.deepEqual(
      [leadSeconds.with?.cases, leadSeconds.with?.median, leadSeconds.without?.cases, leadSeconds.without?.median],
      [3, 6 * HOUR, 1, 20 * HOUR],
    );
    assert.deepEqual([leadSeconds.bots, leadSeconds.since], [1, ago(900)]);
    assert.deepEqual(course.at(-1), { at: NOW, failures: 0, leadWith: 6 * HOUR, leadWithout: 20 * HOUR });
  });

  it("count a stray once, however many sweeps met it, and no dry run", () => {
    const sweep = (hours: number, found: readonly string[], more: Partial<SweepReport> = {}): SweepReport => ({
      at: ago(hours),
      dryRun: false,
      found: found.map((stack) => ({ stack, hasStack: true, things: [], why: "", needsConfirmation: true })),
      removed: [],
      failed: [],
      unread: [],
      ...more,
    });
    const sweeps = [sweep(48, ["a", "b"], { removed: ["b"] }), sweep(24, ["a"]), sweep(1, ["c"], { dryRun: true })];
    assert.deepEqual(measure({ ...NOTHING, sweeps }, WEEK).strays, { sweeps: 2, since: ago(48), found: 2, removed: 1 });
  });

  it("say how many tries to tear down ended with a proof", () => {
    const facts = {
      ...NOTHING,
      moves: [move("shop#1", 5, "DestroyFailed"), move("shop#1", 300, "DestroyFailed")],
      tornDown: [1, 2, 3].map((number) => ({ key: `shop#${number}`, at: ago(2) })),
    };
    assert.deepEqual(measure(facts, WEEK).teardowns, { proved: 3, failedTries: 1, rate: 0.75, failingNow: 0 });
  });

  it("tell costs by pull request and currency", () => {
    const cost = (name: string, value: number, currency = "USD", basis: "actual" | "estimated" = "estimated") => ({
      name,
      currency,
      cost: value,
      basis,
    });
    const costs = [cost("shop#1", 1), cost("shop#2", 3, "USD", "actual"), cost("shop#3", 8), cost("till#1", 5, "EUR")];
    assert.deepEqual(
      measure({ ...NOTHING, costs }, WEEK).costs.map(({ currency, cases, median, mean, total, basis }) => [
        currency,
        cases,
        median,
        mean,
        total,
        basis,
      ]),
      [
        ["EUR", 1, 5, 5, 5, "estimated"],
        ["USD", 3, 3, 4, 12, "both"],
      ],
    );
  });

  it("are of the asked repositories alone", () => {
    const facts = {
      ...NOTHING,
      previews: [aPreview({ number: 1 })],
      moves: [move("shop#1", 3, "BuildFailed"), move("till#1", 3, "StartFailed")],
      tornDown: [{ key: "till#1", at: ago(1) }],
      merged: [merged(1, 5), merged(2, 7, { key: "till#2" })],
      sweeps: undefined,
    };
    const { here, failures, teardowns, leadSeconds, strays } = measure(facts, WEEK, ["till"]);
    assert.deepEqual(
      [here.previews, failures.map(({ reason }) => reason), teardowns.proved, leadSeconds.with?.median, strays],
      [0, ["StartFailed"], 1, 7 * HOUR, undefined],
    );
  });

  it("know until a version served, by the day", () => {
    const facts = {
      ...NOTHING,
      born: [{ key: "shop#1", createdAt: ago(50.1) }],
      moves: [
        move("shop#1", 50, "Provisioning"),
        move("shop#1", 49.1, "Healthy"),
        move("shop#1", 2, "Updating"),
        move("shop#1", 1, "Healthy"),
      ],
    };
    const { readySeconds, course } = measure(facts, WEEK);
    assert.deepEqual([readySeconds?.cases, readySeconds?.p95], [2, HOUR]);
    assert.deepEqual(course.flatMap((one) => one.readySeconds ?? []).length, 2);
  });
});
