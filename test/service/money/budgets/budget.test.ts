import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { BudgetConfig } from "../../../../service/config/budgets.ts";
import { type Spending, standingsOf } from "../../../../service/money/budgets/budget.ts";
import { idlestOf, paceOf, type Sleeper } from "../../../../service/money/budgets/idlest.ts";
import { holdingOf } from "../../../../service/money/budgets/standing.ts";
import { holdingWords } from "../../../../service/money/budgets/words.ts";
import type { DayCost } from "../../../../service/money/ledger.ts";

const NOW = "2026-11-22T12:00:00.000Z";
const whole: BudgetConfig = {
  name: "whole",
  of: "all",
  amount: 100,
  at: { warn: 80, refuse: 100, sleep: 110, stop: 120 },
};
const team: BudgetConfig = { name: "team", of: "repository", amount: 50, at: { warn: 80, refuse: 100 } };
const each: BudgetConfig = { name: "each", of: "preview", amount: 10, at: { warn: 50, stop: 100 } };

const line = (key: string, day: string, cost: number, more: Partial<DayCost> = {}): DayCost => ({
  ...{ key, day, cost, source: "metered", meter: "cpu", quantity: 1, unit: "vCPU-hours", currency: "USD" },
  ...more,
});

const standings = (budgets: readonly BudgetConfig[], costs: readonly DayCost[], more: Partial<Spending> = {}) =>
  standingsOf({
    ...{ budgets, costs, currency: "USD", now: NOW, repositories: ["shop", "blog"] },
    previews: [{ key: "shop#1", repository: "shop", createdAt: "2026-10-20T10:00:00.000Z" }],
    repositoryOf: (key) => key.split("#")[0],
    ...more,
  });

describe("standings of budgets", () => {
  it("go by what was spent in this month, stages, other months and other currencies aside", () => {
    const costs = [
      line("shop#1", "2026-11-01", 60),
      line("blog#7", "2026-11-22", 25),
      line("shop#1", "2026-10-31", 500),
      line("shop:production", "2026-11-02", 900),
      line("shop#1", "2026-11-03", 70, { currency: "EUR" }),
    ];
    const [one] = standings([whole], costs);
    assert.equal(one?.used, 85);
    assert.equal(one?.level, "warned");
    assert.equal(one?.month, "2026-11");
  });

  it("take a vendor's word in place of what was counted here", () => {
    const costs = [
      line("shop#1", "2026-11-01", 130),
      line("shop#1", "2026-11-01", 20, { source: "aws", meter: "memory" }),
    ];
    assert.equal(standings([whole], costs)[0]?.level, "within");
  });

  it("are of each repository, and of each preview over its whole life", () => {
    const costs = [line("shop#1", "2026-10-20", 9), line("shop#1", "2026-11-02", 2), line("shop#1", "2026-10-01", 99)];
    const all = standings([team, each], costs);
    assert.deepEqual(
      all.map(({ subject, used, level }) => [subject, used, level]),
      [
        ["shop", 2, "within"],
        ["blog", 0, "within"],
        ["shop#1", 11, "stopped"],
      ],
    );
  });

  it("reach each threshold at its percent and no earlier", () => {
    const at = (used: number) => standings([whole], [line("shop#1", "2026-11-02", used)])[0]?.level;
    assert.deepEqual([79.99, 80, 100, 110, 120].map(at), ["within", "warned", "refusing", "sleeping", "stopped"]);
  });
});

describe("what holds of a preview", () => {
  const who = { key: "shop#1", repository: "shop" };
  const row = (name: string, subject: string, level: "refusing" | "stopped", month?: string) => ({
    ...{ name, subject },
    standing: { level, held: level, done: true, since: NOW, ...(month ? { month } : {}) },
  });
  const ground = { budgets: [whole, team, each], currency: "USD", now: NOW };

  it("is the one that holds back the most", () => {
    const rows = [row("whole", "", "refusing", "2026-11"), row("each", "shop#1", "stopped")];
    assert.equal(holdingOf(rows, who, ground)?.name, "each");
  });

  it("is over with its month, with a lift, and where the config says so no more", () => {
    assert.equal(holdingOf([row("whole", "", "refusing", "2026-10")], who, ground), undefined);
    const lift = { at: NOW, until: "2026-11-23T00:00:00.000Z", by: "@ann" };
    const lifted = [{ ...row("whole", "", "stopped", "2026-11"), lift }];
    assert.equal(holdingOf(lifted, who, ground)?.level, "warned");
    assert.equal(holdingOf(lifted, who, { ...ground, now: lift.until })?.level, "stopped");
    const milder = { ...ground, budgets: [{ ...whole, at: { warn: 80 } }] };
    assert.equal(holdingOf([row("whole", "", "stopped", "2026-11")], who, milder)?.level, "warned");
  });

  it("is nothing of a stage", () => {
    const stage = { key: "shop:staging", repository: "shop" };
    assert.equal(holdingOf([row("team", "shop", "refusing", "2026-11")], stage, ground), undefined);
  });

  it("says how far, what of it, when it is over, and who lifts it how", () => {
    const holding = holdingOf([row("team", "shop", "refusing", "2026-11")], who, ground);
    assert.deepEqual(holding && holdingWords(holding), [
      'The budget "team" of shop ($50.00 a month) is used to 100 % or more.',
      "No new previews are made; what is there stays.",
      "It goes on by itself on 2026-12-01; before that an admin lifts it: `stackling budget lift team --of 'shop' --for 48h`, or the page of costs.",
    ]);
  });
});

describe("the idlest", () => {
  const one = (key: string, activeAt: string, more: Partial<Sleeper> = {}): Sleeper => ({
    ...{ key, activeAt, spare: true, awakePerHour: 1, asleepPerHour: 0.1 },
    ...more,
  });
  const awake = [one("c", "3"), one("a", "1"), one("kept", "0", { spare: false }), one("b", "2")];

  it("sleep first, and no more of them than it takes for the amount to last", () => {
    const room = { amount: 100, used: 70, asleepPerHour: 0, hours: 10 };
    // 4 an hour would come to 40; with one asleep it is 31, with two 22.
    assert.deepEqual(idlestOf(awake, room), ["a", "b"]);
  });

  it("are all that may sleep once nothing is left", () => {
    assert.deepEqual(idlestOf(awake, { amount: 100, used: 100, asleepPerHour: 0, hours: 10 }), ["a", "b", "c"]);
    assert.deepEqual(idlestOf(awake, { amount: 100, used: 0, asleepPerHour: 0, hours: undefined }), ["a", "b", "c"]);
  });

  it("are nobody where it lasts", () => {
    assert.deepEqual(idlestOf(awake, { amount: 100, used: 10, asleepPerHour: 0, hours: 10 }), []);
  });
});

describe("what a preview takes an hour", () => {
  const createdAt = "2026-11-20T12:00:00.000Z";
  const pace = (lines: readonly DayCost[], created = createdAt) => paceOf(lines, created, NOW);

  it("is what it took since it is there, a week at most", () => {
    assert.equal(pace([line("shop#1", "2026-11-20", 12), line("shop#1", "2026-11-22", 12)]), 24 / 48);
    const older = [
      line("shop#1", "2026-11-14", 900),
      line("shop#1", "2026-11-15", 90),
      line("shop#1", "2026-11-22", 90),
    ];
    assert.equal(pace(older, "2026-10-01T00:00:00.000Z"), 180 / (7 * 24 + 12));
  });

  it("goes by the days of which a bill is there, and by none where there is none", () => {
    assert.equal(pace([line("shop#1", "2026-11-20", 6), line("shop#1", "2026-11-21", 12)]), 18 / 36);
    assert.equal(pace([line("shop#1", "2026-11-22", 0.5)], "2026-11-22T11:58:00.000Z"), 0.5);
    assert.equal(pace([]), undefined);
  });
});
