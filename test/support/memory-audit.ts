import type { Audit, AuditEntry } from "../../service/audit.ts";

/** The audit as tests read it, with the times left as they were given. */
export function memoryAudit(): Audit & { readonly entries: AuditEntry[] } {
  const entries: AuditEntry[] = [];
  return {
    entries,
    record: async (note) => void entries.push({ at: "2026-11-21T10:00:00.000Z", ...note }),
    async list({ key, actor, action, before, limit }) {
      const end = before === undefined ? entries.length : Number(before) - 1;
      const wanted = entries
        .map((entry, index) => ({ entry, id: String(index + 1) }))
        .slice(0, Math.max(0, end))
        .filter(({ entry }) => key === undefined || entry.key === key)
        .filter(({ entry }) => actor === undefined || entry.actor === actor)
        .filter(({ entry }) => action === undefined || entry.action === action)
        .reverse();
      const shown = wanted.slice(0, limit);
      const last = shown.at(-1);
      return {
        entries: shown.map(({ entry }) => entry),
        ...(wanted.length > limit && last ? { next: last.id } : {}),
      };
    },
  };
}
