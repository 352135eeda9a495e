/** Files that need not be there. */
import { readFile } from "node:fs/promises";

export async function readOrUndefined(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch(missingIs(undefined));
}

/** For `catch`: `value` where there is no such file or folder; every other failure is thrown on. */
export function missingIs<T>(value: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return value;
    throw error;
  };
}
