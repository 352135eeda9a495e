/** What a process holds, told apart from what its collector has not come to yet. */
import { setImmediate as turn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Bytes, as `process.memoryUsage()` names them. */
export type HeldMemory = Readonly<NodeJS.MemoryUsage>;

/**
 * Collects the garbage of this process and says what is left. The flag that it sets stays set, and all
 * stands still meanwhile: for processes of tests only.
 */
export async function heldMemory(): Promise<HeldMemory> {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  if (typeof collect !== "function") throw new Error("collecting garbage: V8 shows no gc()");
  // As when memory is short: pages that V8 keeps for objects to come go back too, 150 MiB of them. What a
  // first round finds dead may let go of more in its finalizers.
  for (let round = 0; round < ROUNDS; round += 1) {
    collect({ type: "major", execution: "sync", flavor: "last-resort" });
    await turn();
  }
  return process.memoryUsage();
}

const ROUNDS = 3;
