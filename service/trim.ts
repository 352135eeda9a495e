/** Trims this machine's caches, the logs and the audit at the start and once a day; the service's own log all the time. */
import type { Logger } from "pino";
import { trimCaches, trimLogs, trimOwnLog } from "../components/local/trim.ts";
import { pruneUsage } from "../components/local/usage.ts";
import { repositoriesOf } from "../infra/linked.ts";
import { every } from "./every.ts";
import type { AuditTrim } from "./store/audit.ts";
import type { Store } from "./store/store.ts";

const EVERY_MS = 86_400_000;
/** A fault may write a line a millisecond. */
const OWN_LOG_EVERY_MS = 60_000;
/** Longer than anybody goes back to find a fault, and no disk is filled by it. */
const OWN_LOG_DAYS = 30;

export interface TrimDeps {
  readonly dataDir: string;
  readonly store: Pick<Store, "list"> & AuditTrim;
  /** How long the audit is kept. */
  readonly auditDays: number;
  /** How long lines of applications' logs are kept here. */
  readonly logDays: number;
  readonly logger: Pick<Logger, "info" | "warn">;
}

/** `close` resolves when a trim under way has ended. */
export function startTrim({ dataDir, store, auditDays, logDays, logger }: TrimDeps): { close(): Promise<void> } {
  const all = async () => void (await Promise.all([trim(), trimAudit(), trimOldLogs()]));
  const firstOwn = trimOwn();
  const first = Promise.all([all(), firstOwn]);
  // Never two looks at the own log at once: they would set the same end aside twice.
  const timers = [every(EVERY_MS, all), every(OWN_LOG_EVERY_MS, () => firstOwn.then(trimOwn))];
  return {
    async close() {
      await Promise.all(timers.map((timer) => timer.close()));
      await first;
    },
  };

  async function trimAudit(): Promise<void> {
    try {
      const entries = await store.trimAudit(auditDays);
      if (entries > 0) logger.info({ entries, auditDays }, "removed old entries of the audit");
    } catch (error) {
      logger.warn({ err: error }, "trimming the audit failed; it is tried again tomorrow");
    }
  }

  async function trimOldLogs(): Promise<void> {
    try {
      await trimLogs({ dataDir, keepMs: logDays * EVERY_MS, now: Date.now() });
    } catch (error) {
      logger.warn({ err: error }, "trimming logs failed; it is tried again tomorrow");
    }
  }

  async function trimOwn(): Promise<void> {
    try {
      await trimOwnLog({ dataDir, keepMs: OWN_LOG_DAYS * EVERY_MS, now: Date.now() });
    } catch (error) {
      logger.warn({ err: error }, "trimming the own log failed; it is tried again in a minute");
    }
  }

  async function trim(): Promise<void> {
    try {
      const live = (await store.list()).flatMap(({ status }) => (status.live ? repositoriesOf(status.live) : []));
      await pruneUsage(dataDir, Date.now());
      const removed = await trimCaches({ dataDir, now: Date.now(), inUse: live });
      if (removed.length > 0) logger.info({ removed }, "removed installs and mirrors that nobody used for long");
    } catch (error) {
      logger.warn({ err: error }, "trimming the caches failed; it is tried again tomorrow");
    }
  }
}
