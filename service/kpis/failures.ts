/** What previews fail for. Pure. */
import type { Preview } from "../status.ts";
import type { Move } from "../trends/sample.ts";

export interface FailureCount {
  readonly reason: string;
  /** How often it came to that. */
  readonly times: number;
  /** In how many previews. */
  readonly previews: number;
  /** Previews that stand so now. */
  readonly now: number;
}

/** Steps, states that somebody wanted, and waits that end by themselves; all else is a failure, also what a later version calls one. */
const NO_FAILURES: ReadonlySet<string> = new Set([
  "Queued",
  "Provisioning",
  "Updating",
  "Checking",
  "Healthy",
  "Asleep",
  "Waking",
  "Paused",
  "OverBudget",
  "Destroying",
  "Gone",
  "Unreachable",
  "NotConfigured",
  "Blocked",
  "ApprovalNeeded",
  "NothingPromoted",
  "WaitingForImage",
  "TargetChanged",
  "NamespaceTerminating",
  "StackLocked",
  "Locked",
  "FenceLost",
  "EngineInterrupted",
]);

export function isFailure(reason: string): boolean {
  return !NO_FAILURES.has(reason);
}

/** The most frequent first. */
export function failuresOf(moves: readonly Move[], previews: readonly Preview[]): readonly FailureCount[] {
  const reasons = new Map<string, { times: number; readonly keys: Set<string> }>();
  for (const { key, reason } of moves) {
    if (!isFailure(reason)) continue;
    const counted = reasons.get(reason) ?? { times: 0, keys: new Set() };
    counted.times += 1;
    counted.keys.add(key);
    reasons.set(reason, counted);
  }
  return [...reasons]
    .map(([reason, { times, keys }]) => ({
      reason,
      times,
      previews: keys.size,
      now: previews.filter(({ status }) => status.reason === reason).length,
    }))
    .sort((one, other) => other.times - one.times || one.reason.localeCompare(other.reason));
}
