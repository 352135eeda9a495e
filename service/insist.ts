import type { Logger } from "pino";

const AGAIN_FIRST_MS = 1_000;
const AGAIN_LAST_MS = 30_000;

/** Work that nobody asks for again when it fails: it asks for itself. */
export interface Insistence {
  /** Begins `work` and returns; what fails is logged and begun again, later each time, until it succeeds or is asked for anew. */
  begin(what: string, work: () => Promise<unknown>): void;
  /** Begins no more and resolves when what runs has ended. */
  close(): Promise<void>;
}

export function createInsistence({ logger }: { readonly logger: Pick<Logger, "warn"> }): Insistence {
  const again = new Map<string, NodeJS.Timeout>();
  const running = new Set<Promise<void>>();
  let closed = false;

  function begin(what: string, work: () => Promise<unknown>, failures: number): void {
    clearTimeout(again.get(what));
    again.delete(what);
    if (closed) return;
    const attempt = work().then(nothing, (error: unknown) => {
      logger.warn({ err: error }, `${what} failed; it is tried again`);
      // Asked for anew meanwhile: that one insists already.
      if (closed || again.has(what)) return;
      const waitMs = Math.min(AGAIN_FIRST_MS * 2 ** failures, AGAIN_LAST_MS);
      again.set(what, setTimeout(() => begin(what, work, failures + 1), waitMs).unref());
    });
    running.add(attempt);
    void attempt.then(() => running.delete(attempt));
  }

  return {
    begin: (what, work) => begin(what, work, 0),
    async close() {
      closed = true;
      for (const timer of again.values()) clearTimeout(timer);
      await Promise.all(running);
    },
  };
}

function nothing(): void {}
