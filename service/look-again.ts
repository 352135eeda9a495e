import type { Logger } from "pino";
import type { ReconcileDeps } from "./reconcile.ts";
import type { Store } from "./store/store.ts";

/** Enqueues a key later; lost with the process, whose next life looks at everything anyway. */
export function createLookAgain(
  { store, logger }: { readonly store: Pick<Store, "enqueue">; readonly logger: Logger },
  stopping: AbortSignal,
): ReconcileDeps["lookAgain"] {
  const lookAgain: ReconcileDeps["lookAgain"] = (key, afterMs) => {
    const timer = setTimeout(() => {
      if (stopping.aborted) return;
      store.enqueue([key]).catch((error) => {
        logger.warn({ err: error, key }, "enqueuing failed; it is tried again");
        lookAgain(key, afterMs);
      });
    }, afterMs);
    timer.unref();
  };
  return lookAgain;
}
