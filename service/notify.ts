/** Says elsewhere what became of a preview: the newest only, and never so that a reconcile fails. */
import { AsyncLocalStorage } from "node:async_hooks";
import type { Logger } from "pino";
import type { Preview } from "./status.ts";

/** Least time between two writes for one preview whose condition and reason stayed the same, and that nobody commanded. */
const QUIET_MS = 5_000;
/** A write that failed is tried again by itself, for nobody may look at the preview for days: for an hour, then with the next announcement. */
const RETRY = { firstMs: 15_000, capMs: 600_000, times: 10 };

/** `heldMs`: not now, for there is a limit; what is newest after so long is said instead. */
export type Outcome = "written" | "same" | "failed" | { readonly heldMs: number };

/** One place where it is said: the pull request, a chat. */
export interface Sink {
  /** Unique; for the log. */
  readonly name: string;
  /** Says what is new of it, and remembers that it did; `same` when there was nothing to be said. Rejects like `failed`. */
  write(preview: Preview): Promise<Outcome>;
}

export interface NotifierDeps {
  readonly sinks: readonly Sink[];
  readonly logger: Pick<Logger, "warn">;
  readonly quietMs?: number;
  /** Before the first retry; doubled each time. */
  readonly retryMs?: number;
}

export interface Notifier {
  /**
   * Takes note that a preview changed and returns at once; the write follows behind. Never rejects:
   * what failed is said again after a while and with the next announcement.
   */
  announce(preview: Preview): Promise<void>;
  /** Resolves when nothing is left to be written; what waits for its time is written now. */
  settled(): Promise<void>;
}

interface News {
  readonly preview: Preview;
  /** As part of what it was told by, for trace and log: the line's writer may have been begun by another. */
  readonly asToldBy: <T>(work: () => T) => T;
}

interface Line {
  /** Newest preview that was not looked at yet. */
  next: News | undefined;
  running: Promise<void> | undefined;
  /** What was written last, and when. */
  last: { readonly state: string; readonly atMs: number } | undefined;
  wake: (() => void) | undefined;
  /** Writes that failed since the last that did not. */
  failures: number;
}

/** One writer per sink and preview, many of both at once; no sink waits for another. */
export function createNotifier({ sinks, logger, quietMs = QUIET_MS, retryMs = RETRY.firstMs }: NotifierDeps): Notifier {
  const lines = new Map<string, Line>();
  let hurried = 0;

  const run = async (sink: Sink, id: string, line: Line) => {
    let isGone = false;
    while (line.next) {
      const waitMs = line.last ? line.last.atMs + quietMs - performance.now() : 0;
      if (waitMs > 0 && stateOf(line.next.preview) === line.last?.state && hurried === 0) {
        await pause(line, waitMs);
        continue;
      }
      const news = line.next;
      const { preview, asToldBy } = news;
      isGone = preview.status.goneAt !== undefined;
      line.next = undefined;
      const outcome = await asToldBy(() => write(sink, preview));
      if (outcome === "written") line.last = { state: stateOf(preview), atMs: performance.now() };
      line.failures = outcome === "failed" ? line.failures + 1 : 0;
      if (typeof outcome === "object") {
        // Stopping, it is said by the next start.
        if (hurried > 0) continue;
        line.next ??= news;
        await pause(line, outcome.heldMs);
        continue;
      }
      if (outcome !== "failed" || line.failures > RETRY.times || hurried > 0) continue;
      line.next ??= news;
      await pause(line, Math.min(retryMs * 2 ** (line.failures - 1), RETRY.capMs));
    }
    line.running = undefined;
    // Previews come and go for as long as the service runs.
    if (isGone) lines.delete(id);
  };

  const write = async (sink: Sink, preview: Preview): Promise<Outcome> => {
    try {
      return await sink.write(preview);
    } catch (error) {
      logger.warn({ key: preview.key, sink: sink.name, err: error }, "announcing a preview failed");
      return "failed";
    }
  };

  return {
    async announce(preview) {
      const news = { preview, asToldBy: AsyncLocalStorage.snapshot() };
      for (const sink of sinks) {
        const id = `${sink.name} ${preview.key}`;
        const line = lines.get(id) ?? newLine();
        lines.set(id, line);
        line.next = news;
        if (stateOf(preview) !== line.last?.state) line.wake?.();
        line.running ??= run(sink, id, line);
      }
    },
    async settled() {
      hurried++;
      try {
        for (const line of lines.values()) line.wake?.();
        await Promise.all([...lines.values()].map((line) => line.running));
      } finally {
        hurried--;
      }
    },
  };
}

function newLine(): Line {
  return { next: undefined, running: undefined, last: undefined, wake: undefined, failures: 0 };
}

function pause(line: Line, waitMs: number): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      line.wake = undefined;
      resolve();
    };
    const timer = setTimeout(done, waitMs);
    timer.unref();
    line.wake = done;
  });
}

/** Whoever gave a command waits for its answer, as people do for a new condition. */
function stateOf({ status, intents }: Preview): string {
  return `${status.condition} ${status.reason} ${intents.commands?.last?.id ?? ""}`;
}
