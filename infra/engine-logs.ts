/**
 * The engine writes a debug log of every run into its home and cannot be told not to (pkg/logging of
 * Pulumi 3.259). They are named after the stack and go with it.
 */
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { PROJECT } from "./names.ts";

/** Logs of a stack's runs, as absolute paths. */
export async function engineLogsOf(pulumiHome: string, stack: string): Promise<readonly string[]> {
  const folder = join(pulumiHome, "logs");
  const files = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  // `shop-pr-4` must not take `shop-pr-4-…` along: behind the name stands the time and nothing else.
  const ours = new RegExp(`\\+${PROJECT}\\+${stack}-\\d{8}T\\d{6}`);
  return files.filter((file) => ours.test(file)).map((file) => join(folder, file));
}

export async function clearEngineLogs(pulumiHome: string, stack: string): Promise<void> {
  for (const file of await engineLogsOf(pulumiHome, stack)) await rm(file, { force: true });
}
