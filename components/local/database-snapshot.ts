/** Restores a dump into a preview's database by PostgreSQL's own client programs, which are taken from PATH. */
import { open } from "node:fs/promises";
import { execa } from "execa";
import { TerminalError } from "../errors.ts";
import { withoutOutage } from "./database-outage.ts";
import {
  INSTALL_PROGRAMS,
  lastLines,
  type PostgresProgram,
  programEnvironment,
  programMajorOf,
  serverMajorOf,
  unreadable,
  WITHOUT_OTHERS,
  withoutPassword,
} from "./postgres-programs.ts";

export interface Snapshot {
  /** Absolute path of a dump, on the machine that runs the engine: an archive of `pg_dump`, or plain SQL. */
  readonly dump: string;
}

export type RestoreProgram = Exclude<PostgresProgram, "pg_dump">;

const EXCERPT_LINES = 10;
/** `PGDMP`, the start of an archive in the custom format. */
const ARCHIVE = Buffer.from("PGDMP");

/**
 * Into the empty database of `url` (secret), as its role and with nothing of who owned what: it fails where that
 * role could not make a thing itself. Throws `TerminalError` (`DatabaseFailed`) with the program's last words.
 */
export async function restoreSnapshot({ dump }: Snapshot, url: string, signal: AbortSignal): Promise<void> {
  const action = `restoring the dump "${dump}"`;
  const program = await programFor(dump, action);
  refuseNewer(action, program, await majorOf(program, action), await serverMajorOf(url));
  const { bare, environment } = withoutPassword(url);
  const began = performance.now();
  const { failed, isCanceled, exitCode, stderr } = await execa(program, argumentsOf(program, dump, bare), {
    env: { ...programEnvironment(), ...environment, PGAPPNAME: "stackling" },
    extendEnv: false,
    stdin: "ignore",
    stdout: "ignore",
    maxBuffer: 64 * 1024,
    reject: false,
    cancelSignal: signal,
  });
  if (!failed) return;
  if (isCanceled) signal.throwIfAborted();
  const excerpt = lastLines(stderr, EXCERPT_LINES);
  const how = exitCode === undefined ? "was ended" : `ended with exit code ${exitCode}`;
  const failure = new TerminalError({
    reason: "DatabaseFailed",
    userMessage: `${action}: "${program}" ${how}${excerpt[0] ? `: ${excerpt[0]}` : ""}`,
    excerpt,
  });
  throw await withoutOutage(failure, { environment: { DATABASE_URL: url }, elapsedMs: performance.now() - began });
}

/** Which program a dump is for, by how it begins. Throws `TerminalError` when it cannot be read. */
export async function programFor(dump: string, action: string): Promise<RestoreProgram> {
  try {
    const handle = await open(dump);
    try {
      const { buffer } = await handle.read(Buffer.alloc(ARCHIVE.length), 0, ARCHIVE.length, 0);
      return buffer.equals(ARCHIVE) ? "pg_restore" : "psql";
    } finally {
      await handle.close();
    }
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
    const why = code === "ENOENT" ? "there is no such file" : "it cannot be read";
    throw new TerminalError({ reason: "DatabaseFailed", userMessage: `${action}: ${why}`, cause });
  }
}

/** Throws `TerminalError` for an archive that `pg_restore` cannot read, such as one of a newer `pg_dump`. Restores nothing. */
export async function refuseUnreadable(action: string, dump: string): Promise<void> {
  const said = await unreadable(dump);
  if (said === undefined) return;
  throw new TerminalError({
    reason: "DatabaseFailed",
    userMessage: `${action}: the "pg_restore" on PATH cannot read it: ${said}`,
  });
}

/** Major version of a program on PATH. Throws `TerminalError` where there is none. */
export async function majorOf(program: RestoreProgram, action: string): Promise<number> {
  const major = await programMajorOf(program);
  if (major !== undefined) return major;
  throw new TerminalError({
    reason: "DatabaseFailed",
    userMessage: `${action} needs "${program}", which is not on PATH: ${INSTALL_PROGRAMS}`,
  });
}

/** What a newer program sets for a session, an older server does not know (PostgreSQL documentation, "pg_dump", Notes). */
export function refuseNewer(action: string, program: RestoreProgram, major: number, server: number): void {
  if (major <= server) return;
  throw new TerminalError({
    reason: "DatabaseFailed",
    userMessage: `${action}: the "${program}" on PATH is of version ${major}, and the server is PostgreSQL ${server}: put client programs of version ${server} first on PATH, and dump with them`,
  });
}

function argumentsOf(program: RestoreProgram, dump: string, url: string): readonly string[] {
  if (program === "psql") {
    return ["--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1", `--dbname=${url}`, `--file=${dump}`];
  }
  return [...WITHOUT_OTHERS, "--exit-on-error", "--no-password", `--dbname=${url}`, dump];
}
