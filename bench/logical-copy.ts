/** What people do without template copies: dump and restore, the peer of the clone benchmark. */
import { pipeline } from "node:stream/promises";
import { execa } from "execa";
import pg from "pg";
import { from as copyFrom, to as copyTo } from "pg-copy-streams";
import { withClient } from "../components/local/database-client.ts";

export type LogicalCopy = (source: string, target: string) => Promise<void>;

/**
 * The quickest that this machine has: `pg_dump | pg_restore` where they are as new as the server, else
 * `COPY` out and in, table after table and without indexes, by two `psql` or by the `pg` library.
 */
export async function findLogicalCopy(serverMajor: number): Promise<{ name: string; copy: LogicalCopy }> {
  const [dump, restore, psql] = await Promise.all(["pg_dump", "pg_restore", "psql"].map(majorVersion));
  if (Math.min(dump ?? 0, restore ?? 0) >= serverMajor) return { name: "pg_dump | pg_restore", copy: dumpAndRestore };
  const pipe = psql ? pipeByPsql : pipeByLibrary;
  const copy: LogicalCopy = (source, target) => copyTables(source, target, pipe);
  return { name: `COPY out | COPY in (${psql ? "psql" : "pg"}), without indexes`, copy };
}

type TablePipe = (source: string, target: string, table: string) => Promise<void>;

async function majorVersion(tool: string): Promise<number> {
  const { stdout = "" } = await execa(tool, ["--version"], { reject: false });
  return Number(/ (\d+)/.exec(stdout)?.[1] ?? 0);
}

async function dumpAndRestore(source: string, target: string): Promise<void> {
  await execa("pg_dump", ["--format=custom", "--compress=0"], { env: login(source) }).pipe(
    "pg_restore",
    ["--no-owner", `--dbname=${login(target).PGDATABASE}`],
    { env: login(target) },
  );
}

async function copyTables(source: string, target: string, pipe: TablePipe): Promise<void> {
  const tables = await withClient(source, listTables);
  for (const { name, columns } of tables) {
    await withClient(target, (client) => client.query(`CREATE TABLE ${pg.escapeIdentifier(name)} (${columns})`));
    await pipe(source, target, pg.escapeIdentifier(name));
  }
}

async function pipeByPsql(source: string, target: string, table: string): Promise<void> {
  // A shell's pipe, so that the rows go from one to the other and not through this process.
  await execa("sh", ["-c", 'psql -qXc "$OUT" "$FROM" | psql -qXc "$IN" "$TO"'], {
    env: {
      ...login(source),
      FROM: conninfo(source),
      TO: conninfo(target),
      OUT: `COPY ${table} TO STDOUT`,
      IN: `COPY ${table} FROM STDIN`,
    },
  });
}

async function pipeByLibrary(source: string, target: string, table: string): Promise<void> {
  await withClient(source, (out) =>
    withClient(target, (into) =>
      pipeline(out.query(copyTo(`COPY ${table} TO STDOUT`)), into.query(copyFrom(`COPY ${table} FROM STDIN`))),
    ),
  );
}

/** By environment: other users can read a process's arguments. */
function login(url: string): Record<string, string> {
  const { hostname, port, username, password, pathname } = new URL(url);
  return {
    PGHOST: hostname,
    PGPORT: port,
    PGUSER: username,
    PGPASSWORD: password,
    PGDATABASE: decodeURIComponent(pathname.slice(1)),
  };
}

function conninfo(url: string): string {
  return `dbname='${login(url).PGDATABASE}'`;
}

async function listTables(client: pg.Client): Promise<readonly { name: string; columns: string }[]> {
  const { rows } = await client.query<{ name: string; columns: string }>(`
    SELECT c.relname AS name, string_agg(format('%I %s', attname, format_type(atttypid, atttypmod)), ', ' ORDER BY attnum) AS columns
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND attnum > 0 AND NOT attisdropped
    WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace GROUP BY c.relname ORDER BY 1`);
  return rows;
}
