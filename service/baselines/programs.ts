/** PostgreSQL's own client programs, taken from PATH and asked for only where a source needs them. */
import { execa } from "execa";
import { StacklingError, TerminalError } from "../../components/errors.ts";
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
} from "../../components/local/postgres-programs.ts";

const COPYING = "reading the database to copy";

export interface ProgramOptions {
  readonly environment: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal;
}

/** An archive of `pg_dump` (custom format) as an SQL script. */
export async function* scriptOfArchive(file: string, options: ProgramOptions): AsyncGenerator<Uint8Array> {
  const action = `reading the archive "${file}"`;
  await majorOf("pg_restore", action, options);
  yield* run("pg_restore", [...WITHOUT_OTHERS, "--file=-", file], { ...options, action });
}

/**
 * A database as an SQL script. `url` is secret: its password goes by the environment, where no other user
 * reads it. Throws `TerminalError` (`ClientTooOld`) for a `pg_dump` older than the server, which refuses it.
 */
export async function* scriptOfDatabase(url: string, options: ProgramOptions): AsyncGenerator<Uint8Array> {
  const action = COPYING;
  await refuseOlder(url, options);
  const { bare, environment } = withoutPassword(url);
  const args = [...WITHOUT_OTHERS, "--encoding=UTF8", "--no-password", `--dbname=${bare}`];
  yield* run("pg_dump", args, { ...options, secret: environment, action });
}

/** Major version of the `pg_dump` that reads a database. Throws `TerminalError` (`ClientMissing`, `ClientTooOld`). */
export async function refuseOlder(url: string, options: ProgramOptions): Promise<number> {
  const [major, server] = await Promise.all([majorOf("pg_dump", COPYING, options), serverOf(url, COPYING)]);
  if (major < server) {
    throw new TerminalError({
      reason: "ClientTooOld",
      userMessage: `${COPYING}: its server is PostgreSQL ${server}, and the "pg_dump" on PATH is of version ${major}: install PostgreSQL ${server}'s client programs, and put them first on PATH`,
    });
  }
  return major;
}

/** Major version of the `pg_restore` that reads an archive. Throws `TerminalError` (`ClientMissing`, `SourceUnread`). */
export async function refuseUnreadable(file: string, options: ProgramOptions): Promise<number> {
  const action = `reading the archive "${file}"`;
  const major = await majorOf("pg_restore", action, options);
  const said = await unreadable(file, options.environment);
  if (said === undefined) return major;
  throw new TerminalError({
    reason: "SourceUnread",
    userMessage: `${action}: the "pg_restore" on PATH (version ${major}) cannot read it: ${said}`,
  });
}

async function majorOf(program: PostgresProgram, action: string, { environment }: ProgramOptions): Promise<number> {
  const major = await programMajorOf(program, environment);
  if (major !== undefined) return major;
  throw new TerminalError({
    reason: "ClientMissing",
    userMessage: `${action} needs "${program}", which is not on PATH: ${INSTALL_PROGRAMS}, or make a plain dump with pg_dump's --format=plain where there is one`,
  });
}

async function serverOf(url: string, action: string): Promise<number> {
  try {
    return await serverMajorOf(url);
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? ` (${String(cause.code)})` : "";
    throw new StacklingError({
      reason: "SourceAway",
      userMessage: `${action}: its server cannot be reached${code}`,
      cause,
    });
  }
}

interface Run extends ProgramOptions {
  readonly action: string;
  /** Variables that no other user may read. */
  readonly secret?: Readonly<Record<string, string>>;
}

async function* run(
  program: PostgresProgram,
  args: readonly string[],
  { environment, signal, action, secret = {} }: Run,
): AsyncGenerator<Uint8Array> {
  const child = execa(program, args, {
    env: { ...programEnvironment(environment), ...secret },
    extendEnv: false,
    buffer: { stdout: false, stderr: true },
    maxBuffer: 64 * 1024,
    reject: false,
    ...(signal ? { cancelSignal: signal } : {}),
  });
  let isRead = false;
  try {
    for await (const chunk of child.stdout) yield chunk as Uint8Array;
    isRead = true;
  } finally {
    // Who reads it may give up early.
    if (!isRead) child.kill();
  }
  const { exitCode, stderr } = await child;
  if (exitCode === 0) return;
  const said = lastLines(stderr, 5);
  throw new TerminalError({
    reason: "SourceUnread",
    userMessage: `${action}: "${program}" ${exitCode === undefined ? "was ended" : `ended with exit code ${exitCode}`}${said[0] ? `: ${said[0]}` : ""}`,
    excerpt: said,
  });
}
