/** `npm run chaos -- --disk`: prints each fault as it ends. */
import process from "node:process";
import { runFaults } from "../faults.ts";
import { DISK_FAULTS } from "./faults.ts";
import { startDiskWorld } from "./world.ts";

/** Resolves with the exit code, 2 for anyone but root; rejects when `signal` aborts. */
export async function runDiskFaults(signal: AbortSignal): Promise<number> {
  if (process.getuid?.() !== 0) {
    console.error("only root may mount the small disks that are filled here");
    return 2;
  }
  return runFaults({ what: "disk", faults: DISK_FAULTS, start: startDiskWorld }, signal);
}
