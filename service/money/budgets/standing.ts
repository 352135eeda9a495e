/** What budgets hold of a preview, from what the store keeps of them. Pure. */
import { isStage } from "../../../infra/names.ts";
import type { BudgetConfig } from "../../config/budgets.ts";
import { ACTION_OF, covers, heldLevel, isLifted, LEVELS, type Level, type Lift, nextMonth } from "./budget.ts";
import type { BudgetRow } from "./store.ts";
import type { Holding } from "./words.ts";

export interface Who {
  readonly key: string;
  readonly repository: string;
}

/** The subject that a preview is of in a budget; undefined where the budget is not for it. */
export function subjectOf(budget: BudgetConfig, { key, repository }: Who): string | undefined {
  if (isStage(key) || !covers(budget, repository)) return undefined;
  return { all: "", repository, preview: key }[budget.of];
}

/** The one that holds back the most, of those the narrowest; undefined where all are within. */
export function holdingOf(
  rows: readonly BudgetRow[],
  who: Who,
  {
    budgets,
    currency,
    now,
  }: { readonly budgets: readonly BudgetConfig[]; readonly currency: string; readonly now: string },
): Holding | undefined {
  const found = budgets.flatMap((budget): readonly Holding[] => {
    const subject = subjectOf(budget, who);
    if (subject === undefined) return [];
    const { standing } = rows.find((row) => row.name === budget.name && row.subject === subject) ?? {};
    // Of a month that is over it says nothing of this one.
    if (!standing || (standing.month !== undefined && standing.month !== now.slice(0, 7))) return [];
    const reached = allowed(standing.level, budget);
    const level = heldLevel(reached, liftOf(rows, budget.name, subject, now), now);
    if (level === "within") return [];
    return [holding({ budget, subject, level, reached, currency, now })];
  });
  const [first] = found.sort(
    (one, other) => LEVELS.indexOf(other.level) - LEVELS.indexOf(one.level) || WIDTH[one.of] - WIDTH[other.of],
  );
  const repositoryStopped = found.some(({ of, level }) => of === "repository" && level === "stopped");
  return first && repositoryStopped ? { ...first, repositoryStopped } : first;
}

export function holding({
  budget,
  subject,
  level,
  reached,
  currency,
  now,
}: {
  readonly budget: BudgetConfig;
  readonly subject: string;
  /** What holds, in spite of a lift. */
  readonly level: Holding["level"];
  /** By what is used alone. */
  readonly reached: Level;
  readonly currency: string;
  readonly now: string;
}): Holding {
  const { name, of, amount, at } = budget;
  const until = of === "preview" ? {} : { until: nextMonth(now) };
  const next = reached === "warned" ? nextOf(budget) : undefined;
  const percent = at[ACTION_OF[level]] ?? 100;
  return { ...{ name, of, subject, level, amount, currency, percent }, ...until, ...(next && { next }) };
}

function nextOf({ at }: BudgetConfig): Holding["next"] {
  const later = (["refuse", "sleep", "stop"] as const).flatMap((action) => {
    const percent = at[action];
    return percent === undefined ? [] : [{ action, percent }];
  });
  return later.sort((one, other) => one.percent - other.percent)[0];
}

/** Whose it is, as well: empty of all that have the budget. */
export interface SomeLift extends Lift {
  readonly subject: string;
}

/** The longer of its own and that of all that have the budget. */
export function liftOf(rows: readonly BudgetRow[], name: string, subject: string, now: string): SomeLift | undefined {
  const lifts = rows.flatMap((row) =>
    row.name === name && (row.subject === subject || row.subject === "") && isLifted(row.lift, now)
      ? [{ ...row.lift, subject: row.subject }]
      : [],
  );
  return lifts.sort((one, other) => (one.until < other.until ? 1 : -1))[0];
}

const WIDTH = { preview: 0, repository: 1, all: 2 } as const;

/** As the config has it now: what was written down may be of an earlier one. */
function allowed(level: Level, { at }: BudgetConfig): Level {
  const down = LEVELS.slice(0, LEVELS.indexOf(level) + 1).toReversed();
  return down.find((one) => one === "within" || at[ACTION_OF[one]] !== undefined) ?? "within";
}
