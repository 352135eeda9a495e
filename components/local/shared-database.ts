/** A database that many previews use: the operator's, which is there, or one of Stackling's own, made when first asked for. */
import pg from "pg";
import { TerminalError } from "../errors.ts";
import { withClient } from "./database-client.ts";
import { formatMarker, parseSharedMarker } from "./database-names.ts";
import { adminUrlOf, openToOwner } from "./database-server.ts";

const id = pg.escapeIdentifier;

export interface SharedDatabase {
  readonly name: string;
  /** Made when it is missing; else it is the operator's, of which nothing is changed but whom Stackling lets in. */
  readonly own: boolean;
  /** Of one of our own: the role, without a login, that owns what previews make in it. */
  readonly group?: string;
}

/**
 * What is there already is left as it is, and goes when no preview is left only by a person's hand. Throws
 * `TerminalError` when the operator's is missing, or when another has the name of ours.
 */
export async function ensureSharedDatabase(admin: pg.Client, adminUrl: string, wanted: SharedDatabase): Promise<void> {
  const { name, own, group } = wanted;
  if (!own) return refuseMissing(admin, name);
  await admin.query("SELECT pg_advisory_lock(hashtextextended($1, 0))", [`stackling:${name}`]);
  try {
    const found = await findDatabase(admin, name);
    if (found?.marker?.complete) return;
    // A create of ours that was killed left it closed, or marked and not finished.
    if (found && !found.marker && (found.open || !found.mine)) throw taken(`a database "${name}"`);
    if (group !== undefined) await putGroup(admin, group);
    if (!found) await admin.query(`CREATE DATABASE ${id(name)} TEMPLATE template0 ALLOW_CONNECTIONS false`);
    await openToOwner(admin, name, formatMarker({ shared: name, complete: false }));
    await withClient(adminUrlOf(adminUrl, name), (client) => client.query(insideOf(name, group)));
    const whole = pg.escapeLiteral(formatMarker({ shared: name, complete: true }));
    await admin.query(`COMMENT ON DATABASE ${id(name)} IS ${whole}`);
  } finally {
    await admin
      .query("SELECT pg_advisory_unlock(hashtextextended($1, 0))", [`stackling:${name}`])
      .catch(() => undefined);
  }
}

/** Where everybody could create in `public`, as up to PostgreSQL 14, previews would meet there. */
function insideOf(name: string, group: string | undefined): string {
  const shut = "REVOKE CREATE ON SCHEMA public FROM PUBLIC;";
  if (group === undefined) return shut;
  return `${shut}
    GRANT USAGE, CREATE ON SCHEMA public TO ${id(group)};
    GRANT CONNECT, CREATE, TEMPORARY ON DATABASE ${id(name)} TO ${id(group)};`;
}

async function putGroup(admin: pg.Client, name: string): Promise<void> {
  const { rows } = await admin.query<{ comment: string | null }>(
    "SELECT shobj_description(oid, 'pg_authid') AS comment FROM pg_roles WHERE rolname = $1",
    [name],
  );
  if (rows[0] && !parseSharedMarker(rows[0].comment)) throw taken(`a role "${name}"`);
  await admin.query("BEGIN");
  try {
    await admin.query("SET LOCAL createrole_self_grant = 'set, inherit'");
    if (!rows[0]) await admin.query(`CREATE ROLE ${id(name)} NOLOGIN`);
    await admin.query(
      `COMMENT ON ROLE ${id(name)} IS ${pg.escapeLiteral(formatMarker({ shared: name, complete: true }))}`,
    );
    await admin.query("COMMIT");
  } catch (error) {
    await admin.query("ROLLBACK");
    throw error;
  }
}

async function findDatabase(admin: pg.Client, name: string) {
  const { rows } = await admin.query<{ comment: string | null; open: boolean; mine: boolean }>(
    `SELECT shobj_description(oid, 'pg_database') AS comment, datallowconn AS open,
       pg_get_userbyid(datdba) = current_user AS mine FROM pg_database WHERE datname = $1`,
    [name],
  );
  return rows[0] && { ...rows[0], marker: parseSharedMarker(rows[0].comment) };
}

async function refuseMissing(admin: pg.Client, name: string): Promise<void> {
  if (await findDatabase(admin, name)) return;
  throw new TerminalError({
    reason: "DatabaseFailed",
    userMessage: `using database "${name}": the server has none of that name; make it, or correct "database" in the target's database options`,
  });
}

function taken(what: string): TerminalError {
  return new TerminalError({
    reason: "DatabaseFailed",
    userMessage: `making the previews' shared database: the server has ${what} already that was not made by Stackling; rename or drop it, or name a database of yours in the target's database options`,
  });
}
