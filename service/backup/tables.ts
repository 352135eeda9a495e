/** What a backup holds of the store: every table of ours but what says who is at work this moment. */
import type pg from "pg";

/**
 * Leases, claims and seats belong to processes that run now; the queue is filled anew by a look at everything; and
 * what builds printed is large, and no truth.
 */
const PASSING = [
  "kysely_migration",
  "kysely_migration_lock",
  "lease",
  "claim",
  "seat",
  "deployment",
  "deployment_output",
];

/** Tables by name with the columns that can be written, both in a fixed order. */
export async function tablesOf(client: pg.ClientBase): Promise<Readonly<Record<string, readonly string[]>>> {
  const { rows } = await client.query<{ table: string; columns: string[] }>(
    `select table_name as table, array_agg(column_name::text order by ordinal_position) as columns
     from information_schema.columns join information_schema.tables using (table_schema, table_name)
     where table_schema = current_schema() and table_type = 'BASE TABLE'
       and is_generated = 'NEVER' and table_name <> all($1::text[])
     group by table_name order by table_name`,
    [PASSING],
  );
  return Object.fromEntries(rows.map(({ table, columns }) => [table, columns]));
}
