/** Meter, ledger and budgets, wired. */
import { startUsage } from "../../components/local/usage.ts";
import type { Undo } from "../service.ts";
import { LAST_WORDS_MS, type Parts } from "../start-work.ts";
import { within } from "../within.ts";
import { type Budgets, startBudgets } from "./budgets/budgets.ts";
import { type Costs, createCosts } from "./costs.ts";
import { pricesFor } from "./load-prices.ts";
import { startMeter } from "./meter.ts";

export interface Money {
  readonly costs: Costs;
  readonly budgets: Budgets;
}

/** Begins to count; what was counted before counts on. */
export function startMoney(
  {
    config,
    dataDir,
    store,
    world,
    audit,
    logger,
    now,
    moneyEveryMs,
  }: Pick<Parts, "config" | "dataDir" | "store" | "world" | "audit" | "logger" | "now" | "moneyEveryMs">,
  undo: Undo[],
): Money {
  const prices = pricesFor(config);
  if (config.targets.some(({ service }) => service.driver === "local")) {
    const usage = startUsage({ dataDir, logger });
    undo.push(() => usage.close());
  }
  const pace = moneyEveryMs === undefined ? {} : { lookEveryMs: moneyEveryMs };
  const meter = startMeter({ store, world, prices, now, logger, ...pace });
  undo.push(() => within(LAST_WORDS_MS, meter.close(), undefined));
  const budgets = startBudgets({ store, config, prices, audit, now, logger, ...pace });
  undo.push(() => within(LAST_WORDS_MS, budgets.close(), undefined));
  return { costs: createCosts({ store, prices, account: config.domain, now }), budgets };
}
