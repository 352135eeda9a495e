/** Takes keys from the queue and reconciles them, many previews at once and each by one alone. */
import type { Logger } from "pino";
import type { Job, Queue } from "./store/queue.ts";
import { createTracing, type SpanStart, type Tracing } from "./tracing/tracing.ts";

const POLL_MS = 5_000;
const TOUCH_MS = 3_000;
/** A burst of wishes for one key costs at most one look at the forge in this time. */
const WISH_EVERY_MS = 1_000;
const FAILED_AGAIN_MS = 5_000;

export interface WorkerDeps {
  readonly queue: Queue;
  readonly reconcile: (key: string) => Promise<void>;
  /** Called when a reconcile itself broke (store away, a fault of ours). */
  readonly lookAgain: (key: string, afterMs: number) => void;
  /** Awaited before more is begun; resolves when nothing more urgent is under way. */
  readonly calm: () => Promise<void>;
  /** Previews worked on at once. */
  readonly concurrency: number;
  /** Absent: no traces are made. */
  readonly tracing?: Tracing;
  readonly logger: Logger;
}

export interface Worker {
  /** Keys being worked on now. */
  running(): readonly string[];
  /** Calls back when somebody asks for a look at a key that is being worked on. */
  onWish(key: string, listener: () => void): () => void;
  /** Takes no more and resolves when what runs has ended. */
  drain(): Promise<void>;
}

interface Run {
  readonly job: Job;
  readonly ended: Promise<void>;
}

export function startWorker(deps: WorkerDeps): Worker {
  const { queue, logger, tracing = createTracing() } = deps;
  const runs = new Map<string, Run>();
  const wishes = new Map<string, { readonly listeners: Set<() => void>; toldAt: number }>();
  const state = { draining: false, fetching: false, again: false };

  const unsubscribe = queue.onWork(() => {
    void fetchMore();
    void tellWishes();
  });
  const poll = setInterval(() => void fetchMore(), POLL_MS);
  const touch = setInterval(() => void touchAll(), TOUCH_MS);
  void fetchMore();

  /** Fills the free places; a call while one is under way makes it look once more. */
  async function fetchMore(): Promise<void> {
    state.again = true;
    if (state.fetching) return;
    state.fetching = true;
    while (state.again && !state.draining && runs.size < deps.concurrency) {
      await deps.calm();
      state.again = false;
      try {
        const jobs = await queue.fetch(deps.concurrency - runs.size);
        // One that is worked on comes again when the store was away for longer than a heartbeat.
        for (const job of jobs) if (!runs.has(job.id)) begin(job);
      } catch (error) {
        logger.warn({ err: error }, "taking work from the queue failed; it is tried again");
      }
    }
    state.fetching = false;
  }

  function begin(job: Job): void {
    const { key, deliveryId } = job;
    const ended = tracing
      .apart({ key, deliveryId }, () => work(job))
      .finally(() => {
        runs.delete(job.id);
        if (!state.draining) void fetchMore();
      });
    runs.set(job.id, { job, ended });
  }

  async function work(job: Job): Promise<void> {
    try {
      await tracing.span(reconcileSpan(job, tracing), () => deps.reconcile(job.key));
    } catch (error) {
      logger.error({ err: error, key: job.key }, "reconciling failed; it is tried again");
      deps.lookAgain(job.key, FAILED_AGAIN_MS);
    }
    try {
      await queue.done(job);
    } catch (error) {
      // The queue hands it out again when its heartbeat is past.
      logger.warn({ err: error, key: job.key }, "ending a job failed");
    }
  }

  async function touchAll(): Promise<void> {
    const jobs = [...runs.values()].map(({ job }) => job);
    if (jobs.length === 0) return;
    await queue.touch(jobs).catch((error) => logger.warn({ err: error }, "keeping hold of jobs failed"));
  }

  async function tellWishes(): Promise<void> {
    const now = performance.now();
    const asked = [...wishes].filter(([, wish]) => now - wish.toldAt >= WISH_EVERY_MS).map(([key]) => key);
    if (asked.length === 0) return;
    const waiting = await queue.waiting(asked).catch(() => []);
    for (const key of waiting) {
      const wish = wishes.get(key);
      if (!wish) continue;
      wish.toldAt = now;
      for (const listener of wish.listeners) listener();
    }
  }

  return {
    running: () => [...runs.values()].map(({ job }) => job.key),
    onWish(key, listener) {
      const wish = wishes.get(key) ?? { listeners: new Set(), toldAt: Number.NEGATIVE_INFINITY };
      wish.listeners.add(listener);
      wishes.set(key, wish);
      return () => {
        wish.listeners.delete(listener);
        if (wish.listeners.size === 0) wishes.delete(key);
      };
    },
    async drain() {
      state.draining = true;
      unsubscribe();
      clearInterval(poll);
      await Promise.allSettled([...runs.values()].map(({ ended }) => ended));
      clearInterval(touch);
    },
  };
}

/**
 * It is part of the first delivery's trace; those that came while it waited for its turn are linked. A look that nobody
 * asked for goes on with what an earlier one has not come to the end of.
 */
function reconcileSpan({ key, deliveryId, traces = [] }: Job, { unfinished }: Pick<Tracing, "unfinished">): SpanStart {
  const [parent = unfinished.of(key), ...links] = traces;
  if (traces[0] !== undefined) unfinished.begin(key, traces[0]);
  const attributes = {
    "messaging.system": "pg-boss",
    "messaging.operation.type": "process",
    "messaging.destination.name": "look",
  };
  return {
    name: "reconcile",
    kind: "consumer",
    parent,
    links,
    attributes: { ...attributes, "stackling.preview": key, "stackling.delivery.id": deliveryId },
  };
}
