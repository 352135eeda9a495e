/**
 * Kills a runner's whole process group when its lease was not renewed in time, or when whoever renews
 * it is gone: before a successor may begin. A process of its own, so that nothing that freezes the runner
 * or the service freezes it too. Usage: `watchdog.ts PID LIMIT_MS`; stdin: lines `begin`, `renewed`, `end`.
 */
import { uptime } from "node:os";
import { createInterface } from "node:readline";
import { startTimeOf } from "../components/local/process-identity.ts";
import { type Deadline, startDeadline } from "./deadline.ts";

function main(pid: number, limitMs: number): void {
  const startTime = startTimeOf(pid);
  let deadline: Deadline | undefined;
  const kill = () => {
    killGroup(pid, startTime);
    process.exit(0);
  };
  const on: Record<string, () => void> = {
    begin: () => {
      deadline?.cancel();
      deadline = startDeadline({ sinceBoot: uptime, onPassed: kill }, limitMs);
    },
    renewed: () => deadline?.renew(),
    end: () => {
      deadline?.cancel();
      deadline = undefined;
    },
  };
  createInterface({ input: process.stdin })
    .on("line", (line) => on[line]?.())
    .on("close", kill);
  // A broken pipe is an end like any other.
  process.stdin.on("error", kill);
}

/** The group outlives its leader as long as it has members, and keeps the leader's pid from being used again. */
function killGroup(pid: number, startTime: string | undefined): void {
  const now = startTimeOf(pid);
  if (now !== undefined && now !== startTime) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // Nobody is left.
  }
}

main(Number(process.argv[2]), Number(process.argv[3]));
