/** Baselines: databases prepared once, sealed, and copied for every preview. */
import pg from "pg";
import { ConflictError, TerminalError } from "../../components/errors.ts";
import { withClient } from "../../components/local/database-client.ts";
import { cloneDatabase } from "../../components/local/database-clone.ts";
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
  /** False: an earlier one that is kept; new previews are made of the newest. */
  readonly newest: boolean;
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
  /** Writes every table anew at the end, so that nothing is left in its files of rows that were changed or removed. */
  readonly rewrite?: boolean;
  /** Earlier ones that stay; 0 by default. */
  readonly keepOld?: number;
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
      await takePlace(admin, name, draft);
      await dropOld(admin, name, build.keepOld ?? 0);
    } catch (error) {
      await dropDatabase(admin, draft);
      throw error;
    } finally {
      await closeRole(admin, baselineDatabaseName(name));
    }
    return { name, builtAt: build.now, bytes: await sizeOf(admin, baselineDatabaseName(name)), newest: true };
  });
}

/** Sealed baselines of the server by name, of each the newest first. */
export async function listBaselines(adminUrl: string): Promise<readonly Baseline[]> {
  return onServer(adminUrl, "listing baselines", async (admin) => {
    const { rows } = await admin.query<{ name: string; comment: string | null; bytes: string }>(
      `SELECT datname AS name, shobj_description(oid, 'pg_database') AS comment, pg_database_size(oid) AS bytes
       FROM pg_database WHERE starts_with(datname, 'baseline.') ORDER BY datname`,
    );
    const found = rows.flatMap(({ name, comment, bytes }): Baseline[] => {
      const marker = parseBaselineMarker(comment);
      if (!marker) return [];
      const newest = baselineDatabaseName(marker.baseline) === name;
      if (!newest && datedName(marker) !== name) return [];
      return [{ name: marker.baseline, builtAt: marker.builtAt, bytes: Number(bytes), newest }];
    });
    return found.toSorted(
      (a, b) =>
        a.name.localeCompare(b.name) || Number(b.newest) - Number(a.newest) || b.builtAt.localeCompare(a.builtAt),
    );
  });
}

/**
 * Lets `work` look into a copy of a baseline, by a URL (secret) of the role that owns all in it: the sealed one
 * stays shut. Throws `TerminalError` (`NoSuchBaseline`) where there is none, `ConflictError` while it is built.
 */
export async function withBaselineCopy<T>(
  adminUrl: string,
  name: string,
  work: (url: string) => Promise<T>,
): Promise<T> {
  return onServer(adminUrl, `looking into baseline "${name}"`, async (admin) => {
    await lock(admin, name);
    const role = baselineDatabaseName(name);
    const { rowCount } = await admin.query("SELECT FROM pg_database WHERE datname = $1", [role]);
    if (!rowCount) {
      throw new TerminalError({
        reason: "NoSuchBaseline",
        userMessage: `looking into baseline "${name}": it was not built yet; stackling baseline build ${name} does`,
      });
    }
    const copy = `${role}.check`;
    const password = randomPassword();
    try {
      await dropDatabase(admin, copy);
      // The admin's, for what holds of a draft (`openDraft`) holds of it too.
      const { rows } = await admin.query<{ name: string }>("SELECT current_user AS name");
      await cloneDatabase(admin, { name: copy, owner: rows[0]?.name ?? "", baseline: name });
      await admin.query(`REVOKE ALL ON DATABASE ${id(copy)} FROM PUBLIC`);
      await admin.query(`GRANT CONNECT ON DATABASE ${id(copy)} TO ${id(role)}`);
      await admin.query(`ALTER DATABASE ${id(copy)} WITH ALLOW_CONNECTIONS true`);
      await admin.query(`ALTER ROLE ${id(role)} LOGIN PASSWORD ${pg.escapeLiteral(scramVerifier(password))}`);
      return await work(roleUrlOf(adminUrl, copy, { role, password }));
    } finally {
      await dropDatabase(admin, copy);
      await closeRole(admin, role);
    }
  });
}

/** Gone already is success. Databases made of it stay. */
export async function dropBaseline(adminUrl: string, name: string): Promise<void> {
  await onServer(adminUrl, `dropping baseline "${name}"`, async (admin) => {
    await lock(admin, name);
    await dropOld(admin, name, 0);
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
    userMessage: `baseline "${name}" is being built or looked into by somebody else`,
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
  return roleUrlOf(adminUrl, draft, { role, password });
}

function roleUrlOf(
  adminUrl: string,
  database: string,
  login: { readonly role: string; readonly password: string },
): string {
  const url = new URL(adminUrlOf(adminUrl, database));
  url.username = encodeURIComponent(login.role);
  url.password = login.password;
  return url.href;
}

/**
 * Frozen and analysed, so that no copy has to do it; written out, so that a copy's checkpoint finds little.
 * Analysed first: statistics hold values, and what `FULL` finds replaced there does not outlive it.
 */
async function seal(admin: pg.Client, { adminUrl, name, now, rewrite }: BaselineBuild, draft: string): Promise<void> {
  await withClient(adminUrlOf(adminUrl, draft), async (client) => {
    if (!rewrite) return void (await client.query("VACUUM (FREEZE, ANALYZE)"));
    await client.query("ANALYZE");
    await client.query("VACUUM (FULL, FREEZE)");
  });
  const marker: BaselineMarker = { baseline: name, builtAt: now };
  await admin.query(`ALTER DATABASE ${id(draft)} WITH ALLOW_CONNECTIONS false`);
  await admin.query("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1", [draft]);
  await admin.query(`REVOKE ALL ON DATABASE ${id(draft)} FROM ${id(baselineDatabaseName(name))}`);
  await admin.query(`COMMENT ON DATABASE ${id(draft)} IS ${pg.escapeLiteral(formatMarker(marker))}`);
}

/** The one before gets its date to its name, in the same moment. */
async function takePlace(admin: pg.Client, baseline: string, draft: string): Promise<void> {
  const name = baselineDatabaseName(baseline);
  const { rows } = await admin.query<{ comment: string | null }>(
    "SELECT shobj_description(oid, 'pg_database') AS comment FROM pg_database WHERE datname = $1",
    [name],
  );
  const marker = parseBaselineMarker(rows[0]?.comment);
  const old = marker ? datedName(marker) : `${name}.old`;
  await dropDatabase(admin, old);
  await admin.query("BEGIN");
  try {
    if (rows.length > 0) await admin.query(`ALTER DATABASE ${id(name)} RENAME TO ${id(old)}`);
    await admin.query(`ALTER DATABASE ${id(draft)} RENAME TO ${id(name)}`);
    await admin.query("COMMIT");
  } catch (error) {
    await admin.query("ROLLBACK");
    throw error;
  }
  if (!marker) await dropDatabase(admin, old);
}

/** All but the newest few: a preview's database is a whole copy, so only one that is being made needs it. */
async function dropOld(admin: pg.Client, baseline: string, keep: number): Promise<void> {
  const { rows } = await admin.query<{ name: string; comment: string | null }>(
    `SELECT datname AS name, shobj_description(oid, 'pg_database') AS comment
     FROM pg_database WHERE starts_with(datname, 'baseline.')`,
  );
  const old = rows.flatMap(({ name, comment }) => {
    const marker = parseBaselineMarker(comment);
    return marker?.baseline === baseline && datedName(marker) === name ? [{ name, builtAt: marker.builtAt }] : [];
  });
  const newestFirst = old.toSorted((a, b) => b.builtAt.localeCompare(a.builtAt));
  for (const { name } of newestFirst.slice(keep)) {
    await dropDatabase(admin, name).catch((error: unknown) => {
      // In use by such a copy: the next build drops it.
      if (!(error instanceof pg.DatabaseError) || error.code !== "55006") throw error;
    });
  }
}

/** `baseline.main.20260131t070000z`: no baseline's own name holds a dot. */
function datedName({ baseline, builtAt }: BaselineMarker): string {
  return `${baselineDatabaseName(baseline)}.${builtAt.replace(/\.\d+/, "").replace(/[-:]/g, "").toLowerCase()}`;
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
