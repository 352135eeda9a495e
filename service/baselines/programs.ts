/** PostgreSQL's own client programs, taken from PATH and asked for only where a source needs them. */
import { execa } from "execa";
import { StacklingError, TerminalError } from "../../components/errors.ts";
import { withClient } from "../../components/local/database-client.ts";

export interface ProgramOptions {
  readonly environment: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal;
}

const TAKE_ALONG = ["--no-owner", "--no-privileges", "--no-publications", "--no-subscriptions", "--no-security-labels"];

/** An archive of `pg_dump` (custom format) as an SQL script. */
export async function* scriptOfArchive(file: string, options: ProgramOptions): AsyncGenerator<Uint8Array> {
  const action = `reading the archive "${file}"`;
  await majorOf("pg_restore", action, options);
  yield* run("pg_restore", [...TAKE_ALONG, "--file=-", file], { ...options, action });
}

/**
 * A database as an SQL script. `url` is secret: its password goes by the environment, where no other user
 * reads it. Throws `TerminalError` (`ClientTooOld`) for a `pg_dump` older than the server, which refuses it.
 */
export async function* scriptOfDatabase(url: string, options: ProgramOptions): AsyncGenerator<Uint8Array> {
  const action = "reading the database to copy";
  const [major, server] = await Promise.all([majorOf("pg_dump", action, options), serverMajorOf(url, action)]);
  if (major < server) {
    throw new TerminalError({
      reason: "ClientTooOld",
      userMessage: `${action}: its server is PostgreSQL ${server}, and the "pg_dump" on PATH is of version ${major}: install PostgreSQL ${server}'s client programs, and put them first on PATH`,
    });
  }
  const { bare, password } = apart(url);
  const environment = { ...options.environment, ...(password === undefined ? {} : { PGPASSWORD: password }) };
  const args = [...TAKE_ALONG, "--encoding=UTF8", "--no-password", `--dbname=${bare}`];
  yield* run("pg_dump", args, { ...options, environment, action });
}

/** Of a program on PATH; what it prints is `pg_dump (PostgreSQL) 18.4 (Debian …)`. */
async function majorOf(program: string, action: string, { environment }: ProgramOptions): Promise<number> {
  const { stdout, failed } = await execa(program, ["--version"], {
    env: plain(environment),
    extendEnv: false,
    reject: false,
  });
  const major = Number(/\(PostgreSQL\) (\d+)/.exec(stdout ?? "")?.[1]);
  if (!failed && major) return major;
  throw new TerminalError({
    reason: "ClientMissing",
    userMessage: `${action} needs "${program}", which is not on PATH: install PostgreSQL's client programs (Debian: postgresql-client, macOS: libpq), or make a plain dump with pg_dump's --format=plain where there is one`,
  });
}

async function serverMajorOf(url: string, action: string): Promise<number> {
  try {
    return await withClient(url, async (client) => {
      const { rows } = await client.query<{ version: number }>(
        "SELECT current_setting('server_version_num')::int / 10000 AS version",
      );
      return rows[0]?.version ?? 0;
    });
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? ` (${String(cause.code)})` : "";
    throw new StacklingError({
      reason: "SourceAway",
      userMessage: `${action}: its server cannot be reached${code}`,
      cause,
    });
  }
}

async function* run(
  program: string,
  args: readonly string[],
  { environment, signal, action }: ProgramOptions & { readonly action: string },
): AsyncGenerator<Uint8Array> {
  const child = execa(program, args, {
    env: plain(environment),
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
  const said = String(stderr ?? "")
    .split("\n")
    .filter(Boolean)
    .slice(-5);
  throw new TerminalError({
    reason: "SourceUnread",
    userMessage: `${action}: "${program}" ${exitCode === undefined ? "was ended" : `ended with exit code ${exitCode}`}${said[0] ? `: ${said[0]}` : ""}`,
    excerpt: said,
  });
}

function plain({ PATH, HOME, PGPASSWORD, PGSSLROOTCERT }: NodeJS.ProcessEnv): Record<string, string> {
  const kept = { PATH, HOME, PGPASSWORD, PGSSLROOTCERT, LC_ALL: "C.UTF-8" };
  return Object.fromEntries(
    Object.entries(kept).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

function apart(url: string): { readonly bare: string; readonly password?: string } {
  const parsed = new URL(url);
  const password = decodeURIComponent(parsed.password);
  parsed.password = "";
  return { bare: parsed.href, ...(password ? { password } : {}) };
}
