/**
 * The PostgreSQL servers of the embedded default. They are started apart from us and found again by
 * their files, so that a SIGKILL of Stackling neither takes them down nor leaves them unknown.
 */
import { randomBytes } from "node:crypto";
import { chmod, chown, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { execa } from "execa";
import pg from "pg";
import type { Logger } from "pino";
import { TerminalError } from "../../components/errors.ts";
import { withClient } from "../../components/local/database-client.ts";
import { replaceFile } from "../../components/local/json-file.ts";
import {
  closedFolder,
  findPrograms,
  findSystemUser,
  type PostgresPrograms,
  type SystemUser,
} from "./postgres-binaries.ts";
import { findPostmaster, launch, type Postmaster, stopPostmaster } from "./postgres-process.ts";

export const SUPERUSER = "postgres";

export interface EmbeddedPostgresOptions {
  /** Folder of this server alone, absolute: `data/`, `server.log`, `password` (0600) and `port`. */
  readonly dir: string;
  /** System user that runs it when we are root; `postgres` by default, made when missing. */
  readonly user?: string;
  /** Server settings beside ours, such as `{ shared_buffers: "64MB" }`. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly logger: Pick<Logger, "info" | "warn">;
}

export interface EmbeddedPostgres {
  /** Superuser's URL of the database `postgres`; secret. */
  readonly url: string;
  readonly port: number;
  /** True when it was running already. */
  readonly adopted: boolean;
  /** Fast shutdown: open transactions are rolled back. Stopped already is success. */
  stop(): Promise<void>;
}

/**
 * Starts the PostgreSQL server of `dir`, or adopts it when it runs already. Made once by `initdb`
 * (about 1 s); listens on 127.0.0.1 only, at a port chosen once and kept unless somebody took it.
 * Nobody but a database's owner may connect to it. Throws `TerminalError` (`PostgresUnavailable`) when
 * it cannot run here at all, `StacklingError` (`PostgresFailed`) with the end of its log otherwise.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { dir, logger } = options;
  const user = await findSystemUser(options.user ?? SUPERUSER);
  await mkdir(dir, { recursive: true });
  await chmod(dir, user ? 0o711 : 0o700);
  if (user) await refuseClosedFolder(dir, user);
  const programs = await findPrograms(user);
  const password = await keepPassword(dir);
  if (!(await isInitialised(dir))) {
    logger.info({ dir }, "initialising PostgreSQL");
    await initialise({ dir, password, programs, user });
  }
  const running = await findPostmaster(join(dir, "data"));
  const server = running ?? (await launch({ dir, programs, user, settings: { ...SETTINGS, ...options.settings } }));
  const url = `postgres://${SUPERUSER}:${password}@127.0.0.1:${server.port}/postgres`;
  await untilRecovered(dir, () => closeToPublic(url));
  logger.info({ dir, port: server.port, pid: server.pid, adopted: running !== undefined }, "PostgreSQL is ready");
  return { url, port: server.port, adopted: running !== undefined, stop: () => stopPostmaster(server) };
}

/** The death of one of its processes makes it start the others anew and refuse everybody meanwhile. */
async function untilRecovered(dir: string, work: () => Promise<void>): Promise<void> {
  const deadline = performance.now() + RECOVERED_WITHIN_MS;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      // What is no answer is a connection that was cut.
      const passes = !(error instanceof pg.DatabaseError) || error.code?.startsWith("57P0");
      if (!passes || performance.now() > deadline || !(await isRunning(dir))) throw error;
      await delay(RECOVERY_LOOK_MS);
    }
  }
}

/** True while the server of `dir` runs. */
export async function isRunning(dir: string): Promise<boolean> {
  return (await findPostmaster(join(dir, "data"))) !== undefined;
}

/** Ends the server of `dir` when it runs, without starting it; serves `stackling stop` after a crash. */
export async function stopEmbeddedPostgres(dir: string): Promise<void> {
  const running: Postmaster | undefined = await findPostmaster(join(dir, "data"));
  if (running) await stopPostmaster(running);
}

const RECOVERED_WITHIN_MS = 120_000;
const RECOVERY_LOOK_MS = 50;

const SETTINGS = {
  listen_addresses: "127.0.0.1",
  // A socket's path may have 107 bytes, and a file in /tmp would be a second door.
  unix_socket_directories: "",
  shared_buffers: "128MB",
  max_connections: "200",
  superuser_reserved_connections: "10",
  password_encryption: "scram-sha-256",
  // Statements may hold passwords, and the log is read by people.
  log_min_error_statement: "panic",
  timezone: "UTC",
  log_timezone: "UTC",
};

async function refuseClosedFolder(dir: string, user: SystemUser): Promise<void> {
  const closed = await closedFolder(dir, user);
  if (!closed) return;
  throw new TerminalError({
    reason: "PostgresUnavailable",
    userMessage: `starting PostgreSQL in "${dir}": the system user "${user.name}", who runs it because PostgreSQL refuses root, cannot pass through the folder "${closed}"; choose another data folder, or open that one with chmod o+x`,
  });
}

async function keepPassword(dir: string): Promise<string> {
  const file = join(dir, "password");
  const kept = await readFile(file, "utf8").catch(() => "");
  if (kept.trim()) return kept.trim();
  const password = randomBytes(24).toString("base64url");
  await replaceFile(file, password);
  return password;
}

async function isInitialised(dir: string): Promise<boolean> {
  return readFile(join(dir, "data", "PG_VERSION"), "utf8").then(
    () => true,
    () => false,
  );
}

/** Atomic: the folder gets its name only when it is whole. */
async function initialise(server: {
  readonly dir: string;
  readonly password: string;
  readonly programs: PostgresPrograms;
  readonly user: SystemUser | undefined;
}): Promise<void> {
  const { dir, password, programs, user } = server;
  for (const entry of await readdir(dir)) {
    if (entry.startsWith("new-")) await rm(join(dir, entry), { recursive: true, force: true });
  }
  const temporary = join(dir, `new-${process.pid}`);
  const passwordFile = join(temporary, "password");
  const owner = user ? { uid: user.uid, gid: user.gid } : {};
  try {
    await mkdir(temporary, { mode: 0o700 });
    await writeFile(passwordFile, password, { mode: 0o600 });
    if (user) for (const path of [temporary, passwordFile]) await chown(path, user.uid, user.gid);
    await execa(
      programs.initdb,
      [
        `--pgdata=${join(temporary, "data")}`,
        `--username=${SUPERUSER}`,
        `--pwfile=${passwordFile}`,
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        // The builtin provider sorts alike on every machine, whatever locales it has.
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--locale=C",
        "--no-instructions",
      ],
      { ...owner, cwd: "/", env: { PATH: process.env.PATH, TZ: "UTC" }, extendEnv: false },
    );
    await rename(join(temporary, "data"), join(dir, "data"));
  } catch (cause) {
    throw new TerminalError({
      reason: "PostgresUnavailable",
      userMessage: `initialising PostgreSQL in "${dir}" failed`,
      cause,
      excerpt: lastLines(cause),
    });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

function lastLines(cause: unknown): readonly string[] {
  const text = cause instanceof Error && "stderr" in cause ? String(cause.stderr) : "";
  return text.split("\n").filter(Boolean).slice(-10);
}

/** By default every role may connect to every database, also to those to come (`template1`). */
async function closeToPublic(url: string): Promise<void> {
  await withClient(url, (client) =>
    client.query(`DO $$ DECLARE name text; BEGIN
      FOR name IN
        SELECT datname FROM pg_database
        WHERE EXISTS (SELECT FROM aclexplode(coalesce(datacl, acldefault('d', datdba))) WHERE grantee = 0)
      LOOP EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', name); END LOOP;
    END $$`),
  );
}
