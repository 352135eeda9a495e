/** Prices of this machine: what its meters' counts are multiplied by. Pure. */
import { own } from "./hourly/services.ts";
import type { Price, Prices } from "./prices.ts";

/** Each is undefined only where its list price's currency is not ours and no exchange rate is set. */
export interface LocalPrices {
  readonly cpuHour: Price | undefined;
  readonly gibHour: Price | undefined;
  readonly diskGibMonth: Price | undefined;
}

/** The operator's own for the target, then for this machine, then the nominal ones. */
export function localPrices(prices: Prices, target: string): LocalPrices {
  const rates = prices.rates(target, "local");
  return {
    cpuHour: own(rates.cpuHour, prices.listed("this machine", "cpu")),
    gibHour: own(rates.gibHour, prices.listed("this machine", "memory")),
    diskGibMonth: own(rates.diskGibMonth, prices.listed("this machine", "disk")),
  };
}
