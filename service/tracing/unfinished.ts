/** Traces of deliveries whose link, or what keeps it from coming, is not said yet. Of this process alone. */
export interface Unfinished {
  /** Put down anew, the newer one counts. */
  begin(key: string, traceparent: string): void;
  of(key: string): string | undefined;
  end(key: string): void;
}

const KEYS_MAX = 1_000;
/** A trace of days is read by nobody, and collectors have forgotten how it began. */
const KEPT_MS = 3_600_000;

/** @param elapsed milliseconds since any fixed moment */
export function createUnfinished(elapsed: () => number = () => performance.now()): Unfinished {
  const known = new Map<string, { readonly traceparent: string; readonly atMs: number }>();
  return {
    begin(key, traceparent) {
      known.delete(key);
      known.set(key, { traceparent, atMs: elapsed() });
      const [oldest] = known.keys();
      if (known.size > KEYS_MAX && oldest !== undefined) known.delete(oldest);
    },
    of(key) {
      const found = known.get(key);
      if (found && elapsed() - found.atMs < KEPT_MS) return found.traceparent;
      known.delete(key);
      return undefined;
    },
    end: (key) => void known.delete(key),
  };
}
