/** The deliveries of one hook: one that does not answer holds up none of the others'. */
import { AsyncLocalStorage } from "node:async_hooks";
import type { Logger } from "pino";
import type { HookConfig } from "../config/hooks.ts";
import { every } from "../every.ts";
import { sendHook } from "./send.ts";
import type { HookDelivery, HookStore } from "./store.ts";

const AT_ONCE = 8;

export interface HookQueueDeps {
  readonly store: Pick<HookStore, "takeHookDeliveries" | "endHookDelivery" | "retryHookDelivery">;
  readonly logger: Pick<Logger, "warn">;
  readonly lookEveryMs: number;
  /** Before each further attempt. */
  readonly againSeconds: readonly number[];
}

export interface HookQueue {
  /** There is something new in it. */
  look(): void;
  /** Resolves when nothing is being sent any more; what is left is sent after the next start. */
  close(): Promise<void>;
}

export function startHookQueue(
  { store, logger, lookEveryMs, againSeconds }: HookQueueDeps,
  { name, hook }: { readonly name: string; readonly hook: HookConfig },
): HookQueue {
  let isClosed = false;
  let sending: Promise<void> | undefined;

  const send = async (delivery: HookDelivery) => {
    const { id, attempts } = delivery;
    const { outcome, answer } = await sendHook(hook, delivery);
    if (outcome === "delivered") return store.endHookDelivery(id, { delivered: true, answer });
    const again = againSeconds[attempts];
    if (outcome === "never" || again === undefined) {
      logger.warn({ hook: name, key: delivery.body.key, answer }, "a delivery of a hook is given up");
      return store.endHookDelivery(id, { delivered: false, answer });
    }
    return store.retryHookDelivery(id, { afterMs: again * 1000, answer });
  };
  const sendDue = async () => {
    try {
      while (!isClosed) {
        const due = await store.takeHookDeliveries(name, AT_ONCE);
        if (due.length === 0) return;
        await Promise.all(due.map(send));
      }
    } catch (error) {
      logger.warn({ hook: name, err: error }, "looking for deliveries of a hook failed; it is tried again");
    }
  };
  // Bound, for what is due is of all previews, whichever asked.
  const look = AsyncLocalStorage.bind(() => {
    sending ??= sendDue().finally(() => {
      sending = undefined;
    });
    return sending;
  });
  const looking = every(lookEveryMs, look);

  return {
    look: () => void look(),
    async close() {
      isClosed = true;
      await looking.close();
      await sending;
    },
  };
}
