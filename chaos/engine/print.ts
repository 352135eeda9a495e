/** `npm run chaos -- --engine`: prints each fault as it ends. */
import { runFaults } from "../faults.ts";
import { ENGINE_FAULTS } from "./faults.ts";
import { startEngineWorld } from "./world.ts";

/** Resolves with the exit code; rejects when `signal` aborts. */
export function runEngineFaults(signal: AbortSignal): Promise<number> {
  return runFaults({ what: "engine", faults: ENGINE_FAULTS, start: startEngineWorld }, signal);
}
