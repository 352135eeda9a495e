/** Gauges of budgets. A preview's own are told together by repository, for there is no end of previews. */
import { parseKey } from "../../infra/names.ts";
import { LEVELS } from "../money/budgets/budget.ts";
import type { BudgetState } from "../money/budgets/budgets.ts";
import type { Level as Gauge } from "./catalog.ts";
import { type LevelSource, seldom } from "./levels.ts";

/** How far one budget is used by one that has it. */
export type BudgetSeen = Pick<BudgetState, "subject" | "used" | "currency" | "held"> & {
  readonly budget: Pick<BudgetState["budget"], "name" | "of" | "amount">;
};

export function budgetLevels(states: () => Promise<readonly BudgetSeen[]>): LevelSource {
  return seldom(async () => gaugesOf(await states()));
}

/** Pure. The fullest come first: they are told by name where a label's bound cuts off the others. */
export function gaugesOf(states: readonly BudgetSeen[]): readonly Gauge[] {
  const most = (seen: readonly BudgetSeen[]) => Math.max(...seen.map(({ used }) => used));
  const fullness = (seen: readonly BudgetSeen[]) => most(seen) / (seen[0]?.budget.amount ?? 1);
  const groups = Map.groupBy(states, ({ budget, subject, currency }) =>
    JSON.stringify([budget.name, repositoryOf(budget.of, subject), currency]),
  );
  const falling = [...groups].sort(([, one], [, other]) => fullness(other) - fullness(one));
  return falling.flatMap(([id, seen]) => {
    const [budget = "", repository = "", currency = ""] = JSON.parse(id) as string[];
    const labels = { budget, repository, currency };
    return [
      { name: "stackling_budget_limit" as const, labels, value: seen[0]?.budget.amount ?? 0 },
      { name: "stackling_budget_used" as const, labels, value: most(seen) },
      ...LEVELS.map((level) => ({
        name: "stackling_budget_holds" as const,
        labels: { budget, repository, level },
        value: seen.filter(({ held }) => held === level).length,
      })),
    ];
  });
}

function repositoryOf(of: BudgetSeen["budget"]["of"], subject: string): string {
  return of === "preview" ? (parseKey(subject)?.repository ?? "") : subject;
}
