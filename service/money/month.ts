/** Months of the calendar, in UTC. Pure. */
import type { DayRange } from "../../components/actual-cost.ts";

/** `2026-11` */
export const MONTH = /^[1-9]\d{3}-(0[1-9]|1[0-2])$/;

/** First and last day of `month` (`2026-11`). */
export function spanOfMonth(month: string): DayRange {
  const from = `${month}-01`;
  return { from, to: new Date(Date.parse(firstOfMonth(from, 1)) - 1).toISOString().slice(0, 10) };
}

/** First day of the month that is so many after that of `date`. */
export function firstOfMonth(date: string, months: number): string {
  const [year = 0, number = 0] = date.split("-").map(Number);
  return new Date(Date.UTC(year, number - 1 + months, 1)).toISOString().slice(0, 10);
}
