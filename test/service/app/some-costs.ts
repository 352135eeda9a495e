import type { BudgetConfig } from "../../../service/config/budgets.ts";
import type { BudgetState } from "../../../service/money/budgets/budgets.ts";
import type { DayCost } from "../../../service/money/ledger.ts";

export const NOW = "2026-11-21T12:00:00.000Z";

export const aLine = (key: string, cost: number, more: Partial<DayCost> = {}): DayCost => ({
  ...{ key, cost, day: "2026-11-20", source: "metered", meter: "cpu", quantity: cost * 100, unit: "vCPU-hours" },
  currency: "USD",
  ...more,
});

/** Three weeks of two repositories. */
export function someCosts(): readonly DayCost[] {
  return Array.from({ length: 21 }, (_, at) => `2026-11-${String(at + 1).padStart(2, "0")}`).flatMap((day, at) => [
    aLine("shop#42", 0.4 + (at % 5) * 0.3, { day }),
    aLine("till#3", 0.2, { day }),
    aLine("shop#42", 0.1, { day, meter: "memory", unit: "GiB-hours" }),
  ]);
}

export function aBudget(budget: BudgetConfig, more: Partial<BudgetState> = {}): BudgetState {
  const until = budget.of === "preview" ? {} : { month: "2026-11", until: "2026-12-01T00:00:00.000Z" };
  return {
    budget,
    subject: "",
    used: 0,
    currency: "USD",
    level: "within",
    held: "within",
    now: NOW,
    ...until,
    ...more,
  };
}

/** One that refuses, one that is lifted, and one that is far from either. */
export function someBudgets(): readonly BudgetState[] {
  const whole: BudgetConfig = { name: "whole", of: "all", amount: 20, at: { warn: 80, refuse: 100, sleep: 110 } };
  const team: BudgetConfig = { name: "team", of: "repository", amount: 10, at: { warn: 80, refuse: 100 } };
  const each: BudgetConfig = { name: "each", of: "preview", amount: 50, at: { warn: 80, stop: 100 } };
  const lift = { at: NOW, until: "2026-11-23T12:00:00.000Z", by: "@ann", subject: "shop" };
  const of = (repository: string) => ({ subject: repository, repository });
  return [
    aBudget(whole, { used: 21.4, forecast: 30.1, level: "refusing", held: "refusing" }),
    aBudget(team, { ...of("shop"), used: 11.3, forecast: 16, level: "refusing", held: "warned", lift }),
    aBudget(team, { ...of("till"), used: 4.2, forecast: 6 }),
    aBudget(each, { subject: "shop#42", repository: "shop", used: 11.3 }),
  ];
}
