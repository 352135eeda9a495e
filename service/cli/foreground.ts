import type { CliContext } from "./context.ts";
import { printLine } from "./output.ts";

const STOP_WITHIN_MS = 45_000;

/** A terminal's Ctrl-C reaches a program under npm twice within a moment; that is one wish to stop. */
const ONE_WISH_MS = 1_000;

export interface Stay<Running> {
  /** What takes its time to begin; a signal meanwhile is heeded once it has begun. */
  readonly start: () => Promise<Running>;
  readonly work: (running: Running, signal: AbortSignal) => Promise<number>;
  readonly stop: (running: Running) => Promise<void>;
}

/**
 * Runs `start` and `work` until they end or Ctrl-C, SIGTERM or SIGHUP comes, then `stop`, within
 * bounds. A later signal ends the process at once; what then still runs is adopted by the next start.
 */
export async function inForeground<Running>(
  context: CliContext,
  { start, work, stop }: Stay<Running>,
): Promise<number> {
  const asked = new AbortController();
  let askedAt = 0;
  const onSignal = () => {
    if (!asked.signal.aborted) {
      askedAt = performance.now();
      printLine(context.stderr, "stopping … (once more to end at once)");
      asked.abort();
    } else if (performance.now() - askedAt > ONE_WISH_MS) {
      printLine(context.stderr, "ended at once; what is left is adopted by the next start, or ended by stackling stop");
      process.exit(1);
    }
  };
  for (const name of SIGNALS) process.on(name, onSignal);
  try {
    const running = await begun(asked.signal, start());
    if (!running) return 0;
    try {
      return asked.signal.aborted ? 0 : await heeding(asked.signal, work(running, asked.signal));
    } finally {
      await bounded(stop(running), context);
    }
  } finally {
    for (const name of SIGNALS) process.off(name, onSignal);
  }
}

/** A start that fails behind a Ctrl-C failed because of it: the terminal sends it to our helpers too. */
async function begun<Running>(signal: AbortSignal, starting: Promise<Running>): Promise<Running | undefined> {
  return starting.catch((error: unknown) => {
    if (signal.aborted) return undefined;
    throw error;
  });
}

/** Work that was broken off because a person asked for it has not failed. */
async function heeding(signal: AbortSignal, work: Promise<number>): Promise<number> {
  return work.catch((error: unknown) => {
    if (signal.aborted && error instanceof Error && error.name === "AbortError") return 0;
    throw error;
  });
}

/** Resolves when the signal aborts. */
export function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

async function bounded(stopping: Promise<void>, { stderr }: CliContext): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(() => {
      printLine(
        stderr,
        `stopping took more than ${STOP_WITHIN_MS / 1000} s and was given up; stackling stop ends what is left`,
      );
      resolve();
    }, STOP_WITHIN_MS);
  });
  await Promise.race([stopping, late]);
  clearTimeout(timer);
}
