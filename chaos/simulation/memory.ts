/** Store and queue in memory, as Postgres and pg-boss keep them: for simulated time, which no database shares. */
import { type SeatChange, type SeatStore, type Sitter, seatsOf } from "../../service/caps/seats.ts";
import type { PauseSpan } from "../../service/pauses.ts";
import { changeStatus, type Preview, type Receipt } from "../../service/status.ts";
import type { Pause } from "../../service/store/operation.ts";
import type { Job, Queue } from "../../service/store/queue.ts";
import type { HistoryEntry, Store } from "../../service/store/store.ts";
import type { SweepReport } from "../../service/sweep/report.ts";

export interface Memory {
  readonly store: Store & SeatStore;
  readonly queue: Queue;
  /** Every receipt, oldest first. */
  readonly receipts: readonly Receipt[];
}

/** `now` is ISO 8601 UTC. Nothing here waits for anything but promises. */
export function createMemory({ now }: { readonly now: () => string }): Memory {
  const previews = new Map<string, Preview>();
  const byStack = new Map<string, string>();
  const deliveries = new Set<string>();
  const receipts: Receipt[] = [];
  const history: HistoryEntry[] = [];
  const sweeps: SweepReport[] = [];
  let paused: Pause | undefined;
  const past: PauseSpan[] = [];
  const counters = new Map<string, number>();
  const leases = createLeases();
  const listeners = new Set<(key: string) => void>();
  const { queue, enqueue } = createQueue();

  const put = (preview: Preview) => {
    previews.set(preview.key, preview);
    byStack.set(preview.stack, preview.key);
    for (const listener of listeners) listener(preview.key);
    return preview;
  };
  const update: Store["update"] = async (key, change) => {
    const before = previews.get(key);
    return before && put({ ...before, ...change(before), key, revision: before.revision + 1 });
  };
  const due = (at: string) => [...previews.values()].filter(({ dueAt }) => dueAt !== undefined && dueAt <= at);

  const store: Memory["store"] = {
    async receive(rows) {
      for (const { forge, deliveryId, key } of rows) {
        const id = `${forge} ${deliveryId}`;
        if (deliveries.has(id)) continue;
        deliveries.add(id);
        if (key !== undefined) enqueue([key]);
      }
    },
    enqueue: async (keys) => enqueue(keys),
    find: async (key) => previews.get(key),
    findByStack: async (stack) => previews.get(byStack.get(stack) ?? ""),
    list: async ({ gone = false, repository } = {}) =>
      [...previews.values()].filter(
        (preview) =>
          (gone || preview.status.goneAt === undefined) &&
          (repository === undefined || preview.repository === repository),
      ),
    current: async () => [...previews.values()].filter(({ status }) => status.goneAt === undefined),
    create: async (preview) => previews.get(preview.key) ?? put({ ...preview, revision: 1 }),
    update,
    updateAndNote: (key, change) =>
      update(key, (held) => {
        const { fields, history: noted } = change(held);
        history.push(...noted.map((entry) => ({ key, ...entry })));
        return fields;
      }),
    async setStatus(key, status) {
      const before = previews.get(key)?.status;
      const preview = await update(key, (held) => ({ status: changeStatus(held.status, status, now()) }));
      if (!preview || !before) return preview;
      const { condition, reason, message, since } = preview.status;
      if (condition !== before.condition || reason !== before.reason) history.push({ key, at: since, reason, message });
      return preview;
    },
    async setDue(key, dueAt) {
      const preview = previews.get(key);
      if (preview) put({ ...preview, dueAt });
    },
    due: async (at) => due(at).map(({ key }) => key),
    async enqueueDue(at) {
      for (const preview of due(at)) {
        put({ ...preview, dueAt: undefined });
        enqueue([preview.key]);
      }
    },
    async visited(visits) {
      for (const [key, lastVisitAt] of Object.entries(visits)) {
        const preview = previews.get(key);
        if (preview && (preview.lastVisitAt ?? "") < lastVisitAt) put({ ...preview, lastVisitAt });
      }
    },
    acquireLease: async (stack) => leases.acquire(stack),
    releaseOwnLeases: async () => leases.clear(),
    repositories: async () => [],
    registerRepository: async () => {},
    forgetRepository: async () => {},
    record: async (entry) => void history.push(entry),
    history: async (key, limit) =>
      history
        .filter((entry) => entry.key === key)
        .reverse()
        .slice(0, limit),
    addReceipt: async (receipt) => void receipts.push(receipt),
    receipts: async (key) => receipts.filter((receipt) => receipt.key === key).reverse(),
    async count(name, by = 1) {
      counters.set(name, (counters.get(name) ?? 0) + by);
    },
    counters: async () => Object.fromEntries(counters),
    pause: async () => paused,
    pauses: async () => [...past, ...(paused ? [{ from: paused.at }] : [])],
    async setPause(pause) {
      if (!pause && paused) past.push({ from: paused.at, to: now() });
      paused = pause && (paused ?? pause);
    },
    endPause: async (by) => (paused?.by === by ? store.setPause(undefined) : undefined),
    lastSweep: async () => sweeps.at(-1),
    addSweep: async (report) => void sweeps.push(report),
    ...createSeats({ previews, update, enqueue }),
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    ping: async () => {},
    close: async () => {},
  };
  return { store, queue, receipts };
}

interface SeatDeps {
  readonly previews: ReadonlyMap<string, Preview>;
  readonly update: Store["update"];
  readonly enqueue: (keys: readonly string[]) => void;
}

function createSeats({ previews, update, enqueue }: SeatDeps): SeatStore {
  const seats = new Map<string, { readonly since: string; readonly granted: boolean }>();
  const grant = (key: string, now: string) => void seats.set(key, { since: now, ...seats.get(key), granted: true });
  const sitters = (): Sitter[] =>
    [...previews.values()]
      .filter((preview) => seats.has(preview.key) || serves(preview))
      .map((preview) => toSitter(preview, seats.get(preview.key)?.granted === true))
      .sort((one, other) => compare(sinceOf(one.key), sinceOf(other.key)) || compare(one.key, other.key));
  // Without a seat's row it serves: behind all others, as Postgres sorts nulls.
  const sinceOf = (key: string) => seats.get(key)?.since ?? "~";
  return {
    async arrangeSeats(change: SeatChange, arrange) {
      const { wants, leaves, now } = change;
      if (leaves !== undefined) seats.delete(leaves);
      if (wants !== undefined && !seats.has(wants)) seats.set(wants, { since: now, granted: false });
      const arrangement = arrange(seatsOf(sitters(), change));
      const { granted, sentToSleep } = arrangement;
      for (const key of granted) grant(key, now);
      for (const key of sentToSleep) {
        await update(key, ({ intents }) => ({ intents: { ...intents, asleep: true, asleepSince: now } }));
      }
      enqueue([...granted, ...sentToSleep].filter((key) => key !== wants));
      return arrangement;
    },
    concernsSeats: async (key) => seats.has(key) || [...seats.values()].some(({ granted }) => !granted),
  };
}

function serves({ status }: Preview): boolean {
  return status.goneAt === undefined && status.live !== undefined && status.awake;
}

function toSitter(preview: Preview, granted: boolean): Sitter {
  const { key, repository, createdAt, lastPushAt, lastVisitAt, intents, status, pullRequest } = preview;
  const isServing = serves(preview);
  return {
    ...{ key, repository, createdAt, lastPushAt, lastVisitAt, intents },
    author: pullRequest?.author ?? null,
    labels: pullRequest?.labels ?? [],
    serves: isServing,
    held: isServing || granted,
    busy: granted || status.interrupted,
    shownSince: status.since,
    target: status.live?.target ?? null,
  };
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

/** One job waits per key at most, and one more runs: as pg-boss' policy `short` with one group per preview. */
function createQueue(): { readonly queue: Queue; readonly enqueue: (keys: readonly string[]) => void } {
  const waiting = new Set<string>();
  const running = new Set<string>();
  const listeners = new Set<() => void>();
  let jobs = 0;
  const tell = () => {
    for (const listener of listeners) listener();
  };
  return {
    enqueue(keys) {
      for (const key of keys) waiting.add(key);
      if (keys.length > 0) tell();
    },
    queue: {
      async fetch(limit) {
        const keys = [...waiting].filter((key) => !running.has(key)).slice(0, limit);
        return keys.map((key): Job => {
          waiting.delete(key);
          running.add(key);
          jobs += 1;
          return { id: `job-${jobs}`, key };
        });
      },
      waiting: async (keys) => keys.filter((key) => waiting.has(key)),
      touch: async () => {},
      async done({ key }) {
        running.delete(key);
        if (waiting.has(key)) tell();
      },
      onWork(listener) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
  };
}

function createLeases() {
  const held = new Set<string>();
  let fence = 0;
  return {
    clear: () => held.clear(),
    acquire(stack: string): Awaited<ReturnType<Store["acquireLease"]>> {
      if (held.has(stack)) return undefined;
      held.add(stack);
      fence += 1;
      return {
        stack,
        fence,
        lost: new AbortController().signal,
        onRenewed: () => () => {},
        recordEngine: async () => {},
        priorEngines: async () => [],
        release: async () => void held.delete(stack),
      };
    },
  };
}
