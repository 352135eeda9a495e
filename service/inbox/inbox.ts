/**
 * Takes deliveries to the store in groups: what arrives while one commit is under way goes into the
 * next. One fsync then serves hundreds of deliveries, and a lone one waits for nobody.
 */
import { setTimeout as delay } from "node:timers/promises";
import { StacklingError } from "../../components/errors.ts";
import type { DeliveryRow, Store } from "../store/store.ts";

const BATCH_MAX = 250;
/** Beyond this many waiting, senders are told to come again. */
const WAITING_MAX = 20_000;
const CALM_PATIENCE_MS = 1_000;
const CALM_LOOK_MS = 5;

export interface Inbox {
  /** Resolves once the delivery is committed and its key enqueued; rejects when it is not stored. */
  receive(delivery: DeliveryRow): Promise<void>;
  /** Resolves when no delivery waits, or after a second: what senders wait for goes before what nobody sees. */
  calm(): Promise<void>;
}

interface Waiting {
  readonly delivery: DeliveryRow;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export function createInbox({ store }: { readonly store: Pick<Store, "receive"> }): Inbox {
  let waiting: Waiting[] = [];
  let flushing = false;

  async function flush(): Promise<void> {
    if (flushing) return;
    flushing = true;
    while (waiting.length > 0) {
      const batch = waiting.slice(0, BATCH_MAX);
      waiting = waiting.slice(BATCH_MAX);
      await commit(batch);
    }
    flushing = false;
  }

  async function commit(batch: readonly Waiting[]): Promise<void> {
    try {
      await store.receive(batch.map(({ delivery }) => delivery));
      for (const { resolve } of batch) resolve();
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }

  return {
    receive: (delivery) =>
      new Promise((resolve, reject) => {
        if (waiting.length >= WAITING_MAX) return reject(overloaded());
        waiting.push({ delivery, resolve, reject });
        // After what is already readable: a burst on many connections starts as one group.
        setImmediate(() => void flush());
      }),
    async calm() {
      const deadline = performance.now() + CALM_PATIENCE_MS;
      while ((flushing || waiting.length > 0) && performance.now() < deadline) await delay(CALM_LOOK_MS);
    },
  };
}

function overloaded(): StacklingError {
  return new StacklingError({
    reason: "Overloaded",
    userMessage: `storing a delivery: ${WAITING_MAX} are waiting already`,
  });
}
