/** Which previews a budget puts to sleep. Pure. */

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
