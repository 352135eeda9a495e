/** The Node that applications find first on PATH: ours, or a copy of it where only we may reach the original. */
import { constants } from "node:fs";
import { access, copyFile, mkdir, rename, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { layout } from "./layout.ts";
import { canSwitchUser } from "./users.ts";

/** Folder that holds an executable `node` which the previews' users can run. */
export async function nodeFolder(dataDir: string): Promise<string> {
  if (!canSwitchUser() || (await isReachable(process.execPath))) return dirname(process.execPath);
  const folder = join(layout(dataDir).runtime, `node-${process.version}`);
  const node = join(folder, "node");
  const there = await access(node).then(
    () => true,
    () => false,
  );
  if (there) return folder;
  await mkdir(folder, { recursive: true, mode: 0o755 });
  const temporary = `${node}.${process.pid}`;
  await copyFile(process.execPath, temporary, constants.COPYFILE_FICLONE);
  await rename(temporary, node);
  return folder;
}

/** True when users other than the owner can pass every folder on the way and run or enter the end. */
export async function isReachable(path: string): Promise<boolean> {
  for (let at = path; ; at = dirname(at)) {
    const { mode } = await stat(at);
    if ((mode & 0o001) === 0) return false;
    if (at === dirname(at)) return true;
  }
}
