/** How a database is copied: the server knows two ways, and which is quicker depends on its size. */
import pg from "pg";
import { TerminalError } from "../errors.ts";
import { baselineDatabaseName, parseBaselineMarker } from "./database-names.ts";

/**
 * Up to here copying through the log is quicker: copying files costs two checkpoints and an fsync per
 * file, whatever the size (measured: they cross between 32 and 64 MB, on ext4 as on XFS).
 */
const WAL_LOG_MAX_BYTES = 48 * 1024 * 1024;
/** `file_copy_method` came with PostgreSQL 18. */
const FILE_CLONE_VERSION = 180_000;

export type CloneStrategy = "wal_log" | "file_clone";

export interface CloneRequest {
  readonly name: string;
  readonly owner: string;
  /** Baseline by name; absent: empty. */
  readonly baseline?: string;
  /** Chosen by size when absent. */
  readonly strategy?: CloneStrategy;
}

/**
 * Makes the database by copying its baseline, with connections off. Many may copy one baseline at once.
 * Throws `TerminalError` when the baseline does not exist or was not sealed, the server's error otherwise.
 */
export async function cloneDatabase(client: pg.Client, request: CloneRequest): Promise<CloneStrategy> {
  const template = request.baseline === undefined ? "template0" : await sealedBaseline(client, request.baseline);
  const strategy = request.strategy ?? (await chooseStrategy(client, template));
  if (strategy === "wal_log") await copy(client, request, template, "wal_log");
  else await copyFiles(client, request, template);
  return strategy;
}

async function sealedBaseline(client: pg.Client, baseline: string): Promise<string> {
  const name = baselineDatabaseName(baseline);
  const { rows } = await client.query<{ comment: string | null }>(
    "SELECT shobj_description(oid, 'pg_database') AS comment FROM pg_database WHERE datname = $1",
    [name],
  );
  const found = rows[0];
  if (found && parseBaselineMarker(found.comment)) return name;
  throw new TerminalError({
    reason: "DatabaseFailed",
    userMessage: found
      ? `creating a database: baseline "${baseline}" was never finished; build it again`
      : `creating a database: baseline "${baseline}" does not exist; build it, or correct the name in the config`,
  });
}

async function chooseStrategy(client: pg.Client, template: string): Promise<CloneStrategy> {
  const { rows } = await client.query<{ bytes: string; version: string }>(
    "SELECT pg_database_size($1::name) AS bytes, current_setting('server_version_num') AS version",
    [template],
  );
  const large = Number(rows[0]?.bytes) > WAL_LOG_MAX_BYTES;
  return large && Number(rows[0]?.version) >= FILE_CLONE_VERSION ? "file_clone" : "wal_log";
}

/** Shares blocks where the file system can (XFS, Btrfs, APFS); elsewhere the kernel copies. */
async function copyFiles(client: pg.Client, request: CloneRequest, template: string): Promise<void> {
  await client.query("SET file_copy_method = 'clone'");
  try {
    await copy(client, request, template, "file_copy");
  } catch (error) {
    // Some file systems know no such call (58030 io_error, 58P01, 0A000): the log works on all of them.
    if (!(error instanceof pg.DatabaseError) || !/^(58|0A)/.test(error.code ?? "")) throw error;
    await copy(client, request, template, "wal_log");
  }
}

async function copy(client: pg.Client, request: CloneRequest, template: string, strategy: string): Promise<void> {
  const [name, owner] = [pg.escapeIdentifier(request.name), pg.escapeIdentifier(request.owner)];
  await client.query(
    `CREATE DATABASE ${name} OWNER ${owner} TEMPLATE ${pg.escapeIdentifier(template)}
     STRATEGY ${strategy} ALLOW_CONNECTIONS false`,
  );
}
