/**
 * A state file is whole or it is put back. An engine that finds no room on the disk renames what it could
 * write over the state, and may copy that over its backup too (gocloud.dev `Bucket.WriteAll` closes a
 * writer whose write failed; pkg/backend/diy of Pulumi 3.259): up to 0 bytes are left of both.
 */
import { copyFile, link, rename, rm, stat } from "node:fs/promises";
import { readOrUndefined } from "./missing-files.ts";

/** Beside the state, and by its ending no stack for the engine. */
const kept = (file: string) => `${file}.kept`;

/**
 * Keeps the state as it is under another name while work is done, which costs no room: the engine replaces
 * the file and never writes into it. When this process is killed meanwhile, `mendState` finds it.
 */
export async function keepWhole(file: string, work: () => Promise<void>): Promise<void> {
  await rm(kept(file), { force: true });
  await linkOrCopy(file, kept(file));
  try {
    await work();
  } catch (failure) {
    await mendState(file);
    throw failure;
  }
}

/** Puts the newest whole state back in the place of one that is cut short; true when it did. Needs no room either. */
export async function mendState(file: string): Promise<boolean> {
  const text = await readOrUndefined(file);
  if (text === undefined || isWhole(text)) return false;
  const source = await newestWhole(file);
  if (source === undefined) return false;
  const fresh = `${file}.new`;
  await rm(fresh, { force: true });
  await linkOrCopy(source, fresh);
  await rename(fresh, file);
  // They are the broken one's, and the engine holds a state against its checksum.
  await rm(`${file}.attrs`, { force: true });
  return true;
}

/** The state, or what it would be mended with; undefined when there is none. */
export async function readState(file: string): Promise<string | undefined> {
  const text = await readOrUndefined(file);
  if (text === undefined || isWhole(text)) return text;
  const source = await newestWhole(file);
  return source === undefined ? text : readOrUndefined(source);
}

/** The engine's own backup where it was written after the run began; of the same moment, it may be the run before's. */
async function newestWhole(file: string): Promise<string | undefined> {
  const found = await Promise.all(
    [kept(file), `${file}.bak`].map(async (path) => {
      const text = await readOrUndefined(path);
      return text !== undefined && isWhole(text) ? [{ path, at: (await stat(path)).mtimeMs }] : [];
    }),
  );
  return found.flat().sort((a, b) => b.at - a.at)[0]?.path;
}

async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    // File systems without hard links.
    if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"].includes(code)) throw error;
    await copyFile(from, to);
  }
}

/** The engine writes JSON, and what is left of a JSON map that was cut short is none. */
export function isWhole(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
