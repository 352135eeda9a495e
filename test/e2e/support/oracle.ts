/**
 * Looks for what a preview left behind, in the world and never in the store: processes by their
 * marker, databases and roles on the server, and every file under the data folder that bears the
 * stack's name or speaks of it.
 */
import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import pg from "pg";
import { listLimits } from "../../../components/local/limits.ts";

/** Everything found, as one line each; empty when nothing is left. */
export async function remainsOf({ dataDir, stack }: Place): Promise<string[]> {
  return [
    ...(await processesOf({ dataDir, stack })).map((pid) => `process ${pid}`),
    ...(await databasesOf(dataDir, stack)),
    ...(await filesOf(dataDir, stack)).map((path) => `file ${path}`),
    ...(await listLimits(dataDir, stack)).map(({ name }) => `control group ${name}`),
  ];
}

export interface Place {
  readonly dataDir: string;
  readonly stack: string;
}

/** Pids of all processes that carry the preview's marker in their environment and belong to this data folder. */
export async function processesOf({ dataDir, stack }: Place): Promise<number[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const found: number[] = [];
  for (const pid of pids) {
    const environment = await readFile(`/proc/${pid}/environ`, "latin1").catch(() => "");
    // Another test's service on this machine may have a preview of the same name.
    const isHere = environment.includes(`${dataDir}/`);
    if (isHere && environment.split("\0").includes(`STACKLING_PREVIEW=${stack}`)) found.push(pid);
  }
  return found;
}

/** Databases and roles on the preview server that are named after the stack. */
export async function databasesOf(dataDir: string, stack: string): Promise<string[]> {
  const connectionString = (await readFile(join(dataDir, "postgres/previews.url"), "utf8")).trim();
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    const like = `${stack.replaceAll("-", "_")}%`;
    const { rows } = await client.query<{ what: string }>(
      `select 'database ' || datname as what from pg_database where datname like $1
       union all select 'role ' || rolname from pg_roles where rolname like $1`,
      [like.replaceAll("_", "\\_").replace(/\\_?%$/, "%")],
    );
    return rows.map((row) => row.what);
  } finally {
    await client.end();
  }
}

/** Environments of all processes that carry the preview's marker. */
export async function environmentsOf(place: Place): Promise<string[]> {
  const pids = await processesOf(place);
  return Promise.all(pids.map((pid) => readFile(`/proc/${pid}/environ`, "latin1").catch(() => "")));
}

/** Files under a folder that hold the text, whatever they are. */
export async function whereIs(text: string, folder: string): Promise<string[]> {
  const wanted = Buffer.from(text);
  const found: string[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    // What a server deletes meanwhile holds nothing.
    const bytes = await readFile(path).catch(() => Buffer.alloc(0));
    if (bytes.includes(wanted)) found.push(relative(folder, path));
  }
  return found;
}

async function filesOf(dataDir: string, stack: string): Promise<string[]> {
  const found: string[] = [];
  // A fence outlives its stack for a while on purpose: it is what refuses a run that was frozen (DESIGN §3 rule 6).
  const skip = new Set(["postgres", "mirrors", "cache", "fences"]);
  const entries = await readdir(dataDir, { withFileTypes: true });
  for (const top of entries) {
    if (skip.has(top.name) || top.name.endsWith(".log")) continue;
    if (top.isFile()) {
      const text = await readFile(join(dataDir, top.name), "latin1").catch(() => "");
      if (text.includes(stack)) found.push(`${top.name} (speaks of it)`);
      continue;
    }
    const below = await readdir(join(dataDir, top.name), { recursive: true, withFileTypes: true }).catch(() => []);
    for (const entry of below) {
      if (entry.name.includes(stack)) found.push(relative(dataDir, join(entry.parentPath, entry.name)));
    }
  }
  return found;
}
