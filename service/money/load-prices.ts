/** The prices that hold for an instance. */
import { defaultCosts } from "../config/costs.ts";
import type { OperatorConfig } from "../config/types.ts";
import { listedPrices } from "./price-file.ts";
import { createPrices, type Prices } from "./prices.ts";

export function pricesFor({ costs = defaultCosts }: Pick<OperatorConfig, "costs">): Prices {
  return createPrices([...(costs.prices ? [costs.prices] : []), ...listedPrices()], costs);
}
