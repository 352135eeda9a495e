/** Looks for secret values wherever they must not be, in every form in which a program writes them. */
import { readdir, readFile, stat } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { withClient } from "../../../components/local/database-client.ts";
import { findServer } from "./servers.ts";

/** Values by what they are called in a failure, which must not show them either. */
export type Secrets = ReadonlyMap<string, string>;

export interface Surface {
  readonly name: string;
  readonly text: string;
}

export interface FileLeak {
  /** Relative to the folder that was looked through. */
  readonly path: string;
  readonly secret: string;
  readonly othersCanRead: boolean;
}

/** Of each surface, which secrets it shows: `comments: the database's password`. */
export function leaksOn(surfaces: readonly Surface[], secrets: Secrets): readonly string[] {
  return surfaces.flatMap(({ name, text }) =>
    shownIn(Buffer.from(text), secrets).map((secret) => `${name}: ${secret}`),
  );
}

/** All files below a folder, whatever they are, that hold one of them. */
export async function leaksBelow(folder: string, secrets: Secrets): Promise<readonly FileLeak[]> {
  const found: FileLeak[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    // What is deleted meanwhile holds nothing.
    const bytes = await readFile(path).catch(() => Buffer.alloc(0));
    for (const secret of shownIn(bytes, secrets)) {
      found.push({ path: relative(folder, path), secret, othersCanRead: await canOthersRead(path, folder) });
    }
  }
  return found;
}

/** Command lines of every process of this machine, which all users of it may read. */
export async function commandLines(): Promise<Surface> {
  const pids = (await readdir("/proc").catch(() => [])).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")));
  return { name: "command lines", text: lines.join("\n") };
}

function shownIn(bytes: Buffer, secrets: Secrets): readonly string[] {
  return [...secrets].flatMap(([name, value]) => (formsOf(value).some((form) => bytes.includes(form)) ? [name] : []));
}

/** As it is, in a URL, in a query, in JSON (also in JSON within JSON), in HTML, in base64 wherever it begins, in hexadecimal. */
export function formsOf(value: string): readonly string[] {
  const json = JSON.stringify(value).slice(1, -1);
  const html = value.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
  const named = value
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
  const query = new URLSearchParams({ "": value }).toString().slice(1);
  const encoded = [0, 1, 2].flatMap((before) => {
    const whole = Buffer.concat([Buffer.alloc(before), Buffer.from(value)]);
    // What shares a character with its neighbours depends on them.
    const cut = (text: string) => text.slice(Math.ceil((before * 8) / 6), Math.floor((whole.length * 8) / 6));
    return [cut(whole.toString("base64")), cut(whole.toString("base64url"))];
  });
  const hex = Buffer.from(value).toString("hex");
  const forms = [value, encodeURIComponent(value), query, json, JSON.stringify(json).slice(1, -1), html, named];
  return [...new Set([...forms, ...encoded, hex, hex.toUpperCase()])];
}

/** By its own mode, and by that of every folder on the way from `root`, which itself is passed by all. */
async function canOthersRead(path: string, root: string): Promise<boolean> {
  const modeOf = async (one: string) => (await stat(one).catch(() => ({ mode: 0 }))).mode;
  if (!((await modeOf(path)) & 0o004)) return false;
  for (let folder = dirname(path); folder.length > root.length; folder = dirname(folder)) {
    if (!((await modeOf(folder)) & 0o001)) return false;
  }
  return true;
}

/** Every row of every table of the store's server, as JSON. */
export async function dumpOfStore(dataDir: string): Promise<string> {
  const { url } = await findServer(dataDir, "store");
  return withClient(url, async (client) => {
    const { rows: databases } = await client.query("SELECT datname AS name FROM pg_database WHERE datallowconn");
    const dumps = databases.map(async ({ name }) => {
      const own = new URL(url);
      own.pathname = `/${name}`;
      return withClient(own.href, async (inside) => {
        const { rows } = await inside.query(
          `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
           WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
        );
        const texts = [];
        for (const table of rows) {
          texts.push(
            (await inside.query(`SELECT to_jsonb(t)::text AS row FROM ${table.name} t`)).rows.map(({ row }) => row),
          );
        }
        return texts.flat().join("\n");
      });
    });
    return (await Promise.all(dumps)).join("\n");
  });
}
