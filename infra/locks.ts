/** Whose a lock is: ours and dead, so that it may be cancelled, or anybody else's, so that it is waited for. */
import { hostname } from "node:os";
import { startedAtMs, startTimeOf } from "../components/local/process-identity.ts";
import type { FolderBackend } from "./backend.ts";
import { type LockHolder, lockedError } from "./engine-errors.ts";
import type { EngineProcess } from "./stacks.ts";

interface LockDeps {
  /** Engines that runs of ours recorded for the stack. */
  priorEngines(): Promise<readonly EngineProcess[]>;
}

/**
 * Removes the locks of dead runs of ours and mends a state that was cut short; true when it did either. Throws
 * `ConflictError` (`StackLocked`) when one lock is anybody else's: then no lock that is written whole is removed.
 */
export async function clearDeadRun(deps: LockDeps, folder: FolderBackend | undefined, stack: string): Promise<boolean> {
  const wasLocked = await unlockDead(deps, folder, stack);
  return (await folder?.mend(stack)) || wasLocked;
}

async function unlockDead(deps: LockDeps, folder: FolderBackend | undefined, stack: string): Promise<boolean> {
  await folder?.clearUnfinishedLocks(stack);
  const locks = (await folder?.locks(stack)) ?? [];
  if (locks.length === 0) return false;
  await refuseForeignLocks(deps, stack, locks);
  for (const lock of locks) await folder?.unlock(stack, lock);
  return true;
}

/** Throws `ConflictError` (`StackLocked`) with holder and age unless every lock is of a dead run of ours. */
export async function refuseForeignLocks(deps: LockDeps, stack: string, locks: readonly LockHolder[]): Promise<void> {
  const prior = await deps.priorEngines();
  const foreign = locks.filter((lock) => !isOursAndDead(lock, prior, hostname()));
  if (foreign.length > 0) throw lockedError(stack, foreign, Date.now());
}

/**
 * `host`: this machine's name. A run that we recorded on another machine, which may be gone for good, is dead
 * by its lease: ours began when that was past, and its watchdog had ended it long before.
 */
export function isOursAndDead(lock: LockHolder, priorEngines: readonly EngineProcess[], host: string): boolean {
  const ours = priorEngines.filter((engine) => engine.host === lock.host && engine.pid === lock.pid);
  if (ours.length === 0) return false;
  if (lock.host !== host) return true;
  const alive = startTimeOf(lock.pid);
  if (alive === undefined) return true;
  if (ours.some(({ startTime }) => startTime === alive)) return false;
  // The pid lives on as another process. That is the lock's holder if it was there when the lock was taken.
  return (startedAtMs(lock.pid) ?? 0) > Date.parse(lock.since) + CLOCK_SLACK_MS;
}

/** Kernel start times are good to about a second. */
const CLOCK_SLACK_MS = 2_000;
