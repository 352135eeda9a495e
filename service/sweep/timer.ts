/** The sweep that nobody asks for: once in a while, whichever replica comes to it first. */
import type { Logger } from "pino";
import { every } from "../every.ts";
import type { Store } from "../store/store.ts";
import type { SweepReport } from "./report.ts";

/** How often it is looked whether one is due; also how long a start is left in peace. */
const LOOK_EVERY_MS = { least: 1_000, most: 300_000 };

export interface SweepTimerDeps {
  readonly store: Pick<Store, "lastSweep">;
  /** `first`: of a store that has seen none, and may be wrong about what is ours: it only says what it would do. */
  readonly sweep: (wish: { readonly first: boolean }) => Promise<SweepReport>;
  readonly everySeconds: number;
  readonly now: () => string;
  readonly logger: Pick<Logger, "info" | "warn">;
  readonly lookEveryMs?: number;
}

/** `close` resolves when a sweep under way has ended. */
export function startSweepTimer(deps: SweepTimerDeps): { close(): Promise<void> } {
  const { store, logger, everySeconds } = deps;
  const lookEveryMs = Math.min(Math.max(everySeconds * 250, LOOK_EVERY_MS.least), LOOK_EVERY_MS.most);
  return every(deps.lookEveryMs ?? lookEveryMs, look);

  async function look(): Promise<void> {
    try {
      const last = await store.lastSweep();
      if (last && Date.parse(deps.now()) - Date.parse(last.at) < everySeconds * 1000) return;
      const { found, removed, failed, unread } = await deps.sweep({ first: last === undefined });
      if (found.length + failed.length + unread.length === 0) return;
      logger.info({ found: found.length, removed, failed, unread }, "swept what no preview owns");
    } catch (error) {
      logger.warn({ err: error }, "the sweep failed; it is tried again in a while");
    }
  }
}
