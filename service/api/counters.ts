/** Counts in memory and writes in batches, so that a flood of bad requests is no flood of writes. */
import type { Store } from "../store/store.ts";

export interface Counters {
  add(name: string): void;
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** Names beyond this many between two writes are counted together. */
const NAMES_MAX = 100;

export function createCounters({
  store,
  onError,
  flushIntervalMs = 5_000,
}: {
  readonly store: Pick<Store, "count">;
  readonly onError: (error: unknown) => void;
  readonly flushIntervalMs?: number;
}): Counters {
  let pending = new Map<string, number>();
  const add = (name: string, by = 1) => {
    const known = pending.has(name) || pending.size < NAMES_MAX;
    const counted = known ? name : "other";
    pending.set(counted, (pending.get(counted) ?? 0) + by);
  };
  const flush = async () => {
    const batch = pending;
    pending = new Map();
    for (const [name, by] of batch) {
      try {
        await store.count(name, by);
      } catch (error) {
        add(name, by);
        onError(error);
      }
    }
  };
  const timer = setInterval(() => void flush(), flushIntervalMs);
  timer.unref();
  return {
    add: (name) => add(name),
    flush,
    close() {
      clearInterval(timer);
      return flush();
    },
  };
}
