/** What each preview cost this month, for the list: read at most once a minute, for it moves no faster. */
import type { Costs } from "../money/costs.ts";

/** By key; in the currency of most of it. */
export type MonthCosts = ReadonlyMap<string, { readonly cost: number; readonly currency: string }>;

const FRESH_MS = 60_000;

/** Only the first that asks waits; later ones get what is known while it is read anew. */
export function monthCostsReader(costs: Pick<Costs, "sums" | "now">): () => Promise<MonthCosts> {
  let known: { readonly at: number; readonly found: MonthCosts } | undefined;
  let reading: Promise<MonthCosts> | undefined;

  async function read(): Promise<MonthCosts> {
    const to = costs.now().slice(0, 10);
    const { sums } = await costs.sums({ by: "preview", from: `${to.slice(0, 7)}-01`, to });
    // The greatest comes first, so that of several currencies it stays.
    const found = new Map(sums.toReversed().flatMap(({ name, ...sum }) => (name === undefined ? [] : [[name, sum]])));
    known = { at: performance.now(), found };
    return found;
  }

  return async () => {
    if (known && performance.now() - known.at < FRESH_MS) return known.found;
    reading ??= read().finally(() => {
      reading = undefined;
    });
    if (!known) return reading;
    reading.catch(() => {});
    return known.found;
  };
}
