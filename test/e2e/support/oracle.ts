/** What a test asks the world about one preview; the looking itself is the chaos suite's (chaos/oracle). */
import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { listThings } from "../../../chaos/oracle/look.ts";
import { listProcesses } from "../../../chaos/oracle/processes.ts";

export interface Place {
  readonly dataDir: string;
  readonly stack: string;
}

/** Everything of the preview that is still there, as one line each; empty when nothing is left. */
export async function remainsOf({ dataDir, stack }: Place): Promise<string[]> {
  const things = await listThings(dataDir, new RegExp(`(?<![a-z0-9-])(${stack})(?![a-z0-9])`));
  return things.filter((thing) => thing.stack === stack).map(({ kind, id }) => `${kind} ${id}`);
}

/** Pids of all processes of the preview. */
export async function processesOf({ dataDir, stack }: Place): Promise<number[]> {
  const processes = await listProcesses(dataDir);
  return processes.filter((thing) => thing.stack === stack).map(({ id }) => Number(id));
}

/** Environments of all processes of the preview. */
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
