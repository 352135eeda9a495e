/** Restores a dump into a preview's database by PostgreSQL's own client programs, which are taken from PATH. */
import { open } from "node:fs/promises";
import { execa } from "execa";
import { TerminalError } from "../errors.ts";
import { withClient } from "./database-client.ts";
import { withoutOutage } from "./database-outage.ts";

export interface Snapshot {
  /** Absolute path of a dump, on the machine that runs the engine: an archive of `pg_dump`, or plain SQL. */
  readonly dump: string;
}

export type RestoreProgram = "pg_restore" | "psql";

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
  const { bare, password } = apart(url);
  const began = performance.now();
  const { failed, isCanceled, exitCode, stderr } = await execa(program, argumentsOf(program, dump, bare), {
    // A password among the arguments could be read by every user of the machine.
    env: { ...plainEnvironment(), PGPASSWORD: password, PGAPPNAME: "stackling" },
    extendEnv: false,
    stdin: "ignore",
    stdout: "ignore",
    maxBuffer: 64 * 1024,
    reject: false,
    cancelSignal: signal,
  });
  if (!failed) return;
  if (isCanceled) signal.throwIfAborted();
  const excerpt = String(stderr ?? "")
    .split("\n")
    .filter(Boolean)
    .slice(-EXCERPT_LINES);
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

/** Major version of a program on PATH, which prints `pg_restore (PostgreSQL) 18.4 (Debian …)`. */
export async function majorOf(program: RestoreProgram, action: string): Promise<number> {
  const found = await execa(program, ["--version"], { env: plainEnvironment(), extendEnv: false, reject: false });
  const major = Number(/\(PostgreSQL\) (\d+)/.exec(found.stdout ?? "")?.[1]);
  if (!found.failed && major) return major;
  throw new TerminalError({
    reason: "DatabaseFailed",
    userMessage: `${action} needs "${program}", which is not on PATH: install PostgreSQL's client programs (Debian: postgresql-client, macOS: libpq)`,
    cause: found,
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

export async function serverMajorOf(url: string): Promise<number> {
  return withClient(url, async (client) => {
    const { rows } = await client.query<{ major: number }>(
      "SELECT current_setting('server_version_num')::int / 10000 AS major",
    );
    return rows[0]?.major ?? 0;
  });
}

function argumentsOf(program: RestoreProgram, dump: string, url: string): readonly string[] {
  if (program === "psql") {
    return ["--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1", `--dbname=${url}`, `--file=${dump}`];
  }
  const without = ["--no-owner", "--no-privileges", "--no-publications", "--no-subscriptions", "--no-security-labels"];
  return [...without, "--exit-on-error", "--no-password", `--dbname=${url}`, dump];
}

function apart(url: string): { readonly bare: string; readonly password: string } {
  const parsed = new URL(url);
  const password = decodeURIComponent(parsed.password);
  parsed.password = "";
  return { bare: parsed.href, password };
}

function plainEnvironment(): Record<string, string> {
  const { PATH = "/usr/local/bin:/usr/bin:/bin", HOME = "/" } = process.env;
  return { PATH, HOME, LC_ALL: "C.UTF-8" };
}
