/** A login per preview that can read a database and change nothing in it. */
import pg from "pg";
import { TerminalError } from "../errors.ts";
import { type AccessKind, beginWith, openSchemas, roleExists } from "./database-access-kind.ts";

const id = pg.escapeIdentifier;

/**
 * It is the grants that keep it from writing: what a session is set to, its application could set otherwise.
 * Tables that their owners make later are readable too.
 */
export const readerAccess: AccessKind<{ readonly kind: "reader"; readonly schemas: readonly string[] }> = {
  async grant(client, { name, database }, { schemas }) {
    await refuseMissing(client, database, schemas);
    const [open] = await openSchemas(client);
    if (open !== undefined) throw writable(database, `everybody may create in its schema "${open}"`);
    const role = id(name);
    const grants = schemas.map(
      (schema) => `
        GRANT USAGE ON SCHEMA ${id(schema)} TO ${role};
        GRANT SELECT ON ALL TABLES IN SCHEMA ${id(schema)} TO ${role};
        GRANT SELECT ON ALL SEQUENCES IN SCHEMA ${id(schema)} TO ${role};`,
    );
    const later = (await ownersOf(client, schemas)).map(
      ({ owner, schema }) => `
        ALTER DEFAULT PRIVILEGES FOR ROLE ${id(owner)} IN SCHEMA ${id(schema)} GRANT SELECT ON TABLES TO ${role};`,
    );
    await client.query("BEGIN");
    try {
      // What it could read before, it may not be to read any more.
      await client.query(`
        DROP OWNED BY ${role};
        GRANT CONNECT ON DATABASE ${id(database)} TO ${role};
        ${grants.join("")} ${later.join("")}
        ${beginWith(name, database, this.session({ name }, { kind: "reader", schemas })).join("")}`);
      const table = await firstWritable(client, name);
      if (table !== undefined) throw writable(database, `everybody may write its table "${table}"`);
      await client.query("COMMIT");
    } catch (error) {
      await client.query("ROLLBACK");
      throw error;
    }
  },

  session: (_grantee, { schemas }) => ({
    default_transaction_read_only: "on",
    search_path: schemas.map(id).join(", "),
  }),

  async holds(client, { name }, { schemas }) {
    const { rows } = await client.query<{ holds: boolean }>(
      `SELECT has_database_privilege($1::name, current_database(), 'CONNECT') AND NOT EXISTS (
         SELECT FROM unnest($2::name[]) AS wanted LEFT JOIN pg_namespace ON nspname = wanted
         WHERE oid IS NULL OR NOT has_schema_privilege($1::name, oid, 'USAGE')) AS holds`,
      [name, schemas],
    );
    return (rows[0]?.holds ?? false) && (await firstWritable(client, name)) === undefined;
  },

  async identity(client) {
    const { rows } = await client.query<{ oid: number }>(
      "SELECT oid FROM pg_database WHERE datname = current_database()",
    );
    return `replica-${rows[0]?.oid}`;
  },

  async clear(client, { name }) {
    if (await roleExists(client, name)) await client.query(`DROP OWNED BY ${id(name)}`);
  },
};

/** Who makes tables there, and so decides by default who reads them. */
async function ownersOf(
  client: pg.Client,
  schemas: readonly string[],
): Promise<readonly { owner: string; schema: string }[]> {
  const { rows } = await client.query<{ owner: string; schema: string }>(
    `SELECT DISTINCT pg_get_userbyid(owner) AS owner, schema FROM (
       SELECT relowner AS owner, nspname AS schema FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
       UNION SELECT nspowner, nspname FROM pg_namespace
       UNION SELECT datdba, nspname FROM pg_database, pg_namespace WHERE datname = current_database()) AS owners
     WHERE schema = ANY ($1::name[]) AND pg_get_userbyid(owner) NOT LIKE 'pg\\_%' AND pg_has_role(owner, 'USAGE')
     ORDER BY 1, 2`,
    [schemas],
  );
  return rows;
}

/** A table that the role may change, by whatever way. */
async function firstWritable(client: pg.Client, name: string): Promise<string | undefined> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT c.oid::regclass::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
     WHERE relkind IN ('r', 'p', 'v', 'f') AND nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema'
       AND has_schema_privilege($1::name, n.oid, 'USAGE')
       AND (has_table_privilege($1::name, c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
         OR has_any_column_privilege($1::name, c.oid, 'INSERT, UPDATE')) ORDER BY 1 LIMIT 1`,
    [name],
  );
  return rows[0]?.name;
}

async function refuseMissing(client: pg.Client, database: string, schemas: readonly string[]): Promise<void> {
  const { rows } = await client.query<{ name: string }>("SELECT nspname AS name FROM pg_namespace");
  const missing = schemas.find((schema) => !rows.some(({ name }) => name === schema));
  if (missing === undefined) return;
  throw new TerminalError({
    reason: "DatabaseFailed",
    userMessage: `letting a preview read database "${database}": it has no schema "${missing}"; correct "schemas" in the target's database options`,
  });
}

function writable(database: string, why: string): TerminalError {
  return new TerminalError({
    reason: "DatabaseFailed",
    userMessage: `letting a preview read database "${database}": ${why}, so that it would not only read; take that right from PUBLIC`,
  });
}
