import { setTimeout as delay } from "node:timers/promises";
import type { Instance } from "../../test/e2e/support/instance.ts";

const AGAIN_AFTER_MS = 250;
const FAILED_AGAIN_MS = 1_000;
const START_WITHIN_MS = 60_000;

export interface Keeper {
  /** How often the service was started again, and how often that start failed. */
  readonly counts: { readonly restarts: number; readonly failed: number };
  /** Words of a service that ended otherwise than by SIGKILL since this was asked last. */
  takeCrashes(): readonly string[];
  /** Lets it lie from now on. */
  stop(): Promise<void>;
}

/** Starts the service again whenever it ends, as systemd or a container platform does for an operator. */
export function keepServing(instance: Instance): Keeper {
  const counts = { restarts: 0, failed: 0 };
  let crashes: string[] = [];
  let failed = false;
  const stopping = new AbortController();
  const over = keep();

  async function keep(): Promise<void> {
    while (!stopping.signal.aborted) {
      await Promise.race([instance.died(), aborted(stopping.signal)]);
      if (stopping.signal.aborted) return;
      const { exitCode, signalCode, stderr } = instance.lastEnd();
      // A start that failed is counted as that.
      if (signalCode !== "SIGKILL" && !failed)
        crashes.push(`the service ended by itself (${signalCode ?? exitCode}): ${stderr}`);
      await delay(AGAIN_AFTER_MS);
      if (stopping.signal.aborted) return;
      counts.restarts += 1;
      try {
        await instance.start();
        failed = false;
      } catch {
        failed = true;
        counts.failed += 1;
        await delay(FAILED_AGAIN_MS);
      }
    }
  }

  return {
    counts,
    takeCrashes() {
      const taken = crashes;
      crashes = [];
      return taken;
    },
    async stop() {
      stopping.abort();
      // A start that comes to no end is ended with its world.
      await Promise.race([over, delay(START_WITHIN_MS, undefined, { ref: false })]);
    },
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
