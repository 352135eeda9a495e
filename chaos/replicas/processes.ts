/** Who runs an engine on which stack, as /proc tells it and nobody else. */
import { readdir, readFile } from "node:fs/promises";

export interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  /** Arguments, the program first. */
  readonly command: readonly string[];
}

/** Engines at work on a stack, stopped ones too; a zombie does no work. `folder`: a path that only this world's environments name. */
export async function enginesOn(stack: string, folder: string): Promise<readonly ProcessEntry[]> {
  const all = await allProcesses();
  const engines = all.filter(({ command }) => isEngine(command) && command.includes(stack));
  const ours = await Promise.all(engines.map(async ({ pid }) => (await environment(pid)).includes(`${folder}/`)));
  return engines.filter((_, index) => ours[index]);
}

/** A process with everything below it, the deepest first. */
export async function withDescendants(pid: number): Promise<readonly ProcessEntry[]> {
  const all = await allProcesses();
  const below = (parent: number): ProcessEntry[] =>
    all.filter((one) => one.parent === parent).flatMap((one) => [...below(one.pid), one]);
  return [...below(pid), ...all.filter((one) => one.pid === pid)];
}

/** Pids from a process up to the first of its kind. */
export async function ancestorsOf(pid: number): Promise<readonly number[]> {
  const all = new Map((await allProcesses()).map((one) => [one.pid, one]));
  const found: number[] = [];
  for (let at = all.get(pid)?.parent ?? 0; at > 1; at = all.get(at)?.parent ?? 0) found.push(at);
  return found;
}

/** The shell that waits before an engine begins bears its arguments too, behind its own. */
function isEngine([program = ""]: readonly string[]): boolean {
  return program.endsWith("/pulumi");
}

async function allProcesses(): Promise<ProcessEntry[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  return (await Promise.all(pids.map(entryOf))).filter((entry) => entry !== undefined);
}

async function entryOf(pid: number): Promise<ProcessEntry | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, "latin1");
    // The name in brackets may hold spaces; state and parent's pid stand behind it.
    const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (state === "Z" || state === "X") return undefined;
    const command = (await readFile(`/proc/${pid}/cmdline`, "latin1")).split("\0");
    return { pid, parent: Number(parent), command };
  } catch {
    return undefined;
  }
}

async function environment(pid: number): Promise<string> {
  return readFile(`/proc/${pid}/environ`, "latin1").catch(() => "");
}
