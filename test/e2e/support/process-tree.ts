import { readdir, readFile } from "node:fs/promises";
import { startTimeOf } from "../../../components/local/process-identity.ts";

export interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

/** Living children of a process, by what stands on their command line. */
export async function childrenOf(pid: number, holds = ""): Promise<ProcessEntry[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const entries = await Promise.all(pids.map(entryOf));
  return entries.flatMap((entry) => (entry && entry.parent === pid && entry.command.includes(holds) ? [entry] : []));
}

/** Zombies do not count. */
export async function isLiving(pid: number): Promise<boolean> {
  return (await startTimeOf(pid)) !== undefined;
}

async function entryOf(pid: number): Promise<ProcessEntry | undefined> {
  try {
    const status = await readFile(`/proc/${pid}/status`, "utf8");
    if (/^State:\tZ/m.test(status)) return undefined;
    const command = (await readFile(`/proc/${pid}/cmdline`, "latin1")).replaceAll("\0", " ");
    return { pid, parent: Number(/^PPid:\t(\d+)$/m.exec(status)?.[1]), command };
  } catch {
    return undefined;
  }
}
