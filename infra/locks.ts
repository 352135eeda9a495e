/** Whose a lock is: ours and dead, so that it may be cancelled, or anybody else's, so that it is waited for (DESIGN §3 rule 6). */
import type { LockHolder } from "./engine-errors.ts";
import { startedAtMs, startTimeOf } from "./process-identity.ts";
import type { EngineProcess } from "./stacks.ts";

/** `priorEngines`: engines that runs of ours recorded for this stack; `host`: this machine's name. */
export function isOursAndDead(lock: LockHolder, priorEngines: readonly EngineProcess[], host: string): boolean {
  if (lock.host !== host) return false;
  const ours = priorEngines.filter((engine) => engine.host === lock.host && engine.pid === lock.pid);
  if (ours.length === 0) return false;
  const alive = startTimeOf(lock.pid);
  if (alive === undefined) return true;
  if (ours.some(({ startTime }) => startTime === alive)) return false;
  // The pid lives on as another process. That is the lock's holder if it was there when the lock was taken.
  return (startedAtMs(lock.pid) ?? 0) > Date.parse(lock.since) + CLOCK_SLACK_MS;
}

/** Kernel start times are good to about a second. */
const CLOCK_SLACK_MS = 2_000;
