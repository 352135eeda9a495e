/** Who a process is: its pid alone may be somebody else's tomorrow, with its start time it may not. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { hostname } from "node:os";

export interface ProcessIdentity {
  readonly pid: number;
  /** As the kernel tells it; opaque, compared for equality. */
  readonly startTime: string;
}

/**
 * When the kernel started a process, as an opaque text that is equal for the same process only: the
 * boot's id and field 22 of /proc/PID/stat (proc(5)). Undefined when there is no such process; a
 * zombie counts as none, because it does nothing any more.
 */
export function startTimeOf(pid: number): string | undefined {
  if (process.platform !== "linux") return startTimeByPs(pid);
  const ticks = startTicks(pid);
  return ticks && `${bootId()}:${ticks}`;
}

/** True while exactly this process runs. */
export function isAlive(identity: ProcessIdentity): boolean {
  return startTimeOf(identity.pid) === identity.startTime;
}

/** True while it lives but is held still (SIGSTOP, Ctrl-Z, a debugger): it does nothing until somebody lets it go on. */
export function isStopped(pid: number): boolean {
  if (process.platform === "linux") return /^[Tt]$/.test(statOf(pid)?.state ?? "");
  return statByPs(pid)?.state.startsWith("T") ?? false;
}

/** Milliseconds since the epoch at which a living process started, to about a second; undefined when there is none. */
export function startedAtMs(pid: number): number | undefined {
  if (process.platform !== "linux") {
    const start = startTimeByPs(pid);
    return start === undefined ? undefined : Date.parse(start);
  }
  const ticks = startTicks(pid);
  if (ticks === undefined) return undefined;
  const bootSeconds = /^btime (\d+)$/m.exec(readFileSync("/proc/stat", "utf8"))?.[1];
  return (Number(bootSeconds) + Number(ticks) / TICKS_PER_SECOND) * 1000;
}

/** What no other running machine has; another one after it started anew. */
export function machineId(): string {
  return process.platform === "linux" ? bootId() : hostname();
}

/** USER_HZ, fixed by the kernel's interface to programs on every architecture Node runs on. */
const TICKS_PER_SECOND = 100;

/** None for a zombie. */
function startTicks(pid: number): string | undefined {
  const stat = statOf(pid);
  return stat === undefined || stat.state === "Z" || stat.state === "X" ? undefined : stat.startTicks;
}

function statOf(pid: number): { readonly state: string; readonly startTicks: string | undefined } | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return undefined;
  }
  // The second field is the program's name in parentheses and may hold spaces and parentheses itself.
  const [state = "", ...rest] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return { state, startTicks: rest[18] };
}

function bootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
}

function startTimeByPs(pid: number): string | undefined {
  const stat = statByPs(pid);
  return stat === undefined || stat.state.startsWith("Z") ? undefined : stat.start;
}

function statByPs(pid: number): { readonly state: string; readonly start: string } | undefined {
  try {
    const stdout = execFileSync("ps", ["-o", "stat=,lstart=", "-p", String(pid)], { encoding: "utf8", stdio: "pipe" });
    const [state, ...start] = stdout.trim().split(/\s+/);
    return state ? { state, start: start.join(" ") } : undefined;
  } catch {
    return undefined;
  }
}
