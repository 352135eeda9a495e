import { setTimeout as delay } from "node:timers/promises";
import { execa } from "execa";

const ATTEMPTS = 5;
const PAUSE_MS = 100;

/**
 * Removes a file or folder that a preview can change. By rm(1), which walks through descriptors: Node's
 * `rm` walks by name, and a folder that is swapped for a symbolic link under it leads root anywhere.
 * Gone already is success.
 */
export async function removeTree(path: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const { failed, stderr } = await execa("rm", ["-rf", "--", path], { reject: false });
    if (!failed) return;
    // Somebody still writes there.
    if (attempt === ATTEMPTS) throw new Error(`removing "${path}": ${stderr.split("\n").at(-1)}`);
    await delay(PAUSE_MS);
  }
}
