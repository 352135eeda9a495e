/** PostgreSQL's own client programs, taken from PATH and looked for only where one is needed. */
import { execa } from "execa";
import { withClient } from "./database-client.ts";

export type PostgresProgram = "pg_dump" | "pg_restore" | "psql";

/** What a dump does not bring: who owned what, and what ties it to its own server. For `pg_dump` and `pg_restore`. */
export const WITHOUT_OTHERS: readonly string[] = [
  "--no-owner",
  "--no-privileges",
  "--no-publications",
  "--no-subscriptions",
  "--no-security-labels",
];

/** How a person comes by them. */
export const INSTALL_PROGRAMS =
  "install PostgreSQL's client programs (Debian: postgresql-client, macOS: libpq)" as const;

/** Major version of a program, which prints `pg_restore (PostgreSQL) 18.4 (Debian …)`; undefined where it is not on PATH. */
export async function programMajorOf(
  program: PostgresProgram,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<number | undefined> {
  const options = { env: programEnvironment(environment), extendEnv: false, reject: false };
  const { stdout, failed } = await execa(program, ["--version"], options);
  const major = Number(/\(PostgreSQL\) (\d+)/.exec(stdout ?? "")?.[1]);
  return failed || !major ? undefined : major;
}

export async function serverMajorOf(url: string): Promise<number> {
  return withClient(url, async (client) => {
    const { rows } = await client.query<{ major: number }>(
      "SELECT current_setting('server_version_num')::int / 10000 AS major",
    );
    return rows[0]?.major ?? 0;
  });
}

/** Why `pg_restore` cannot read an archive, as one of a newer `pg_dump`; undefined where it can. Restores nothing. */
export async function unreadable(
  archive: string,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<string | undefined> {
  const options = {
    env: programEnvironment(environment),
    extendEnv: false,
    stdin: "ignore",
    stdout: "ignore",
  } as const;
  const { failed, stderr } = await execa("pg_restore", ["--list", archive], { ...options, reject: false });
  return failed ? (lastLines(stderr, 1)[0] ?? "it says nothing") : undefined;
}

/** An environment built from nothing. */
export function programEnvironment(
  { PATH = "/usr/local/bin:/usr/bin:/bin", HOME = "/", PGSSLROOTCERT }: NodeJS.ProcessEnv = process.env,
): Record<string, string> {
  return { PATH, HOME, LC_ALL: "C.UTF-8", ...(PGSSLROOTCERT === undefined ? {} : { PGSSLROOTCERT }) };
}

/** A password among the arguments could be read by every user of the machine; it goes by `PGPASSWORD`. */
export function withoutPassword(url: string): { readonly bare: string; readonly environment: Record<string, string> } {
  const parsed = new URL(url);
  const password = decodeURIComponent(parsed.password);
  parsed.password = "";
  return { bare: parsed.href, environment: password ? { PGPASSWORD: password } : {} };
}

/** The last lines of what a program said, at most `count`. */
export function lastLines(said: unknown, count: number): readonly string[] {
  return String(said ?? "")
    .split("\n")
    .filter(Boolean)
    .slice(-count);
}
