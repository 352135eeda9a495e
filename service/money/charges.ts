/** What is charged for a preview: its counters by price, and the rest by the time. Pure. */

import { own } from "./hourly/services.ts";
import { type CostedSpec, hourlyCost } from "./hourly.ts";
import { localPrices } from "./local-prices.ts";
import type { Prices } from "./prices.ts";
import type { Charges, CountedMeter } from "./reckon.ts";

/** Ports whose driver counts what a preview takes. */
export interface Counting {
  readonly service: boolean;
  readonly database: boolean;
}

/** What is counted and has a price is not reckoned by the time, too. */
export function chargesOf(spec: CostedSpec, prices: Prices, counting: Counting): Charges {
  const counted = {
    ...(counting.service ? servicePrices(spec, prices) : {}),
    ...(counting.database ? databasePrices(spec, prices) : {}),
  };
  const isCounted = (meter: string) => counted[meter as CountedMeter] !== undefined;
  const lines = hourlyCost(spec, prices).filter(({ meter }) => !isCounted(meter));
  return { currency: prices.currency, counted, lines };
}

function servicePrices({ target }: CostedSpec, prices: Prices): Charges["counted"] {
  const { cpuHour, gibHour, diskGibMonth } = localPrices(prices, target.name);
  return priced({ cpu: cpuHour, memory: gibHour, disk: diskGibMonth });
}

/** Of one on this machine its work is this machine's; a price for the hours that it runs goes before. */
function databasePrices({ target }: CostedSpec, prices: Prices): Charges["counted"] {
  const isHere = target.service.driver === "local";
  const rates = prices.rates(target.name, isHere ? "local" : undefined);
  const { cpuHour, diskGibMonth } = localPrices(prices, target.name);
  return priced({
    "database-compute": isHere && rates.databaseHour === undefined ? cpuHour : undefined,
    "database-storage": own(rates.databaseGibMonth, isHere ? diskGibMonth : undefined),
  });
}

function priced(prices: Readonly<Partial<Record<CountedMeter, { readonly amount: number } | undefined>>>) {
  const known = Object.entries(prices).flatMap(([meter, price]) => (price ? [[meter, price.amount] as const] : []));
  return Object.fromEntries(known) as Charges["counted"];
}
