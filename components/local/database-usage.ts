/** What a preview's own databases took of their server, as that server counts it. */
import type { Usage } from "../operations.ts";
import { onServer } from "./database-operations.ts";
import { findOwned, type ServerReference } from "./database-server.ts";

const GIB = 1024 ** 3;

/** As JSON, for servers before PostgreSQL 14 do not count the time. */
const COUNTED = `SELECT d.datname AS name, d.oid || ' ' || coalesce(to_jsonb(s)->>'stats_reset', '') AS id,
    coalesce((to_jsonb(s)->>'active_time')::float8, 0) AS active_ms,
    CASE WHEN $2 THEN pg_database_size(d.oid)::float8 END AS bytes
  FROM pg_database d LEFT JOIN pg_stat_database s ON s.datid = d.oid WHERE d.datname = ANY($1)`;

/**
 * Time in which a statement was at work (pg_stat_database, `active_time`), also while it waited for the disk or a lock,
 * and with `held` the size on disk.
 */
export function databaseUsage(
  server: ServerReference,
  stack: string,
  { held }: { readonly held: boolean },
): Promise<Usage> {
  return onServer(server, `asking what the database of "${stack}" takes`, async (client) => {
    const owned = await findOwned(client, stack);
    const names = owned.filter(({ kind }) => kind === "database").map(({ name }) => name);
    const { rows } = await client.query<{ name: string; id: string; active_ms: number; bytes: number | null }>(
      COUNTED,
      [names, held],
    );
    return {
      counters: rows.map(({ name, id, active_ms }) => {
        return { meter: "database-compute", resource: name, id, hours: active_ms / 3_600_000 };
      }),
      held: rows.flatMap(({ name, bytes }) =>
        bytes === null ? [] : [{ meter: "database-storage", resource: name, gib: bytes / GIB }],
      ),
    };
  });
}
