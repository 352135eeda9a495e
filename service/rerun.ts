/** A check that somebody asked for again: a wish like `redeploy`, stored before its delivery is taken. */
import type { Audit } from "./audit.ts";
import type { Store } from "./store/store.ts";
import type { WebhooksDeps } from "./webhooks.ts";
import { raised } from "./wishes.ts";

/**
 * Each delivery counts once, however often it comes. Nothing comes of one for a preview that is not known, and
 * what may not run waits on: a stranger's commit for its approval.
 */
export function createRerun({
  store,
  audit,
}: {
  readonly store: Pick<Store, "update">;
  readonly audit: Pick<Audit, "record">;
}): NonNullable<WebhooksDeps["onRerun"]> {
  return async (key, { by, deliveryId }) => {
    let isNew = false;
    await store.update(key, (preview) => {
      const { intents } = preview;
      isNew = intents.rerun !== deliveryId;
      return isNew ? { intents: { ...intents, ...raised(preview, "deploy"), rerun: deliveryId } } : {};
    });
    if (!isNew) return;
    const note = { actor: `@${by}`, action: "redeploy", key, detail: "by its check's page" };
    await audit.record({ ...note, via: "service", outcome: "done" });
  };
}
