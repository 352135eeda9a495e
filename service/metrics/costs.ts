/** Gauges of money, from the ledger. */

import type { Costs } from "../money/costs.ts";
import type { CostSum } from "../money/rollup.ts";
import { METERS } from "../money/types.ts";
import type { Level } from "./catalog.ts";
import { type LevelSource, seldom } from "./levels.ts";

export function costLevels(costs: Pick<Costs, "sums" | "now">): LevelSource {
  return seldom(() => read(costs));
}

async function read(costs: Pick<Costs, "sums" | "now">): Promise<readonly Level[]> {
  const to = costs.now().slice(0, 10);
  const month = { from: `${to.slice(0, 7)}-01`, to };
  const byRepository = await costs.sums({ by: "repository", ...month });
  const byTeam = await costs.sums({ by: "team", ...month });
  const today = await costs.sums({ by: "repository", from: to, to });
  return [
    ...byRepository.sums.map(ofRepository("stackling_cost_month")),
    ...today.sums.map(ofRepository("stackling_cost_today")),
    ...byTeam.sums.map(({ name: team = "", currency, cost: value }) => ({
      name: "stackling_cost_month_by_team" as const,
      labels: { team, currency },
      value,
    })),
    ...metersOf(byRepository.sums),
    ...byRepository.totals.flatMap(({ currency, forecast }): readonly Level[] =>
      forecast === undefined ? [] : [{ name: "stackling_cost_month_forecast", labels: { currency }, value: forecast }],
    ),
  ];
}

const ofRepository =
  (name: "stackling_cost_month" | "stackling_cost_today") =>
  ({ name: repository = "", currency, cost: value }: CostSum): Level => ({
    name,
    labels: { repository, currency },
    value,
  });

function metersOf(sums: readonly CostSum[]): readonly Level[] {
  return [...new Set(sums.map(({ currency }) => currency))].flatMap((currency) =>
    METERS.flatMap((meter): readonly Level[] => {
      const ours = sums.filter((sum) => sum.currency === currency).flatMap(({ meters }) => meters);
      const value = ours.filter((sum) => sum.meter === meter).reduce((all, { cost }) => all + cost, 0);
      return value === 0 ? [] : [{ name: "stackling_cost_month_by_meter", labels: { meter, currency }, value }];
    }),
  );
}
