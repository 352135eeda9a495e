/**
 * Who asked for what, when, from where, and what came of it. It outlives the previews it tells of, and stands
 * apart from their history, which says what happened and why. It is written where somebody acts, and not in the
 * depth; nothing secret belongs into it.
 */
import type { Logger } from "pino";
import { StacklingError, TerminalError } from "../components/errors.ts";

export const AUDIT_VIAS = ["page", "api", "comment", "chat", "service"] as const;
export const AUDIT_OUTCOMES = ["done", "refused", "failed"] as const;

export interface AuditEntry {
  /** ISO 8601 UTC. */
  readonly at: string;
  /** `@login`, an e-mail address, the name of a token, `page`, `api`. */
  readonly actor: string;
  /** A verb: `redeploy`, `stop-all`, `token create`. */
  readonly action: string;
  /** Of the preview or stage. */
  readonly key?: string;
  /** What was said beside the verb, or why it was refused. */
  readonly detail?: string;
  readonly via: (typeof AUDIT_VIAS)[number];
  /** Of who asked, as `trustForwarded` lets it be known. */
  readonly address?: string;
  readonly outcome: (typeof AUDIT_OUTCOMES)[number];
}

/** What is to be written down; its time is now unless it says another. */
export type AuditNote = Omit<AuditEntry, "at"> & Partial<Pick<AuditEntry, "at">>;

export interface AuditQuery {
  readonly key?: string;
  readonly actor?: string;
  readonly action?: string;
  /** Of the last page: what is older follows. */
  readonly before?: string;
  readonly limit: number;
}

export interface AuditPage {
  /** Newest first. */
  readonly entries: readonly AuditEntry[];
  /** Present while there is more. */
  readonly next?: string;
}

export interface Audit {
  /** Resolves when it is written. Never rejects: what it tells of was done or refused already. */
  record(note: AuditNote): Promise<void>;
  list(query: AuditQuery): Promise<AuditPage>;
}

export interface AuditStore {
  addAudit(entry: AuditEntry): Promise<void>;
  audit(query: AuditQuery): Promise<AuditPage>;
}

export interface AuditDeps {
  readonly store: AuditStore;
  /** ISO 8601 UTC. */
  readonly now: () => string;
  readonly logger: Pick<Logger, "error">;
}

export function createAudit({ store, now, logger }: AuditDeps): Audit {
  return {
    async record(note) {
      const entry = { ...note, at: note.at ?? now() };
      try {
        await store.addAudit(entry);
      } catch (error) {
        // The log then is the audit.
        logger.error({ err: error, audit: entry }, "writing the audit failed");
      }
    },
    list: store.audit,
  };
}

/** Does it, and writes down what came of it. Rejects as `work` does. */
export async function noted<T>(
  audit: Pick<Audit, "record">,
  note: Omit<AuditNote, "outcome">,
  work: () => Promise<T>,
): Promise<T> {
  try {
    const result = await work();
    await audit.record({ ...note, outcome: "done" });
    return result;
  } catch (error) {
    const outcome = error instanceof TerminalError ? "refused" : "failed";
    const why = error instanceof StacklingError ? error.userMessage : "the log of the service says why";
    await audit.record({ ...note, detail: note.detail ? `${note.detail}; ${why}` : why, outcome });
    throw error;
  }
}
