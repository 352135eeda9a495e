import { rm } from "node:fs/promises";
import { stopLeftovers } from "./leftovers.ts";

/** Removes a data folder with everything that still runs on it; for instances that are thrown away. */
export async function removeDataDir(dataDir: string): Promise<void> {
  try {
    await stopLeftovers(dataDir);
  } finally {
    await rm(dataDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}
