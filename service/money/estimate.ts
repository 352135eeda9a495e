/** What a preview will cost, told when it is made. Pure. */
import { MONTH_HOURS, moneyWords } from "./amount.ts";
import { type CostedSpec, takenByHour } from "./hourly.ts";
import type { Prices } from "./prices.ts";
import type { EstimateLine, Meter } from "./types.ts";

export interface Estimate {
  /** ISO 4217 */
  readonly currency: string;
  readonly awakePerHour: number;
  /** What stays while it sleeps. */
  readonly asleepPerHour: number;
  /** Awake all of a month of 730 hours. */
  readonly perMonth: number;
  readonly asleepPerMonth: number;
  readonly lines: readonly EstimateLine[];
  /** What is taken and has no price. */
  readonly unpriced: readonly Meter[];
  /** Some of its prices are another region's, or reckoned from others. */
  readonly approximate: boolean;
}

export function estimateOf(spec: CostedSpec, prices: Prices): Estimate {
  const taken = takenByHour(spec, prices);
  const lines = taken.flatMap(({ price, ...line }): EstimateLine[] =>
    price ? [{ ...line, costPerHour: line.quantityPerHour * price.amount }] : [],
  );
  const sum = (some: readonly EstimateLine[]) => some.reduce((total, { costPerHour }) => total + costPerHour, 0);
  const awakePerHour = sum(lines);
  const asleepPerHour = sum(lines.filter((line) => line.while === "always"));
  return {
    currency: prices.currency,
    awakePerHour,
    asleepPerHour,
    perMonth: awakePerHour * MONTH_HOURS,
    asleepPerMonth: asleepPerHour * MONTH_HOURS,
    lines,
    unpriced: [...new Set(taken.flatMap(({ meter, price }) => (price ? [] : [meter])))],
    approximate: taken.some(({ price }) => price?.approximate),
  };
}

/** `about $0.03 an hour awake, $0.40 a month asleep`; says what has no price. */
export function estimateWords({ currency, unpriced, ...estimate }: Estimate): string {
  const lacking =
    unpriced.length > 0 ? `no price set for ${unpriced.map((meter) => meter.replace("-", " ")).join(", ")}` : "";
  if (estimate.lines.length === 0) return lacking || "nothing that has a price";
  const awake = `about ${hourWords(estimate.awakePerHour, currency)} awake`;
  const asleep =
    estimate.asleepPerHour > 0 ? `${moneyWords(estimate.asleepPerMonth, currency)} a month asleep` : "nothing asleep";
  return [awake, asleep, lacking].filter(Boolean).join(", ");
}

/** Where an hour is less than one can pay, a day says more. */
function hourWords(perHour: number, currency: string): string {
  return moneyWords(perHour, currency).startsWith("less")
    ? `${moneyWords(perHour * 24, currency)} a day`
    : `${moneyWords(perHour, currency)} an hour`;
}
