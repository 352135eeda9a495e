/** Baselines: databases prepared once, sealed, and copied for every preview. */
import pg from "pg";
import { ConflictError, TerminalError } from "../../components/errors.ts";
import { withClient } from "../../components/local/database-client.ts";
import {
  type BaselineMarker,
  baselineDatabaseName,
  formatMarker,
  parseBaselineMarker,
} from "../../components/local/database-names.ts";
import { randomPassword, scramVerifier } from "../../components/local/database-password.ts";
import { adminUrlOf, databaseError, dropDatabase } from "../../components/local/database-server.ts";

const NAME = /^[a-z]([a-z0-9-]{0,28}[a-z0-9])?$/;

export interface Baseline {
  readonly name: string;
  /** ISO 8601 UTC */
  readonly builtAt: string;
  readonly bytes: number;
}

export interface BaselineBuild {
  /** Admin URL of the previews' server; secret. */
  readonly adminUrl: string;
  /** Lower-case letters, digits and dashes, at most 30; a letter first, no dash last. */
  readonly name: string;
  /** Puts schema and rows into the empty database of `url`, whose role owns what it makes. */
  readonly fill: (url: string) => Promise<void>;
  /** ISO 8601 UTC, shown by `baseline ls`. */
  readonly now: string;
}

/**
 * Builds a baseline beside the one of that name, if any, and takes its place only when it is whole:
 * previews go on to be made of the old one meanwhile, and a failing `fill` changes nothing. Sealed: no
 * one can connect to it any more, so copying it never fails because it is in use. Throws
 * `ConflictError` when it is being built already, and what `fill` throws.
 */
export async function createBaseline(build: BaselineBuild): Promise<Baseline> {
  const { adminUrl, name } = build;
  if (!NAME.test(name)) {
    throw new TerminalError({
      reason: "DatabaseFailed",
      userMessage: `building baseline "${name}": the name is not of the form ${NAME.source}`,
    });
  }
  return onServer(adminUrl, `building baseline "${name}"`, async (admin) => {
    await lock(admin, name);
    const draft = `${baselineDatabaseName(name)}.new`;
    try {
      const url = await openDraft(admin, build, draft);
      await build.fill(url);
      await seal(admin, build, draft);
      await takePlace(admin, baselineDatabaseName(name), draft);
    } catch (error) {
      await dropDatabase(admin, draft);
      throw error;
    } finally {
      await closeRole(admin, baselineDatabaseName(name));
    }
    return { name, builtAt: build.now, bytes: await sizeOf(admin, baselineDatabaseName(name)) };
  });
}

/** Sealed baselines of the server, by name. */
export async function listBaselines(adminUrl: string): Promise<readonly Baseline[]> {
  return onServer(adminUrl, "listing baselines", async (admin) => {
    const { rows } = await admin.query<{ name: string; comment: string | null; bytes: string }>(
      `SELECT datname AS name, shobj_description(oid, 'pg_database') AS comment, pg_database_size(oid) AS bytes
       FROM pg_database WHERE starts_with(datname, 'baseline.') ORDER BY datname`,
    );
    return rows.flatMap(({ name, comment, bytes }) => {
      const marker = parseBaselineMarker(comment);
      if (!marker || baselineDatabaseName(marker.baseline) !== name) return [];
      return [{ name: marker.baseline, builtAt: marker.builtAt, bytes: Number(bytes) }];
    });
  });
}

/** Gone already is success. Databases made of it stay. */
export async function dropBaseline(adminUrl: string, name: string): Promise<void> {
  await onServer(adminUrl, `dropping baseline "${name}"`, async (admin) => {
    await lock(admin, name);
    await dropDatabase(admin, baselineDatabaseName(name));
    await admin.query(`DROP ROLE IF EXISTS ${id(baselineDatabaseName(name))}`);
  });
}

const id = pg.escapeIdentifier;

/** Held by the connection, so a killed build frees it. */
async function lock(admin: pg.Client, name: string): Promise<void> {
  const key = `stackling:${baselineDatabaseName(name)}`;
  const { rows } = await admin.query<{ locked: boolean }>(
    "SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS locked",
    [key],
  );
  if (rows[0]?.locked) return;
  throw new ConflictError({
    reason: "BaselineBusy",
    userMessage: `baseline "${name}" is being built by somebody else`,
  });
}

/**
 * The draft belongs to the admin, its objects to the baseline's role: handing a copy's objects over
 * (`REASSIGN OWNED`) would take along every database that role owns.
 */
async function openDraft(admin: pg.Client, { adminUrl, name }: BaselineBuild, draft: string): Promise<string> {
  const role = baselineDatabaseName(name);
  const password = randomPassword();
  await dropDatabase(admin, draft);
  await admin.query("SET createrole_self_grant = 'set, inherit'");
  const { rowCount } = await admin.query("SELECT FROM pg_roles WHERE rolname = $1", [role]);
  const secret = pg.escapeLiteral(scramVerifier(password));
  await admin.query(`${rowCount ? "ALTER" : "CREATE"} ROLE ${id(role)} LOGIN PASSWORD ${secret}`);
  await admin.query(`CREATE DATABASE ${id(draft)} TEMPLATE template0`);
  await admin.query(`REVOKE ALL ON DATABASE ${id(draft)} FROM PUBLIC`);
  await admin.query(`GRANT ALL ON DATABASE ${id(draft)} TO ${id(role)}`);
  await withClient(adminUrlOf(adminUrl, draft), (client) => client.query(`ALTER SCHEMA public OWNER TO ${id(role)}`));
  const url = new URL(adminUrlOf(adminUrl, draft));
  url.username = encodeURIComponent(role);
  url.password = password;
  return url.href;
}

/** Frozen and analysed, so that no copy has to do it; written out, so that a copy's checkpoint finds little. */
async function seal(admin: pg.Client, { adminUrl, name, now }: BaselineBuild, draft: string): Promise<void> {
  await withClient(adminUrlOf(adminUrl, draft), (client) => client.query("VACUUM (FREEZE, ANALYZE)"));
  const marker: BaselineMarker = { baseline: name, builtAt: now };
  await admin.query(`ALTER DATABASE ${id(draft)} WITH ALLOW_CONNECTIONS false`);
  await admin.query("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1", [draft]);
  await admin.query(`REVOKE ALL ON DATABASE ${id(draft)} FROM ${id(baselineDatabaseName(name))}`);
  await admin.query(`COMMENT ON DATABASE ${id(draft)} IS ${pg.escapeLiteral(formatMarker(marker))}`);
}

async function takePlace(admin: pg.Client, name: string, draft: string): Promise<void> {
  const old = `${name}.old`;
  await dropDatabase(admin, old);
  const { rowCount } = await admin.query("SELECT FROM pg_database WHERE datname = $1", [name]);
  await admin.query("BEGIN");
  try {
    if (rowCount) await admin.query(`ALTER DATABASE ${id(name)} RENAME TO ${id(old)}`);
    await admin.query(`ALTER DATABASE ${id(draft)} RENAME TO ${id(name)}`);
    await admin.query("COMMIT");
  } catch (error) {
    await admin.query("ROLLBACK");
    throw error;
  }
  await dropDatabase(admin, old);
}

/** The role owns the baseline's objects, so it stays as long as there is a baseline, but nobody logs in as it. */
async function closeRole(admin: pg.Client, name: string): Promise<void> {
  const { rowCount } = await admin.query("SELECT FROM pg_database WHERE datname = $1", [name]);
  if (rowCount) await admin.query(`ALTER ROLE ${id(name)} NOLOGIN PASSWORD NULL`);
  else await admin.query(`DROP ROLE IF EXISTS ${id(name)}`);
}

async function sizeOf(admin: pg.Client, database: string): Promise<number> {
  const { rows } = await admin.query<{ bytes: string }>("SELECT pg_database_size($1::name) AS bytes", [database]);
  return Number(rows[0]?.bytes);
}

async function onServer<T>(adminUrl: string, action: string, work: (admin: pg.Client) => Promise<T>): Promise<T> {
  try {
    return await withClient(adminUrl, work);
  } catch (error) {
    throw databaseError(action, error);
  }
}
