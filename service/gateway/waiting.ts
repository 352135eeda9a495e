/** Requests that are held while a preview wakes, bounded in number and time. */
export interface WaitingRoom {
  /**
   * Resolves `open` when the key's door opened, `late` when the time is up, `full` at once when too
   * many wait, `left` when `signal` aborts.
   */
  wait(key: string, how: Patience): Promise<"open" | "late" | "full" | "left">;
  /** Lets everyone who waits for the key go on. */
  release(key: string): void;
  /** How many wait now. */
  readonly size: number;
}

export interface Patience {
  readonly signal: AbortSignal;
  readonly withinMs: number;
}

export function createWaitingRoom({ max }: { readonly max: number }): WaitingRoom {
  const waiting = new Map<string, Set<() => void>>();
  let size = 0;

  return {
    get size() {
      return size;
    },
    wait(key, { signal, withinMs }) {
      if (signal.aborted) return Promise.resolve("left");
      if (size >= max) return Promise.resolve("full");
      size += 1;
      const { promise, resolve } = Promise.withResolvers<"open" | "late" | "left">();
      const everyone = waiting.get(key) ?? new Set();
      waiting.set(key, everyone);
      const go = () => resolve("open");
      const leave = () => resolve("left");
      const timer = setTimeout(() => resolve("late"), withinMs);
      everyone.add(go);
      signal.addEventListener("abort", leave, { once: true });
      return promise.finally(() => {
        clearTimeout(timer);
        signal.removeEventListener("abort", leave);
        everyone.delete(go);
        if (everyone.size === 0) waiting.delete(key);
        size -= 1;
      });
    },
    release(key) {
      for (const go of waiting.get(key) ?? []) go();
    },
  };
}
