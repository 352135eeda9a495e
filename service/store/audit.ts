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

export function auditStore({ db }: { readonly db: Kysely<Tables> }): AuditStore & AuditTrim {
  return {
    async addAudit({ at, actor, action, key, detail, via, address, outcome }) {
      const text = (value: string | undefined) => (value === undefined ? null : storable(value));
      await db
        .insertInto("audit")
        .values({
          at,
          actor: storable(actor),
          action: storable(action),
          key: text(key),
          detail: text(detail),
          via,
          address: text(address),
          outcome,
        })
        .execute();
    },
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
