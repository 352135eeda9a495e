/** What is said of costs where saying it is an edit: coarse, and no more often than once an hour by itself. */
import type { Preview } from "../status.ts";
import { MONTH_HOURS, moneyWords } from "./amount.ts";
import type { Costs, PreviewCost } from "./costs.ts";

/** In words; no more digits than one cares for. */
export interface CostFact {
  /** What it takes while it serves, and asleep; absent before it is built first, and once it is gone. */
  readonly estimate?: string;
  readonly soFar: string;
  /** Absent where that is all. */
  readonly month?: string;
}

/** Between two edits for a cost alone. */
const QUIET_MS = 3_600_000;
const DIGITS = 2;

export function costFact({ currency, total, month, estimate }: PreviewCost): CostFact {
  const [all, ours] = [coarse(total, currency), coarse(month, currency)];
  return {
    ...(estimate ? { estimate: estimateOf(estimate, currency) } : {}),
    soFar: all,
    ...(ours === all ? {} : { month: ours }),
  };
}

function estimateOf(estimate: NonNullable<PreviewCost["estimate"]>, currency: string): string {
  const { awakePerHour, asleepPerHour, unpriced, words } = estimate;
  // What has no price would look as if it cost nothing.
  if (unpriced.length > 0) return words;
  const day = coarse(awakePerHour * 24, currency);
  const asleep =
    asleepPerHour > 0 ? `${coarse(asleepPerHour * MONTH_HOURS, currency)} a month asleep` : "nothing asleep";
  return `about ${day} a day awake, ${asleep}`;
}

function coarse(amount: number, currency: string): string {
  return moneyWords(Number(amount.toPrecision(DIGITS)), currency);
}

export interface Told<Value> {
  readonly value: Value;
  /** True where it is what was told before. */
  readonly isSame: boolean;
}

/**
 * Makes what is to be told: with the cost that was told last while nothing else is new, for an hour; else with what it
 * is now.
 *
 * @param kept what came of it the last time, as it was given back
 */
export async function toldSteadily<Value>(
  { kept, now, read }: CostQuestion,
  make: (cost: CostFact | undefined) => Promise<Told<Value>>,
): Promise<Told<Value> & { readonly keep: string }> {
  const before = kept === undefined ? undefined : keptOf(kept);
  if (before && Math.abs(Date.parse(now) - Date.parse(before.at)) < QUIET_MS) {
    const made = await make(before.cost);
    if (made.isSame) return { ...made, keep: kept ?? "" };
  }
  const cost = await read();
  return { ...(await make(cost)), keep: JSON.stringify({ at: now, ...(cost ? { cost } : {}) }) };
}

interface CostQuestion {
  readonly kept: string | undefined;
  /** ISO 8601 UTC */
  readonly now: string;
  readonly read: () => Promise<CostFact | undefined>;
}

/** @param kept what was given back when it was told last */
export function costQuestion(
  { costs, now = () => new Date().toISOString() }: { readonly costs?: Pick<Costs, "of">; readonly now?: () => string },
  preview: Preview,
  kept: string | undefined,
): CostQuestion {
  const read = async () => {
    const cost = await costs?.of(preview);
    return cost && costFact(cost);
  };
  return { kept, now: now(), read };
}

/** Written by ourselves; what a later version writes is read anew. */
function keptOf(text: string): { readonly at: string; readonly cost?: CostFact } | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
