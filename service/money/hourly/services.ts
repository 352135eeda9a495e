/** Which of a preview's services run all the while it is awake. Pure. */
import type { CostedSpec } from "../hourly.ts";
import type { Price } from "../prices.ts";

type Service = CostedSpec["services"][number];

/** Schedules and jobs run for minutes, and nobody knows beforehand how many. */
export function lasting({ services }: CostedSpec): readonly Service[] {
  return services.filter(({ kind }) => kind === "web" || kind === "worker");
}

/** A month's amount, taken for an hour. */
export const MONTHLY = 1 / 730;

/** A price of the operator's own, before a listed one. */
export function own(amount: number | undefined, listed?: Price): Price | undefined {
  return amount === undefined ? listed : { amount };
}
