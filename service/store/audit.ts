/** The audit's table: rows are added, read from the newest, and go when they are old. */
import { type Kysely, sql } from "kysely";
import type { AuditEntry, AuditStore } from "../audit.ts";
import { storable } from "./json.ts";
import { pageOfRows } from "./page.ts";
import type { Tables } from "./tables.ts";

export interface AuditTrim {
  /** Removes what is older than so many days; resolves with how much that was. */
  trimAudit(days: number): Promise<number>;
}

export const AUDIT: readonly string[] = [
  `create table audit (
     id bigint generated always as identity primary key, at timestamptz not null, actor text not null,
     action text not null, key text, detail text, via text not null, address text, outcome text not null)`,
  `create index audit_at on audit (at)`,
  `create index audit_key on audit (key, id desc) where key is not null`,
  `create index audit_actor on audit (actor, id desc)`,
];

const CURSOR = /^[1-9][0-9]{0,17}$/;
/** What strangers write may be of any length. */
const LENGTHS = { actor: 200, action: 60, key: 300, detail: 500, address: 60 } as const;

export function auditStore({ db }: { readonly db: Kysely<Tables> }): AuditStore & AuditTrim {
  return {
    addAudit: (entry) => addAuditEntries(db, [entry]),
    async audit({ key, actor, action, before, limit }) {
      let query = db.selectFrom("audit").selectAll();
      if (key !== undefined) query = query.where("key", "=", storable(key));
      if (actor !== undefined) query = query.where("actor", "=", storable(actor));
      if (action !== undefined) query = query.where("action", "=", storable(action));
      if (before !== undefined && CURSOR.test(before)) query = query.where("id", "<", before);
      const rows = await query
        .orderBy("id", "desc")
        .limit(limit + 1)
        .execute();
      const { rows: shown, ...next } = pageOfRows(rows, limit, ({ id }) => id);
      return {
        ...next,
        entries: shown.map(
          (row): AuditEntry => ({
            at: row.at.toISOString(),
            actor: row.actor,
            action: row.action,
            ...(row.key === null ? {} : { key: row.key }),
            ...(row.detail === null ? {} : { detail: row.detail }),
            via: row.via,
            ...(row.address === null ? {} : { address: row.address }),
            outcome: row.outcome,
          }),
        ),
      };
    },
    async trimAudit(days) {
      const { numAffectedRows } =
        await sql`delete from audit where at < now() - make_interval(days => ${days})`.execute(db);
      return Number(numAffectedRows ?? 0n);
    },
  };
}

/** Beside what they tell of, where `db` is its transaction. */
export async function addAuditEntries(db: Kysely<Tables>, entries: readonly AuditEntry[]): Promise<void> {
  if (entries.length === 0) return;
  const text = (entry: AuditEntry, name: keyof typeof LENGTHS) => {
    const value = entry[name];
    return value === undefined ? null : storable(value.slice(0, LENGTHS[name]));
  };
  const rows = entries.map((entry) => ({
    at: entry.at,
    actor: text(entry, "actor") ?? "",
    action: text(entry, "action") ?? "",
    key: text(entry, "key"),
    detail: text(entry, "detail"),
    via: entry.via,
    address: text(entry, "address"),
    outcome: entry.outcome,
  }));
  await db.insertInto("audit").values(rows).execute();
}
