/** Questions to vendors, wired. */
import type { Finding } from "../../../components/ports.ts";
import type { Undo } from "../../service.ts";
import { LAST_WORDS_MS, type Parts } from "../../start-work.ts";
import { within } from "../../within.ts";
import { pricesFor } from "../load-prices.ts";
import type { Prices } from "../prices.ts";
import { type Actuals, startActuals } from "./actuals.ts";
import { actualSources } from "./sources.ts";

/** Begins to ask whoever `costs` of the configuration names; most of the time nobody. */
export function startBills(
  { config, store, repositories, logger, now }: Pick<Parts, "config" | "store" | "repositories" | "logger" | "now">,
  undo: Undo[],
): Actuals {
  const prices = pricesFor(config);
  const sources = actualSources(config, prices);
  const actuals = startActuals({ store, sources, prices, repositories: repositories.all, logger, now });
  undo.push(() => within(LAST_WORDS_MS, actuals.close(), undefined));
  return { ...actuals, check: async () => [...priceFindings(prices), ...(await actuals.check())] };
}

/** List prices are all in dollars. */
export function priceFindings({ currency, exchange }: Pick<Prices, "currency" | "exchange">): readonly Finding[] {
  if (exchange(1, "USD") !== undefined) return [];
  const what = `costs are told in ${currency}, and vendors list their prices in USD: only what has a price of yours counts`;
  return [
    { ok: true, what, remedy: `set \`costs.exchange: {USD: …}\` in stackling.yaml to what one USD is in ${currency}` },
  ];
}
