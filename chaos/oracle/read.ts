/** Reading what others write at the same time: gone meanwhile is gone, and cut short says nothing. */
import { readdir, readFile } from "node:fs/promises";

/** Names in a folder; none where there is no such folder. */
export async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return [];
    throw error;
  });
}

/** Undefined where there is no such file, or no whole JSON in it. */
export async function readJson<T extends object>(file: string): Promise<Partial<T> | undefined> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return "";
    throw error;
  });
  try {
    return JSON.parse(text) as Partial<T>;
  } catch {
    return undefined;
  }
}
