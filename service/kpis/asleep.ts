/** How much of their time previews slept, from what happened to them. Pure. */
import { AT_REST, STOPPED } from "../reasons.ts";
import type { Move } from "../trends/sample.ts";

/** Seconds of all previews together. */
export interface TimeThere {
  readonly thereSeconds: number;
  readonly asleepSeconds: number;
}

/** There is nothing of it that could be awake. */
const ABSENT = new Set(["Gone", "Blocked", "ApprovalNeeded", "NothingPromoted", "NotConfigured"]);

/** What only one that is or was being built comes to; behind the last `Gone`, of the life that it has now. */
const MADE = new Set(["Provisioning", "Updating", "Checking", "Healthy", "Asleep", "Waking"]);
/** By these it is known whether there is anything of one that is stopped. */
export const TELLING: readonly string[] = ["Gone", ...MADE];

/**
 * @param moves oldest first; of each preview also the last one before `since`, which says how it stood then
 * @param since and `now`: ISO 8601 UTC
 * @param telling of each preview the last of the telling ones before `since`
 */
export function timeThere(
  moves: readonly Move[],
  since: string,
  now: string,
  telling: readonly Pick<Move, "key" | "reason">[] = [],
): TimeThere {
  const sum = { thereSeconds: 0, asleepSeconds: 0 };
  const last = new Map<string, Move>();
  const made = new Set(telling.filter(({ reason }) => MADE.has(reason)).map(({ key }) => key));
  const count = ({ key, at, reason }: Move, until: string) => {
    // A stop also holds back what was never made: that does not sleep.
    if (ABSENT.has(reason) || (STOPPED.has(reason) && !made.has(key))) return;
    const from = Math.max(Date.parse(at), Date.parse(since));
    const seconds = Math.max(0, Date.parse(until) - from) / 1000;
    sum.thereSeconds += seconds;
    if (AT_REST.has(reason)) sum.asleepSeconds += seconds;
  };
  for (const move of moves) {
    const before = last.get(move.key);
    if (before) count(before, move.at);
    if (move.reason === "Gone") made.delete(move.key);
    else if (MADE.has(move.reason)) made.add(move.key);
    last.set(move.key, move);
  }
  for (const move of last.values()) count(move, now);
  return sum;
}
