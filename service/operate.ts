/** What is asked of all previews at once: the kill switch and the sweep. */
import type { Logger } from "pino";
import { ConflictError } from "../components/errors.ts";
import type { Finding } from "../components/ports.ts";
import type { Pause } from "./store/operation.ts";
import type { Store } from "./store/store.ts";
import type { SweepReport } from "./sweep/report.ts";
import { createSweep, type SweepDeps, type SweepWish } from "./sweep/sweep.ts";
import { startSweepTimer } from "./sweep/timer.ts";

export interface OperateDeps extends Omit<SweepDeps, "stopping"> {
  readonly store: Store;
  readonly logger: Logger;
  readonly sweepEverySeconds: number;
  /** Told before a stop is taken back, which must not come again at once. Resolves with what stops everything still. */
  readonly onResume?: (by: string, pause: Pause) => Promise<Pause | undefined>;
}

/** Which stop somebody saw: the next one may be of others, and for another reason. */
export type SeenPause = Pick<Pause, "at" | "by">;

export interface Operate {
  /** Undefined while nothing is stopped. */
  pause(): Promise<Pause | undefined>;
  /** Nothing is brought up any more and everything goes to sleep, until `resumeAll`; resolves when that is stored. */
  stopAll(by: string): Promise<Pause>;
  /**
   * Takes back what stops everything, or what was seen to; `pause` says whether something else does. Throws
   * `ConflictError` where another stop holds than the one that was seen.
   */
  resumeAll(by?: string, seen?: SeenPause): Promise<void>;
  /** Looks for what no preview owns, and removes what may go. */
  sweep(wish: SweepWish): Promise<SweepReport>;
  lastSweep(): Promise<SweepReport | undefined>;
  /** What `doctor` says of both. */
  check(): Promise<readonly Finding[]>;
}

/** With the sweep that comes by itself; `close` resolves when one under way has ended. */
export function startOperate(deps: OperateDeps): Operate & { close(): Promise<void> } {
  const { store, now } = deps;
  const stopping = new AbortController();
  const sweep = createSweep({ ...deps, stopping: stopping.signal });
  const timer = startSweepTimer({
    ...deps,
    sweep: ({ first }) => sweep({ dryRun: first, keep: true }),
    everySeconds: deps.sweepEverySeconds,
  });

  /** Killed before this, the resync of the next start looks at everything. */
  const lookAtAll = async () => store.enqueue((await store.list()).map(({ key }) => key));

  return {
    pause: store.pause,
    async stopAll(by) {
      const asked: Pause = { at: now(), by };
      await store.setPause(asked);
      await lookAtAll();
      return (await store.pause()) ?? asked;
    },
    async resumeAll(by = "somebody", seen) {
      const pause = await store.pause();
      refuseOther(pause, seen);
      if (pause) {
        const left = await deps.onResume?.(by, pause);
        // Somebody else may have stopped everything meanwhile.
        await store.endPause(pause.by, pause.at);
        if (left) await store.setPause(left);
      }
      await lookAtAll();
    },
    sweep,
    lastSweep: store.lastSweep,
    check: async () => [...pauseFindings(await store.pause()), ...sweepFindings(await store.lastSweep())],
    async close() {
      stopping.abort();
      await timer.close();
    },
  };
}

/** Nothing to refuse where nothing is stopped any more: it is as was asked. */
export function refuseOther(pause: SeenPause | undefined, seen: SeenPause | undefined): void {
  if (!pause || !seen || (pause.at === seen.at && pause.by === seen.by)) return;
  const userMessage = `letting everything go on: the stop of ${seen.at} by "${seen.by}" is over, and "${pause.by}" stops it since ${pause.at}; nothing was taken back`;
  throw new ConflictError({ reason: "StoppedByOther", userMessage });
}

function pauseFindings(pause: Pause | undefined): readonly Finding[] {
  if (!pause) return [];
  const what = `everything is stopped since ${pause.at}, as asked by "${pause.by}"`;
  return [{ ok: true, what, remedy: "stackling resume-all lets it go on" }];
}

function sweepFindings(last: SweepReport | undefined): readonly Finding[] {
  if (!last) return [];
  const { at, found, removed, failed, unread } = last;
  const what = `the sweep of ${at}: ${found.length} found, ${removed.length} removed, ${failed.length} failed`;
  const remedy = remedyOf(last);
  return [{ ok: failed.length + unread.length === 0, what, ...(remedy ? { remedy } : {}) }];
}

function remedyOf({ dryRun, found, removed, failed, unread }: SweepReport): string | undefined {
  if (failed.length + unread.length > 0) return "stackling sweep says what failed and tries again";
  if (found.some(({ stack, needsConfirmation }) => needsConfirmation && !removed.includes(stack))) {
    return "stackling sweep --dry-run names them, and --confirm removes what only a person may";
  }
  if (!dryRun || found.length === 0) return undefined;
  return "the first sweep only names what it finds; the next one removes it, and stackling sweep does so now";
}
