import { type Kysely, type Selectable, sql } from "kysely";
import { storable, storableJson } from "../store/json.ts";
import { pageOfRows } from "../store/page.ts";
import type { Tables } from "../store/tables.ts";
import type { TokenRow, TokenStore } from "./token.ts";

/** A revoked one is no row: the audit knows that it was. */
export const TOKENS: readonly string[] = [
  `create table token (
     id bigint generated always as identity primary key, name text not null unique, digest text not null unique,
     role text not null, repositories jsonb, created_at timestamptz not null, created_by text not null,
     expires_at timestamptz, last_used_at timestamptz)`,
];

const ID = /^[1-9][0-9]{0,17}$/;

export function tokenStore({ db }: { readonly db: Kysely<Tables> }): TokenStore {
  return {
    async addToken({ name, digest, role, repositories, createdAt, createdBy, expiresAt }) {
      const row = await db
        .insertInto("token")
        .values({
          name,
          digest,
          role,
          repositories: repositories ? storableJson(repositories) : null,
          created_at: createdAt,
          created_by: createdBy,
          expires_at: expiresAt ?? null,
        })
        .onConflict((conflict) => conflict.column("name").doNothing())
        .returningAll()
        .executeTakeFirst();
      return row && rowOf(row);
    },
    async tokens({ before, limit }) {
      let query = db.selectFrom("token").selectAll();
      if (before !== undefined && ID.test(before)) query = query.where("id", "<", before);
      const rows = await query
        .orderBy("id", "desc")
        .limit(limit + 1)
        .execute();
      const { rows: shown, ...next } = pageOfRows(rows, limit, ({ id }) => id);
      return { tokens: shown.map(rowOf), ...next };
    },
    async findToken(digest) {
      const row = await db
        .selectFrom("token")
        .selectAll()
        .where("digest", "=", digest)
        .where((of) => of.or([of("expires_at", "is", null), of("expires_at", ">", sql<Date>`now()`)]))
        .executeTakeFirst();
      return row && rowOf(row);
    },
    async revokeToken(which) {
      const row = await db
        .deleteFrom("token")
        .where((of) => of.or([of("name", "=", storable(which)), ...(ID.test(which) ? [of("id", "=", which)] : [])]))
        .returningAll()
        .executeTakeFirst();
      return row && rowOf(row);
    },
    async usedTokens(times) {
      const ids = [...times.keys()].sort();
      await sql`
        update token set last_used_at = greatest(last_used_at, used.at)
        from unnest(${ids}::bigint[], ${ids.map((id) => times.get(id))}::timestamptz[]) as used (id, at)
        where token.id = used.id`.execute(db);
    },
  };
}

function rowOf(row: Selectable<Tables["token"]>): TokenRow {
  return {
    id: row.id,
    name: row.name,
    role: row.role,
    ...(row.repositories ? { repositories: row.repositories } : {}),
    createdAt: row.created_at.toISOString(),
    createdBy: row.created_by,
    ...(row.expires_at ? { expiresAt: row.expires_at.toISOString() } : {}),
    ...(row.last_used_at ? { lastUsedAt: row.last_used_at.toISOString() } : {}),
  };
}
