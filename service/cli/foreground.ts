import type { CliContext } from "./context.ts";
import { printLine } from "./output.ts";

const STOP_WITHIN_MS = 45_000;

/**
 * Runs `work` until it ends or Ctrl-C, SIGTERM or SIGHUP comes, then `stop`, within bounds. A second
 * signal ends the process at once; what then still runs is adopted by the next start.
 */
export async function inForeground(
  context: CliContext,
  { work, stop }: { readonly work: (signal: AbortSignal) => Promise<number>; readonly stop: () => Promise<void> },
): Promise<number> {
  const asked = new AbortController();
  const onSignal = () => {
    if (asked.signal.aborted) {
      printLine(context.stderr, "ended at once; what is left is adopted by the next start, or ended by stackling stop");
      process.exit(1);
    }
    printLine(context.stderr, "stopping … (once more to end at once)");
    asked.abort();
  };
  for (const name of SIGNALS) process.on(name, onSignal);
  try {
    return await work(asked.signal).catch((error: unknown) => {
      if (asked.signal.aborted && error instanceof Error && error.name === "AbortError") return 0;
      throw error;
    });
  } finally {
    await bounded(stop(), context);
    for (const name of SIGNALS) process.off(name, onSignal);
  }
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
