/** Costs by day or week as a picture. */
import { moneyWords } from "../money/amount.ts";
import type { CostSum } from "../money/rollup.ts";
import { smallMoneyWords } from "../money/words.ts";
import type { Chart } from "./chart.ts";

const DAY_MS = 86_400_000;
const OF = {
  day: { days: 1, each: "Day", last: "on the last day" },
  week: { days: 7, each: "Week from", last: "in the last week" },
} as const;

/**
 * In the currency of most of them; a day without a line cost nothing. Weeks end with the last day. Undefined where nothing
 * was counted.
 *
 * @param sums by day
 */
export function costChart(
  sums: readonly CostSum[],
  { from, to, by = "day" }: { readonly from: string; readonly to: string; readonly by?: keyof typeof OF },
  now: string,
): Chart | undefined {
  const currency = sums[0]?.currency;
  if (currency === undefined) return undefined;
  const ours = new Map(sums.filter((sum) => sum.currency === currency).map(({ name, cost }) => [name, cost]));
  const { days, each, last: lastOne } = OF[by];
  const last = Date.parse(to < now.slice(0, 10) ? to : now.slice(0, 10));
  const count = Math.ceil((Math.round((last - Date.parse(from)) / DAY_MS) + 1) / days);
  const points = Array.from({ length: count }, (_, at) => {
    const first = last - ((count - at) * days - 1) * DAY_MS;
    const within = Array.from({ length: days }, (_, day) => new Date(first + day * DAY_MS).toISOString());
    const cost = within.reduce((sum, day) => sum + (ours.get(day.slice(0, 10)) ?? 0), 0);
    return { at: within[0] ?? "", values: [cost] };
  });
  const greatest = Math.max(...points.map(({ values }) => values[0] ?? 0));
  const format = (value: number) => wordsFor(greatest)(value, currency);
  const title = `Cost by ${by}`;
  const says = `${title}. ${format(points.at(-1)?.values[0] ?? 0)} ${lastOne}, at most ${format(greatest)}.`;
  return { title, says, each, lines: ["Cost"], points, format, least: 0.0004 };
}

/** Cents, unless there is nothing else; the same for all that stand side by side. */
export function wordsFor(greatest: number): typeof moneyWords {
  return greatest >= 0.5 ? moneyWords : smallMoneyWords;
}
