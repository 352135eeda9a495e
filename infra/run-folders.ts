/** Working folders of engine runs; one that was killed leaves its behind, and the next run on the stack removes it. */
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { join } from "node:path";

/** Makes the folder of one run. Only under the stack's lease: whatever lies there of the same stack is a dead run's. */
export async function makeRunFolder(runsFolder: string, stack: string): Promise<string> {
  await mkdir(runsFolder, { recursive: true, mode: 0o700 });
  const ofStack = new RegExp(`^${stack}-[A-Za-z0-9]{6}$`);
  for (const name of (await readdir(runsFolder)).filter((found) => ofStack.test(found))) {
    await rm(join(runsFolder, name), { recursive: true, force: true });
  }
  return mkdtemp(join(runsFolder, `${stack}-`));
}
