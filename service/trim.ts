/** Trims this machine's caches and the audit at the start and once a day. */
import type { Logger } from "pino";
import { trimCaches } from "../components/local/trim.ts";
import { every } from "./every.ts";
import type { AuditTrim } from "./store/audit.ts";
import type { Store } from "./store/store.ts";

const EVERY_MS = 86_400_000;

export interface TrimDeps {
  readonly dataDir: string;
  readonly store: Pick<Store, "list"> & AuditTrim;
  /** How long the audit is kept. */
  readonly auditDays: number;
  readonly logger: Pick<Logger, "info" | "warn">;
}

/** `close` resolves when a trim under way has ended. */
export function startTrim({ dataDir, store, auditDays, logger }: TrimDeps): { close(): Promise<void> } {
  const both = async () => void (await Promise.all([trim(), trimAudit()]));
  const first = both();
  const timer = every(EVERY_MS, both);
  return {
    async close() {
      await timer.close();
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

  async function trim(): Promise<void> {
    try {
      const live = (await store.list()).flatMap(({ status }) => (status.live ? [status.live.source.repository] : []));
      const removed = await trimCaches({ dataDir, now: Date.now(), inUse: live });
      if (removed.length > 0) logger.info({ removed }, "removed installs and mirrors that nobody used for long");
    } catch (error) {
      logger.warn({ err: error }, "trimming the caches failed; it is tried again tomorrow");
    }
  }
}
