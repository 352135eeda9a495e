/** What things cost here: the operator's own prices before the vendors' lists, in one currency. Pure. */
import type { CostsConfig, Rates } from "../config/costs.ts";
import type { ListedPrice, PriceFile } from "./price-file.ts";

export interface Price {
  /** In the currency of `Prices`. */
  readonly amount: number;
  /** Another region's, or reckoned from another price: docs/cost.md says which. */
  readonly approximate?: true;
}

export interface Prices {
  /** ISO 4217 */
  readonly currency: string;
  /** A vendor's list price; undefined where none is known, or its currency is another and no exchange rate is set. */
  readonly listed: (vendor: string, name: string, region?: string) => Price | undefined;
  /** What the operator says of a target, and of all of its kind. */
  readonly rates: (target: string, kind?: "local" | "kubernetes") => Rates;
  readonly assume: CostsConfig["assume"];
  /** Plan of a vendor with several, such as Neon's `launch`. */
  readonly neonPlan: CostsConfig["neonPlan"];
  /** The amount in our currency; undefined where no exchange rate is set. */
  readonly exchange: (amount: number, currency: string) => number | undefined;
}

/** `files`: the operator's own first; the first that knows a price counts. */
export function createPrices(files: readonly PriceFile[], costs: CostsConfig): Prices {
  const { currency } = costs;
  const exchange = (amount: number, from: string): number | undefined => {
    const rate = from === currency ? 1 : costs.exchange[from];
    return rate === undefined ? undefined : amount * rate;
  };
  return {
    currency,
    exchange,
    assume: costs.assume,
    neonPlan: costs.neonPlan,
    rates: (target, kind) => ({ ...(kind && costs[kind]), ...costs.targets[target] }),
    listed(vendor, name, region) {
      for (const file of files) {
        if (file.vendor !== vendor) continue;
        const found = lookUp(file.prices, name, region);
        const amount = found && exchange(found.amount, file.currency);
        if (amount !== undefined) return { ...found, amount };
      }
      return undefined;
    },
  };
}

/** Files may refer to each other's prices in a circle: nobody follows further than this. */
const STEPS = 4;

function lookUp(prices: readonly ListedPrice[], name: string, region = "", steps = STEPS): Price | undefined {
  const found = prices.find((one) => one.name === name);
  if (!found || steps === 0) return undefined;
  if (found.price !== undefined) return { amount: found.price };
  const { regions = {}, otherwise } = found;
  const here = Object.hasOwn(regions, region) ? regions[region] : undefined;
  if (here !== undefined) return { amount: here };
  if (!otherwise) return undefined;
  const other =
    "region" in otherwise
      ? lookUp(prices, name, otherwise.region, steps - 1)
      : lookUp(prices, otherwise.of, region, steps - 1);
  return other && { amount: other.amount * ("times" in otherwise ? otherwise.times : 1), approximate: true };
}
