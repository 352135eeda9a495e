import { readFileSync } from "node:fs";

/**
 * When the kernel started a process, as an opaque text that is equal for the same process only: the
 * boot's id and field 22 of /proc/PID/stat (proc(5)). Undefined when there is no such process; a
 * zombie counts as none, because it does nothing any more.
 */
export function startTimeOf(pid: number): string | undefined {
  const fields = statFields(pid);
  return fields && `${bootId()}:${fields.ticks}`;
}

/** Milliseconds since the epoch at which a living process started, to about a second; undefined when there is none. */
export function startedAtMs(pid: number): number | undefined {
  const fields = statFields(pid);
  if (!fields) return undefined;
  const bootSeconds = /^btime (\d+)$/m.exec(readFileSync("/proc/stat", "utf8"))?.[1];
  return (Number(bootSeconds) + Number(fields.ticks) / TICKS_PER_SECOND) * 1000;
}

/** USER_HZ, fixed by the kernel's interface to programs on every architecture Node runs on. */
const TICKS_PER_SECOND = 100;

function statFields(pid: number): { readonly ticks: string } | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return undefined;
  }
  // The second field is the program's name in parentheses and may hold spaces and parentheses itself.
  const [state, ...rest] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = rest[18];
  return state === "Z" || state === "X" || ticks === undefined ? undefined : { ticks };
}

function bootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
}
