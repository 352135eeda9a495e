/** What one preview costs, on its page: in short, by what it was for, and by day. */
import type { PreviewView } from "../api/preview-view.ts";
import { type Html, html, sentenceOf } from "../html.ts";
import { ALL_DAYS, type Costs } from "../money/costs.ts";
import type { CostSum } from "../money/rollup.ts";
import { BASIS_WORDS, meterWords, quantityWords, smallMoneyWords } from "../money/words.ts";
import { costChart } from "./cost-chart.ts";

export interface CostStory {
  /** Since the ledger knows of it; one for each currency. */
  readonly sums: readonly CostSum[];
  /** Of the last weeks. */
  readonly chart?: Html;
}

const DAYS_SHOWN = 30;
const DAY_MS = 86_400_000;

export async function costStory(costs: Pick<Costs, "sums" | "now">, key: string): Promise<CostStory> {
  const now = costs.now();
  const first = new Date(Date.parse(now) - (DAYS_SHOWN - 1) * DAY_MS).toISOString().slice(0, 10);
  const [{ sums }, days] = await Promise.all([
    costs.sums({ by: "preview", key, ...ALL_DAYS }),
    costs.sums({ by: "day", key, from: first, to: now.slice(0, 10) }),
  ]);
  // One day is no picture.
  if (days.sums.length < 2) return { sums };
  const from = days.sums.at(-1)?.from ?? first;
  const drawn = costChart(days.sums, { from, to: now.slice(0, 10) }, now);
  // Drawn for few, and so loaded for them.
  return { sums, ...(drawn ? { chart: (await import("./chart.ts")).chartOf(drawn) } : {}) };
}

export function costSection({ cost }: PreviewView, { sums, chart }: CostStory): Html {
  if (!cost) return html``;
  const { currency, total, month, today, basis, estimate } = cost;
  const words = (amount: number) => smallMoneyWords(amount, currency);
  const rows: readonly (readonly [string, string])[] = [
    ["So far", `${words(total)}, ${BASIS_WORDS[basis]}`],
    ["This month", words(month)],
    ["Today", words(today)],
    ...(estimate
      ? ([
          ["Awake", `about ${words(estimate.awakePerHour * 24)} a day, ${words(estimate.perMonth)} a month`],
          ["Asleep", `about ${words(estimate.asleepPerHour * 24)} a day`],
        ] as const)
      : []),
  ];
  return html`<section class="card" id="cost"><h2>Cost</h2><dl class="facts">${rows.map(([name, said]) => html`<div><dt>${name}</dt><dd>${said}</dd></div>`)}</dl>
${sums.map(metersOf)}${chart && html`<div class="charts single">${chart}</div>`}<p class="soft"><a href="/costs">All costs and budgets</a></p></section>`;
}

function metersOf({ meters, currency }: CostSum): Html {
  const rows = meters.map(
    (sum) =>
      html`<tr><th scope="row">${sentenceOf(meterWords(sum.meter))}</th><td>${quantityWords(sum)}</td><td>${smallMoneyWords(sum.cost, currency)}</td></tr>`,
  );
  return html`<div class="wide" tabindex="0" role="region" aria-label="Cost by what it was for"><table class="matrix">
<thead><tr><th scope="col">For</th><th scope="col">Quantity</th><th scope="col">Cost</th></tr></thead><tbody>${rows}</tbody></table></div>`;
}
