import type { Preview, PreviewStatus } from "../../service/status.ts";
import type { HistoryEntry, Store } from "../../service/store/store.ts";

/** The part of the store that edge and pages ask, in memory: for tests that are about HTTP, not about Postgres. */
export type MemoryStore = Pick<
  Store,
  | "list"
  | "current"
  | "find"
  | "findByStack"
  | "onChange"
  | "visited"
  | "history"
  | "receipts"
  | "count"
  | "counters"
  | "ping"
> & {
  put(preview: Preview): void;
  record(entry: HistoryEntry): Promise<void>;
  setStatus(key: string, status: Partial<PreviewStatus>): Promise<Preview | undefined>;
  readonly visits: Readonly<Record<string, string>>[];
  /** Questions answered so far, to see that a request asks none. */
  readonly questions: () => number;
  /** While true every question is refused, as by a database that is away. */
  away: boolean;
};

export function memoryStore(): MemoryStore {
  const previews = new Map<string, Preview>();
  const listeners = new Set<(key: string) => void>();
  const visits: Record<string, string>[] = [];
  const entries: HistoryEntry[] = [];
  const counted = new Map<string, number>();
  let asked = 0;
  const changed = (key: string) => {
    for (const listener of listeners) listener(key);
  };
  const ask = () => {
    asked += 1;
    if (store.away) throw new Error("the database is away");
  };

  const store: MemoryStore = {
    away: false,
    visits,
    questions: () => asked,
    put(preview) {
      const before = previews.get(preview.key);
      previews.set(preview.key, { ...preview, revision: (before?.revision ?? 0) + 1 });
      changed(preview.key);
    },
    async setStatus(key, status) {
      const preview = previews.get(key);
      if (preview) store.put({ ...preview, status: { ...preview.status, ...status } });
      return previews.get(key);
    },
    async list(options) {
      ask();
      return [...previews.values()].filter((preview) => options?.gone || !preview.status.goneAt);
    },
    current: () => store.list(),
    async find(key) {
      ask();
      return previews.get(key);
    },
    async findByStack(stack) {
      ask();
      return [...previews.values()].find((preview) => preview.stack === stack);
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async visited(batch) {
      ask();
      visits.push({ ...batch });
    },
    async record(entry) {
      entries.unshift(entry);
    },
    async history(key, limit) {
      ask();
      return entries.filter((entry) => entry.key === key).slice(0, limit);
    },
    async receipts() {
      return [];
    },
    async count(name, by = 1) {
      ask();
      counted.set(name, (counted.get(name) ?? 0) + by);
    },
    async counters() {
      return Object.fromEntries(counted);
    },
    async ping() {
      ask();
    },
  };
  return store;
}
