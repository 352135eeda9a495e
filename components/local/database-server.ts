/** The statements by which previews' databases and roles are made, found and dropped. */
import { readFile } from "node:fs/promises";
import pg from "pg";
import { StacklingError, TerminalError } from "../errors.ts";
import { type DatabaseMarker, formatMarker, parseMarker } from "./database-names.ts";
import { scramVerifier } from "./database-password.ts";
import type { LocalSettings } from "./resource.ts";

const id = pg.escapeIdentifier;
const text = pg.escapeLiteral;

/** Where the server's admin URL is kept: the URL itself is secret and stays out of options. */
export type ServerReference = { readonly env: string } | { readonly file: string };

/** The admin URL behind a reference. Throws `TerminalError` (`DatabaseFailed`) when there is none. */
export async function resolveServer(reference: ServerReference): Promise<string> {
  const [what, url] =
    "env" in reference
      ? [`environment variable "${reference.env}"`, process.env[reference.env]]
      : [`file "${reference.file}"`, await readFile(reference.file, "utf8").catch(() => undefined)];
  if (url?.trim()) return url.trim();
  throw new TerminalError({
    reason: "DatabaseFailed",
    userMessage: `reaching the database server: the ${what} that should hold its URL is missing or empty`,
  });
}

/** Of the server that is named, else of the provider's own. */
export async function adminUrlFor(settings: LocalSettings, server: ServerReference | undefined): Promise<string> {
  if (server) return resolveServer(server);
  if (settings.adminUrl) return settings.adminUrl;
  throw new TerminalError({
    reason: "DatabaseFailed",
    userMessage:
      "reaching the database server: none is configured; name its admin URL in the target's database options",
  });
}

/** What the server has under one name. */
export interface Found {
  readonly role: { readonly marker: DatabaseMarker | undefined } | undefined;
  readonly database: { readonly oid: number; readonly owner: string } | undefined;
}

export async function find(client: pg.Client, name: string): Promise<Found> {
  const role = await findRole(client, name);
  const databases = await client.query<{ oid: number; owner: string }>(
    "SELECT oid, pg_get_userbyid(datdba) AS owner FROM pg_database WHERE datname = $1",
    [name],
  );
  return { role, database: databases.rows[0] };
}

export async function findRole(client: pg.Client, name: string): Promise<Found["role"]> {
  const { rows } = await client.query<{ comment: string | null }>(
    "SELECT shobj_description(oid, 'pg_authid') AS comment FROM pg_roles WHERE rolname = $1",
    [name],
  );
  return rows[0] && { marker: parseMarker(rows[0].comment) };
}

/** Databases of previews' own and their roles, of one stack or of all; not the roles that share a database. */
export async function findOwned(
  client: pg.Client,
  stack?: string,
): Promise<readonly { kind: "database" | "role"; name: string; stack: string }[]> {
  const roles = await client.query<{ name: string; comment: string; databases: string[] }>(
    `SELECT rolname AS name, shobj_description(r.oid, 'pg_authid') AS comment,
       ARRAY(SELECT datname::text FROM pg_database WHERE datdba = r.oid ORDER BY 1) AS databases
     FROM pg_roles r WHERE shobj_description(r.oid, 'pg_authid') IS NOT NULL ORDER BY 1`,
  );
  return roles.rows.flatMap(({ name, comment, databases }) => {
    const marker = parseMarker(comment);
    const owner = marker?.stack;
    if (owner === undefined || marker?.access || (stack !== undefined && owner !== stack)) return [];
    const owned = databases.map((database) => ({ kind: "database" as const, name: database, stack: owner }));
    return [...owned, { kind: "role" as const, name, stack: owner }];
  });
}

/** Makes or changes the preview's role and writes its marker, in one transaction. */
export async function putRole(
  client: pg.Client,
  role: {
    readonly name: string;
    readonly exists: boolean;
    readonly marker: DatabaseMarker;
    readonly connectionLimit: number;
    /** Kept as it is when absent; so is whether the role may log in. */
    readonly password?: string;
    /** How long it is valid unless renewed; kept as it is when absent. */
    readonly validHours?: number;
    /** Statements of the same transaction. */
    readonly further?: readonly string[];
  },
): Promise<void> {
  const password = role.password === undefined ? "" : `LOGIN PASSWORD ${text(scramVerifier(role.password))}`;
  const end = role.validHours === undefined ? undefined : await validUntil(client, role.validHours);
  const valid = end === undefined ? "" : `VALID UNTIL ${text(end)}`;
  await client.query("BEGIN");
  try {
    // An admin that is no superuser may make a database for another role only as its member (PostgreSQL 16).
    await client.query("SET LOCAL createrole_self_grant = 'set, inherit'");
    await client.query(
      `${role.exists ? "ALTER" : "CREATE"} ROLE ${id(role.name)} NOCREATEDB NOCREATEROLE
       CONNECTION LIMIT ${role.connectionLimit} ${password} ${valid}`,
    );
    await putMarker(client, role.name, role.marker);
    for (const statement of role.further ?? []) await client.query(statement);
    await client.query("COMMIT");
  } catch (error) {
    await client.query("ROLLBACK");
    throw error;
  }
}

export async function putMarker(client: pg.Client, role: string, marker: DatabaseMarker): Promise<void> {
  await client.query(`COMMENT ON ROLE ${id(role)} IS ${text(formatMarker(marker))}`);
}

/** So many hours from now, by the server's clock: ISO 8601. Undefined for no end. */
export async function validUntil(client: pg.Client, hours: number | undefined): Promise<string | undefined> {
  if (hours === undefined) return undefined;
  const { rows } = await client.query<{ end: Date }>('SELECT now() + make_interval(hours => $1) AS "end"', [hours]);
  return rows[0]?.end.toISOString();
}

/** Nobody logs in by this role any more, and who did is put out. What it owns stays. */
export async function shutOut(client: pg.Client, name: string): Promise<void> {
  await client.query(`ALTER ROLE ${id(name)} NOLOGIN PASSWORD NULL`);
  await client.query("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = $1", [name]);
}

/** Nobody but its owner may connect, from the first moment on: it was made with connections off. */
export async function openToOwner(client: pg.Client, name: string, comment: string): Promise<void> {
  // Sent together, they are one transaction.
  await client.query(`
    REVOKE ALL ON DATABASE ${id(name)} FROM PUBLIC;
    COMMENT ON DATABASE ${id(name)} IS ${text(comment)};
    ALTER DATABASE ${id(name)} WITH ALLOW_CONNECTIONS true`);
}

/** Ends every session of it first. Gone already is success. */
export async function dropDatabase(client: pg.Client, name: string): Promise<void> {
  await client.query(`DROP DATABASE IF EXISTS ${id(name)} WITH (FORCE)`);
}

export async function dropRole(client: pg.Client, name: string): Promise<void> {
  await client.query(`DROP ROLE IF EXISTS ${id(name)}`);
}

/** URL of a database (the role's own by default) on the server of `adminUrl`, whose other settings (TLS) are kept. */
export function roleUrl(
  adminUrl: string,
  login: { readonly name: string; readonly password: string },
  database = login.name,
): string {
  const url = new URL(adminUrl);
  url.username = login.name;
  url.password = login.password;
  url.pathname = `/${encodeURIComponent(database)}`;
  return url.href;
}

/** The admin's way into another database of the same server. */
export function adminUrlOf(adminUrl: string, database: string): string {
  const url = new URL(adminUrl);
  url.pathname = `/${encodeURIComponent(database)}`;
  return url.href;
}

/** Runs `work`; what fails in it is told as the failure of `action`. */
export async function attempt<T>(action: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw databaseError(action, error);
  }
}

/** Ours as they are; the server's words stay in `cause`, but for those a person can act on. */
export function databaseError(action: string, cause: unknown): StacklingError {
  if (cause instanceof StacklingError) return cause;
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  const why = KNOWN[code] ?? (code.length === 5 ? `the server refused with SQLSTATE ${code}` : "it went wrong");
  return new StacklingError({ reason: "DatabaseFailed", userMessage: `${action}: ${why}`, cause });
}

/** SQLSTATE or Node's code: PostgreSQL documentation, appendix "PostgreSQL Error Codes". */
const KNOWN: Readonly<Record<string, string>> = {
  ECONNREFUSED: "the database server does not answer; is it running?",
  ENOTFOUND: "the database server's host name is unknown",
  ETIMEDOUT: "the database server does not answer",
  "28P01": "the database server refuses the admin's password",
  "2BP01": "something that is left in another database depends on it",
  "42501":
    "the admin role lacks the right to; it needs CREATEDB and CREATEROLE, and in a database of yours what it is to grant",
  "53100": "the database server's disk is full",
  "53300": "the database server has no connection left",
  "55006": "it is in use by another session",
  "57P03": "the database server is starting up or shutting down",
  "57014": "it was cancelled",
};
