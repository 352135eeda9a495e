/** How far each budget is used, and what that comes to. Pure: from the ledger's days, the config, lifts and now. */
import { isStage } from "../../../infra/names.ts";
import type { BudgetAction, BudgetConfig } from "../../config/budgets.ts";
import type { DayCost } from "../ledger.ts";
import { firstOfMonth } from "../month.ts";
import { countedOf, forecastOf } from "../rollup.ts";
import { paceOf } from "./idlest.ts";

/** Each holds together with those before it. */
export const LEVELS = ["within", "warned", "refusing", "sleeping", "stopped"] as const;
export type Level = (typeof LEVELS)[number];

const LEVEL_OF: Readonly<Record<BudgetAction, Level>> = {
  warn: "warned",
  refuse: "refusing",
  sleep: "sleeping",
  stop: "stopped",
};
export const ACTION_OF = { warned: "warn", refusing: "refuse", sleeping: "sleep", stopped: "stop" } as const;

/** Somebody's word that a budget holds nothing back for a while. */
export interface Lift {
  /** ISO 8601 */
  readonly at: string;
  readonly until: string;
  readonly by: string;
}

/** Of one budget for one that has it. */
export interface Standing {
  readonly budget: BudgetConfig;
  /** Repository or key; empty of all together. */
  readonly subject: string;
  /** Whose it is; absent of all together. */
  readonly repository?: string;
  /** ISO 8601 month, `2026-11`; absent of a preview's whole life. */
  readonly month?: string;
  /** In `currency`, never rounded. */
  readonly used: number;
  readonly currency: string;
  /** What the month comes to at the pace of the last week. */
  readonly forecast?: number;
  /** What previews took an hour in the last week, by key, as far as anything is known; absent of a preview's. */
  readonly paces?: ReadonlyMap<string, number>;
  /** By what was used alone. */
  readonly level: Level;
}

export interface Spending {
  readonly budgets: readonly BudgetConfig[];
  /** Of this month and, where previews have budgets, of their lives; as the ledger has them. */
  readonly costs: readonly DayCost[];
  readonly repositoryOf: (key: string) => string | undefined;
  /** That are not gone. */
  readonly previews: readonly { readonly key: string; readonly repository: string; readonly createdAt: string }[];
  /** Names of the config's. */
  readonly repositories: readonly string[];
  /** Of the budgets: costs in another are not counted. */
  readonly currency: string;
  /** ISO 8601 UTC */
  readonly now: string;
}

/** Of every budget and all that have it. Stages cost what they cost: no budget counts or stops them. */
export function standingsOf(spending: Spending): readonly Standing[] {
  const { costs, currency, repositoryOf, budgets } = spending;
  const counted = countedOf(costs).filter((line) => line.currency === currency && !isStage(line.key));
  const byKey = Map.groupBy(counted, ({ key }) => key);
  const byRepository = Map.groupBy(counted, ({ key }) => repositoryOf(key) ?? "");
  return budgets.flatMap((budget) => {
    if (budget.of === "all") return [ofMonth(budget, "", counted, spending)];
    if (budget.of === "repository") {
      const names = budget.repositories ?? spending.repositories;
      return names.map((name) => ofMonth(budget, name, byRepository.get(name) ?? [], spending));
    }
    const theirs = spending.previews.filter(({ key, repository }) => !isStage(key) && covers(budget, repository));
    return theirs.map(({ key, repository, createdAt }): Standing => {
      const lines = (byKey.get(key) ?? []).filter(({ day }) => day >= createdAt.slice(0, 10));
      const used = sum(lines);
      return { budget, subject: key, repository, used, currency, level: levelAt(budget, used) };
    });
  });
}

/** Whether a repository's previews have that budget. */
export function covers({ repositories }: Pick<BudgetConfig, "repositories">, repository: string): boolean {
  return repositories?.includes(repository) ?? true;
}

function levelAt({ amount, at }: Pick<BudgetConfig, "amount" | "at">, used: number): Level {
  const reached = (["stop", "sleep", "refuse", "warn"] as const).find((action) => {
    const percent = at[action];
    return percent !== undefined && used * 100 >= amount * percent;
  });
  return reached ? LEVEL_OF[reached] : "within";
}

/** What holds in spite of a lift, which ends with its time: it goes on being said. */
export function heldLevel(level: Level, lift: Lift | undefined, now: string): Level {
  return isLifted(lift, now) && isAbove(level, "warned") ? "warned" : level;
}

export function isLifted(lift: Lift | undefined, now: string): lift is Lift {
  return lift !== undefined && now < lift.until;
}

export function isAtLeast(level: Level, least: Level): boolean {
  return LEVELS.indexOf(level) >= LEVELS.indexOf(least);
}

function isAbove(level: Level, other: Level): boolean {
  return LEVELS.indexOf(level) > LEVELS.indexOf(other);
}

/** ISO 8601 of the first moment of the next month, UTC. */
export function nextMonth(now: string): string {
  return `${firstOfMonth(now, 1)}T00:00:00.000Z`;
}

function ofMonth(
  budget: BudgetConfig,
  subject: string,
  lines: readonly DayCost[],
  { currency, now, previews }: Pick<Spending, "currency" | "now" | "previews">,
): Standing {
  const month = now.slice(0, 7);
  const used = sum(lines.filter(({ day }) => day.startsWith(month)));
  const forecast = forecastOf(lines, now)[0]?.forecast;
  const byKey = Map.groupBy(lines, ({ key }) => key);
  const paces = previews.flatMap(({ key, createdAt }) => {
    const pace = paceOf(byKey.get(key) ?? [], createdAt, now);
    return pace === undefined ? [] : [[key, pace] as const];
  });
  return {
    ...{ budget, subject, month, used, currency, level: levelAt(budget, used), paces: new Map(paces) },
    ...(subject === "" ? {} : { repository: subject }),
    ...(forecast === undefined ? {} : { forecast }),
  };
}

function sum(lines: readonly DayCost[]): number {
  return lines.reduce((all, { cost }) => all + cost, 0);
}
