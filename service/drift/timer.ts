/** The looks at the world that nobody asks for: one at a time over all replicas, and only while engines have time. */
import type { Logger } from "pino";
import { ConflictError } from "../../components/errors.ts";
import type { EngineLoad } from "../../infra/stacks.ts";
import type { DriftPolicy } from "../config/types.ts";
import { every } from "../every.ts";
import type { Preview } from "../status.ts";
import type { Store } from "../store/store.ts";
import { nextLook } from "./choose.ts";
import type { Compare } from "./compare.ts";

/** The lease of this name, which no stack can have, is the turn to look. */
const TURN = "@drift";
const LOOK_EVERY_MS = { least: 1_000, most: 60_000 };
/** How soon an engine is given back to whoever waits for one. */
const YIELD_WITHIN_MS = 250;
/** One whose look was broken off is left in peace for so long, that others have their turn. */
const AGAIN_AFTER_MS = 300_000;

export interface DriftTimerDeps {
  readonly store: Pick<Store, "list" | "pause" | "acquireLease" | "onChange">;
  readonly compare: Compare;
  /** Puts right what differs; resolves when the wish is stored. */
  readonly repair: (key: string, by: string) => Promise<unknown>;
  readonly engines: () => EngineLoad;
  /** Of the preview's repository. */
  readonly policyOf: (preview: Preview) => Promise<DriftPolicy>;
  readonly everySeconds: number;
  readonly now: () => string;
  readonly logger: Pick<Logger, "info" | "warn">;
}

/** `close` resolves when a look under way has ended, which it is told to. */
export function startDriftTimer(deps: DriftTimerDeps): { close(): Promise<void> } {
  const { store, engines, now, logger, everySeconds } = deps;
  const stopping = new AbortController();
  const brokenOff = new Map<string, number>();
  const everyMs = Math.min(Math.max(everySeconds * 250, LOOK_EVERY_MS.least), LOOK_EVERY_MS.most);
  const timer = every(everyMs, lookAround);
  return {
    async close() {
      stopping.abort();
      await timer.close();
    },
  };

  async function lookAround(): Promise<void> {
    try {
      if (!hasTime(engines()) || !(await findNext())) return;
      const turn = await store.acquireLease(TURN);
      if (!turn) return;
      try {
        while (!stopping.signal.aborted && !turn.lost.aborted && hasTime(engines())) {
          // Read again under the turn: another replica may just have looked.
          const next = await findNext();
          if (!next) return;
          await lookAt(next.preview, next.policy, turn.lost);
        }
      } finally {
        await turn.release();
      }
    } catch (error) {
      logger.warn({ err: error }, "looking for drift failed; it is tried again in a while");
    }
  }

  async function findNext(): Promise<{ readonly preview: Preview; readonly policy: DriftPolicy } | undefined> {
    if (await store.pause()) return undefined;
    const previews = await store.list();
    const policies = new Map<string, DriftPolicy>();
    for (const preview of previews) {
      if (!policies.has(preview.repository)) policies.set(preview.repository, await deps.policyOf(preview));
    }
    const policyOf = ({ repository }: Preview) => policies.get(repository) ?? "off";
    const isWatched = (preview: Preview) => policyOf(preview) !== "off" && !isLeftInPeace(preview.key);
    const preview = nextLook(previews, { everySeconds, isWatched }, now());
    return preview && { preview, policy: policyOf(preview) };
  }

  async function lookAt({ key }: Preview, policy: DriftPolicy, lost: AbortSignal): Promise<void> {
    const wanted = watchForOthers(key);
    const interrupt = AbortSignal.any([stopping.signal, lost, wanted.signal]);
    try {
      const { differences } = await deps.compare(key, { interrupt });
      if (differences.length === 0) return;
      logger.info({ key, policy, differences: differences.map(({ message }) => message) }, "found drift");
      if (policy === "repair") await deps.repair(key, "drift");
    } catch (error) {
      brokenOff.set(key, performance.now());
      if (interrupt.aborted || error instanceof ConflictError) return;
      logger.warn({ key, err: error }, "a look for drift could not be read");
    } finally {
      wanted.stop();
    }
  }

  /** Aborts when a run waits for an engine, or something of the preview itself changes: both go first. */
  function watchForOthers(key: string): { readonly signal: AbortSignal; stop(): void } {
    const others = new AbortController();
    const look = setInterval(() => {
      if (engines().waiting > 0) others.abort();
    }, YIELD_WITHIN_MS);
    const stopListening = store.onChange((changed) => {
      if (changed === key) others.abort();
    });
    return {
      signal: others.signal,
      stop() {
        clearInterval(look);
        stopListening();
      },
    };
  }

  function isLeftInPeace(key: string): boolean {
    const at = brokenOff.get(key);
    if (at === undefined) return false;
    if (performance.now() - at < Math.min(AGAIN_AFTER_MS, everySeconds * 1000)) return true;
    brokenOff.delete(key);
    return false;
  }
}

function hasTime({ size, running, waiting }: EngineLoad): boolean {
  return waiting === 0 && running < size;
}
