/** Who a process is: its pid alone may be somebody else's tomorrow, with its start time it may not. */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";

export interface ProcessIdentity {
  readonly pid: number;
  /** As the kernel tells it; opaque, compared for equality. */
  readonly startTime: string;
}

/** Undefined when there is no such process, or only its unreaped remains. */
export async function startTimeOf(pid: number): Promise<string | undefined> {
  if (process.platform !== "linux") return startTimeByPs(pid);
  try {
    // proc(5): the name in field 2 may hold anything, so fields are counted from its closing bracket.
    const text = await readFile(`/proc/${pid}/stat`, "utf8");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    const state = fields[0];
    return state === "Z" || state === "X" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

/** True while exactly this process runs. */
export async function isAlive(identity: ProcessIdentity): Promise<boolean> {
  return (await startTimeOf(identity.pid)) === identity.startTime;
}

async function startTimeByPs(pid: number): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)("ps", ["-o", "stat=,lstart=", "-p", String(pid)]);
    const [state, ...start] = stdout.trim().split(/\s+/);
    return !state || state.startsWith("Z") ? undefined : start.join(" ");
  } catch {
    return undefined;
  }
}
