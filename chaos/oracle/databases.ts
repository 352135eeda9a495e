import { readFile } from "node:fs/promises";
import pg from "pg";
import type { Thing } from "./thing.ts";

/** Not the server's own, and not a baseline's, whose names hold a dot. */
const OURS = `
  select 'database' as kind, datname as name from pg_database
    where not datistemplate and datname <> 'postgres' and position('.' in datname) = 0
  union all
  select 'role', rolname from pg_roles
    where not rolsuper and rolname not like 'pg\\_%' and position('.' in rolname) = 0
  order by 1, 2`;

/**
 * Databases and roles of all previews, on the server whose address lies in the data folder; none where no
 * such file is. Rejects when the server does not answer.
 */
export async function listDatabases(dataDir: string): Promise<Thing[]> {
  const url = await readFile(`${dataDir}/postgres/previews.url`, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (url === undefined) return [];
  const client = new pg.Client({ connectionString: url.trim(), connectionTimeoutMillis: 5_000, query_timeout: 5_000 });
  // One that is killed while we ask says so by the query that fails.
  client.on("error", () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ kind: "database" | "role"; name: string }>(OURS);
    // A stack's name holds no underscore, so this is the whole way back.
    return rows.map(({ kind, name }) => ({ kind, id: name, stack: name.replaceAll("_", "-") }));
  } finally {
    await client.end().catch(() => undefined);
  }
}
