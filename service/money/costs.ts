/** What is asked of the ledger: sums of a time, and what one preview came to. */
import type { Preview } from "../status.ts";
import { type Estimate, estimateOf, estimateWords } from "./estimate.ts";
import { createExport, type ExportCosts } from "./focus/export.ts";
import type { DayCost, LedgerStore } from "./ledger.ts";
import type { Prices } from "./prices.ts";
import { type Basis, basisOf, type CostBy, type CostSum, countedOf, forecastOf, rollup } from "./rollup.ts";
import type { CostAbout } from "./types.ts";

export interface SumsQuery {
  readonly by: CostBy;
  /** First and last day, `2026-11-01`, UTC. */
  readonly from: string;
  readonly to: string;
  readonly key?: string;
  /** Names; undefined: all. */
  readonly repositories?: readonly string[];
}

export interface CostTotal {
  /** ISO 4217 */
  readonly currency: string;
  readonly cost: number;
  readonly basis: Basis;
  /** What the month comes to at the pace of the last week; only of the month that it is. */
  readonly forecast?: number;
}

export interface PreviewCost {
  /** ISO 4217 */
  readonly currency: string;
  /** Since the ledger knows of it, which is 13 months at most. */
  readonly total: number;
  /** Of this month and of today, UTC. */
  readonly month: number;
  readonly today: number;
  readonly basis: Basis;
  /**
   * Of what serves now, and before that of what is built first: awake, and asleep for an hour; and awake all of a month.
   * Absent once it is gone.
   */
  readonly estimate?: Pick<Estimate, "awakePerHour" | "asleepPerHour" | "perMonth" | "unpriced" | "approximate"> & {
    /** `about $0.03 an hour awake, $0.40 a month asleep` */
    readonly words: string;
  };
}

export interface Costs {
  /** ISO 8601 UTC */
  readonly now: () => string;
  sums(query: SumsQuery): Promise<{ readonly sums: readonly CostSum[]; readonly totals: readonly CostTotal[] }>;
  /** Undefined while nothing of it was counted, nor can be estimated. */
  of(preview: Preview): Promise<PreviewCost | undefined>;
  /** A file for billing dashboards. */
  readonly exported: ExportCosts;
}

export interface CostsDeps {
  readonly store: Pick<LedgerStore, "costs" | "costsAbout">;
  readonly prices: Prices;
  /** Whose previews they are, such as `preview.acme.dev`. */
  readonly account: string;
  /** ISO 8601 UTC */
  readonly now: () => string;
}

/** Before any day there is, and after. */
export const ALL_DAYS = { from: "0000-01-01", to: "9999-12-31" } as const;
const WEEK_MS = 7 * 86_400_000;

export function createCosts({ store, prices, account, now }: CostsDeps): Costs {
  return {
    now,
    exported: createExport({ store, account }),
    async sums({ by, from, to, ...who }) {
      const costs = await store.costs({ from, to, ...who });
      const abouts = await store.costsAbout([...new Set(costs.map(({ key }) => key))]);
      const shown = by === "pull-request" ? ofPullRequests(costs, abouts) : costs;
      const month = now().slice(0, 7);
      const isThisMonth = from === `${month}-01` && to >= now().slice(0, 10);
      const forecasts = isThisMonth ? await forecast(shown, { by, ...who }) : new Map<string, number>();
      return { sums: rollup(shown, abouts, by), totals: totalsOf(shown, forecasts) };
    },
    async of(preview) {
      const costs = countedOf(await store.costs({ ...ALL_DAYS, key: preview.key }));
      const { live, expected, goneAt } = preview.status;
      const spec = live ?? expected;
      const estimate = spec && goneAt === undefined ? estimateOf(spec, prices) : undefined;
      const isKnown = estimate && estimate.lines.length + estimate.unpriced.length > 0;
      if (costs.length === 0 && !isKnown) return undefined;
      const currency = costs.some((line) => line.currency === prices.currency)
        ? prices.currency
        : (costs.at(-1)?.currency ?? prices.currency);
      const ours = costs.filter((line) => line.currency === currency);
      const since = (day: string) => sum(ours.filter((line) => line.day >= day));
      return {
        currency,
        total: sum(ours),
        month: since(`${now().slice(0, 7)}-01`),
        today: since(now().slice(0, 10)),
        basis: basisOf(ours),
        // Until the first look after the config names another currency, nothing is counted in it.
        ...(isKnown && currency === prices.currency && { estimate: rates(estimate) }),
      };
    },
  };

  /** By currency. The pace is of a week that may lie in the month before. */
  async function forecast(costs: readonly DayCost[], { by, ...who }: Omit<SumsQuery, "from" | "to">) {
    const month = `${now().slice(0, 7)}-01`;
    const weekAgo = new Date(Date.parse(now()) - WEEK_MS).toISOString().slice(0, 10);
    const dayBefore = new Date(Date.parse(month) - 1).toISOString().slice(0, 10);
    const week = weekAgo < month ? await store.costs({ ...who, from: weekAgo, to: dayBefore }) : [];
    const before =
      by === "pull-request"
        ? ofPullRequests(week, await store.costsAbout([...new Set(week.map(({ key }) => key))]))
        : week;
    return new Map(forecastOf([...before, ...costs], now()).map((one) => [one.currency, one.forecast]));
  }
}

function ofPullRequests(costs: readonly DayCost[], abouts: ReadonlyMap<string, CostAbout>): readonly DayCost[] {
  return costs.filter(({ key }) => abouts.get(key)?.number !== undefined);
}

function totalsOf(costs: readonly DayCost[], forecasts: ReadonlyMap<string, number>): readonly CostTotal[] {
  const counted = countedOf(costs);
  return [...new Set(counted.map(({ currency }) => currency))].sort().map((currency) => {
    const ours = counted.filter((line) => line.currency === currency);
    const forecast = forecasts.get(currency);
    return { currency, cost: sum(ours), basis: basisOf(ours), ...(forecast === undefined ? {} : { forecast }) };
  });
}

function rates(estimate: Estimate): PreviewCost["estimate"] {
  const { awakePerHour, asleepPerHour, perMonth, unpriced, approximate } = estimate;
  return { awakePerHour, asleepPerHour, perMonth, unpriced, approximate, words: estimateWords(estimate) };
}

const sum = (lines: readonly { readonly cost: number }[]) => lines.reduce((all, { cost }) => all + cost, 0);
