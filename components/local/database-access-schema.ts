/** A schema per preview in a database of many. */
import pg from "pg";
import { TerminalError } from "../errors.ts";
import { type AccessKind, beginWith, type Grantee, openSchemas, roleExists } from "./database-access-kind.ts";
import { formatMarker, parseMarker } from "./database-names.ts";

const id = pg.escapeIdentifier;

/**
 * The schema is the admin's, who marks it: a preview that owned it could rename or give it away. Its role makes
 * and owns everything in it, and may make nothing elsewhere.
 */
export const schemaAccess: AccessKind<{ readonly kind: "schema" }> = {
  async grant(client, { name, stack, database, marker }) {
    await refuseOpen(client, database);
    const found = await findSchema(client, name);
    if (found && parseMarker(found.comment)?.stack !== stack) throw foreign(name, database);
    // Sent together, they are one transaction.
    await client.query(`
      ${found ? "" : `CREATE SCHEMA ${id(name)};`}
      COMMENT ON SCHEMA ${id(name)} IS ${pg.escapeLiteral(formatMarker(marker))};
      REVOKE ALL ON SCHEMA ${id(name)} FROM PUBLIC;
      GRANT USAGE, CREATE ON SCHEMA ${id(name)} TO ${id(name)};
      GRANT CONNECT, TEMPORARY ON DATABASE ${id(database)} TO ${id(name)};
      ${beginWith(name, database, this.session({ name }, { kind: "schema" })).join("")}`);
  },

  session: ({ name }) => ({ search_path: `${id(name)}, public` }),

  async holds(client, { name, stack }) {
    const found = await findSchema(client, name);
    if (!found || parseMarker(found.comment)?.stack !== stack) return false;
    const { rows } = await client.query<{ holds: boolean }>(
      `SELECT has_schema_privilege($1::name, $2::oid, 'USAGE') AND has_schema_privilege($1::name, $2::oid, 'CREATE')
         AND has_database_privilege($1::name, current_database(), 'CONNECT') AS holds`,
      [name, found.oid],
    );
    return rows[0]?.holds ?? false;
  },

  async identity(client, { name, marker }) {
    return `${(await findSchema(client, name))?.oid}-${marker.id}`;
  },

  async clear(client, { name, stack }) {
    const found = await findSchema(client, name);
    if (found && parseMarker(found.comment)?.stack === stack) await client.query(`DROP SCHEMA ${id(name)} CASCADE`);
    // Large objects and rights; what others made of its things cannot be, for none of them may use its schema.
    if (await roleExists(client, name)) await client.query(`DROP OWNED BY ${id(name)} CASCADE`);
  },
};

/** Schemas of the connected database that bear our marker. */
export async function listSchemas(client: pg.Client): Promise<readonly { name: string; stack: string }[]> {
  const { rows } = await client.query<{ name: string; comment: string }>(
    `SELECT nspname AS name, obj_description(oid, 'pg_namespace') AS comment FROM pg_namespace
     WHERE obj_description(oid, 'pg_namespace') IS NOT NULL ORDER BY 1`,
  );
  return rows.flatMap(({ name, comment }) => {
    const stack = parseMarker(comment)?.stack;
    return stack === undefined ? [] : [{ name, stack }];
  });
}

async function findSchema(
  client: pg.Client,
  name: string,
): Promise<{ oid: number; comment: string | null } | undefined> {
  const { rows } = await client.query<{ oid: number; comment: string | null }>(
    "SELECT oid, obj_description(oid, 'pg_namespace') AS comment FROM pg_namespace WHERE nspname = $1",
    [name],
  );
  return rows[0];
}

async function refuseOpen(client: pg.Client, database: string): Promise<void> {
  const [open] = await openSchemas(client);
  if (open === undefined) return;
  throw new TerminalError({
    reason: "DatabaseFailed",
    userMessage: `giving a preview a schema of database "${database}": everybody may create in its schema "${open}", so that previews would meet there; run REVOKE CREATE ON SCHEMA ${open} FROM PUBLIC in it`,
  });
}

function foreign(name: Grantee["name"], database: string): TerminalError {
  return new TerminalError({
    reason: "DatabaseFailed",
    userMessage: `creating schema "${name}": database "${database}" has one of that name already that was not made by Stackling for this preview; rename or drop it`,
  });
}
