/** As many warm children as engines may run at once; whoever comes while all are busy waits in line. */
import { setTimeout as delay } from "node:timers/promises";
import PQueue from "p-queue";
import { StacklingError } from "../components/errors.ts";
import type { RunnerProcess } from "./runner-process.ts";
import type { EngineLoad } from "./stacks.ts";

export interface RunnerPool {
  /** Resolves when every child is warm; rejects with the first that cannot start. */
  warm(): Promise<void>;
  /** Gives a child to `work` alone, `first` before others that wait. Rejects with reason `Closing` once the pool closes. */
  use<T>(work: (child: RunnerProcess) => Promise<T>, line?: { readonly first?: boolean }): Promise<T>;
  load(): EngineLoad;
  /** Lets runs finish for half of `patienceMs`, interrupts them, and at its end kills what is left. */
  close(patienceMs: number): Promise<void>;
}

export function createRunnerPool(size: number, start: () => Promise<RunnerProcess>): RunnerPool {
  const queue = new PQueue({ concurrency: size });
  const state = { closed: false };
  const slots = Array.from({ length: size }, () => createSlot(start, state));
  const idle = [...slots];
  return {
    warm: async () => {
      await Promise.all(slots.map((slot) => slot.child()));
    },
    use: (work, { first = false } = {}) =>
      queue.add(
        async () => {
          if (state.closed) throw closing();
          // The queue lets no more in than there are slots.
          const slot = idle.pop();
          if (!slot) throw closing();
          try {
            return await work(await slot.child());
          } finally {
            slot.renew();
            idle.push(slot);
          }
        },
        { priority: first ? 1 : 0 },
      ),
    load: () => ({ size, running: queue.pending, waiting: queue.size }),
    close: async (patienceMs) => {
      state.closed = true;
      const finished = queue.onIdle();
      await Promise.race([finished, delay(patienceMs / 2, undefined, { ref: false })]);
      for (const slot of slots) slot.current()?.interrupt();
      await Promise.race([finished, delay(patienceMs / 2, undefined, { ref: false })]);
      await Promise.all(slots.map((slot) => slot.end()));
      await finished;
    },
  };
}

/** A child's place: a child that is spent or gone is replaced at once, so that the next run finds a warm one. */
interface Slot {
  child(): Promise<RunnerProcess>;
  current(): RunnerProcess | undefined;
  renew(): void;
  end(): Promise<void>;
}

function createSlot(start: () => Promise<RunnerProcess>, state: { readonly closed: boolean }): Slot {
  let current: RunnerProcess | undefined;
  let pending = begin();

  function begin(): Promise<RunnerProcess> {
    current = undefined;
    const started = start().then((child) => {
      current = child;
      void child.gone.then(() => {
        if (current === child) renew();
      });
      return child;
    });
    started.catch(() => {});
    return started;
  }

  function renew(): void {
    if (!current?.spent()) return;
    void current.end();
    if (!state.closed) pending = begin();
  }

  return {
    // One that could not start may start now: the disk was full, the memory short.
    child: () => pending.catch(() => (pending = begin())),
    current: () => current,
    renew,
    end: async () => {
      const child = await pending.catch(() => undefined);
      await child?.end();
    },
  };
}

function closing(): StacklingError {
  return new StacklingError({ reason: "Closing", userMessage: "running the engine: the service is stopping" });
}
