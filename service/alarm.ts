/** A preview that will not go costs money and holds names: after some tries a person is told. */
import type { Logger } from "pino";
import type { Finding } from "../components/ports.ts";
import type { Preview } from "./status.ts";
import type { Store } from "./store/store.ts";

/** Failed destroys in a row before it is an alarm; by then a minute has passed. */
export const ALARM_AFTER = 5;
/** Counter of all failed destroys. */
const COUNTER = "failed destroys";

export interface AlarmDeps {
  readonly store: Pick<Store, "count">;
  readonly logger: Pick<Logger, "warn" | "error">;
}

/** Counts a destroy that failed, and from the `ALARM_AFTER`th on says so in the log. Never rejects. */
export function createAlarm({ store, logger }: AlarmDeps): (preview: Preview) => Promise<void> {
  return async ({ key, stack, status }) => {
    const about = { key, stack, destroyFailures: status.destroyFailures, message: status.message };
    if (isAlarming({ status }))
      logger.error(about, "a preview cannot be removed; it is tried again, at most an hour apart");
    else logger.warn(about, "removing a preview failed; it is tried again");
    await store
      .count(COUNTER)
      .catch((error: unknown) => logger.warn({ err: error }, "counting a failed destroy failed"));
  };
}

export function isAlarming({ status }: Pick<Preview, "status">): boolean {
  return status.goneAt === undefined && status.destroyFailures >= ALARM_AFTER;
}

/** What `doctor` says of them. */
export function alarmFindings(previews: readonly Preview[]): readonly Finding[] {
  return previews.filter(isAlarming).map(({ key, status: { destroyFailures, message } }) => ({
    ok: false,
    what: `removing "${key}" failed ${destroyFailures} times: ${message}`,
    remedy: `mend what it names; it is tried at least once an hour, and at once by \`stackling down '${key}'\``,
  }));
}
