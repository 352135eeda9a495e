/** `npm run chaos -- --forge`: prints each fault as it ends. */
import { runFaults } from "../faults.ts";
import { FORGE_FAULTS } from "./faults.ts";
import { startForgeWorld } from "./world.ts";

/** Resolves with the exit code; rejects when `signal` aborts. */
export function runForgeFaults(signal: AbortSignal): Promise<number> {
  return runFaults({ what: "forge", faults: FORGE_FAULTS, start: () => startForgeWorld() }, signal);
}
