/** Which previews a budget puts to sleep. Pure. */
import { nextDay } from "../../../components/actual-cost.ts";
import type { DayCost } from "../ledger.ts";

/** One that serves. */
export interface Sleeper {
  readonly key: string;
  /** ISO 8601 of the last visit or push. */
  readonly activeAt: string;
  /** Nobody keeps it, nobody used it just now, and a visit wakes it. */
  readonly spare: boolean;
  /** In the budget's currency, for an hour. */
  readonly awakePerHour: number;
  readonly asleepPerHour: number;
}

export interface Room {
  /** Of the budget, and what of it is used. */
  readonly amount: number;
  readonly used: number;
  /** Until the budget begins anew; undefined: it never does, so that all sleep that may. */
  readonly hours: number | undefined;
  /** Of what sleeps already, for an hour. */
  readonly asleepPerHour: number;
}

const HOUR_MS = 3_600_000;
const WEEK_MS = 7 * 24 * HOUR_MS;

/**
 * What a preview took an hour in the last week, until the last day of which something is known, for bills are late;
 * undefined where nothing is. Of hours asleep nobody knows here: it goes on being used as it was.
 *
 * @param lines its own that count
 */
export function paceOf(lines: readonly DayCost[], createdAt: string, now: string): number | undefined {
  const weekAgo = new Date(Date.parse(now) - WEEK_MS).toISOString().slice(0, 10);
  const from = createdAt.slice(0, 10) < weekAgo ? weekAgo : createdAt;
  const recent = lines.filter(({ day }) => day >= from.slice(0, 10));
  const last = recent.reduce((latest, { day }) => (day > latest ? day : latest), "");
  if (last === "") return undefined;
  const untilMs = Math.min(Date.parse(now), Date.parse(nextDay(last)));
  // Less than an hour says little of an hour.
  const hours = Math.max(1, (untilMs - Date.parse(from)) / HOUR_MS);
  return recent.reduce((sum, { cost }) => sum + cost, 0) / hours;
}

/**
 * The idlest first, and no more than it takes for the amount to last at the rate that is left then; all that may
 * where nothing is left of it.
 */
export function idlestOf(awake: readonly Sleeper[], { amount, used, hours, asleepPerHour }: Room): readonly string[] {
  let perHour = asleepPerHour + awake.reduce((sum, one) => sum + one.awakePerHour, 0);
  const fits = () => hours !== undefined && used < amount && used + perHour * hours <= amount;
  const chosen: string[] = [];
  for (const one of awake.filter(({ spare }) => spare).sort(idlestFirst)) {
    if (fits()) break;
    chosen.push(one.key);
    perHour -= one.awakePerHour - one.asleepPerHour;
  }
  return chosen;
}

function idlestFirst(a: Sleeper, b: Sleeper): number {
  return a.activeAt < b.activeAt ? -1 : a.activeAt > b.activeAt ? 1 : a.key < b.key ? -1 : 1;
}
