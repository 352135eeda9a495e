/** The last line against a frozen predecessor: whoever comes with a lower number than was seen is refused. */
import { mkdir, readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { ConflictError } from "../errors.ts";
import { withFileLock } from "./file-lock.ts";
import { replaceFile } from "./json-file.ts";
import { layout } from "./layout.ts";

/** Raises the stack's fence to `fence`, or throws `ConflictError` (`FenceLost`) when a higher one was seen. */
export async function admitFence(dataDir: string, stack: string, fence: number): Promise<void> {
  const highest = await highestFence(dataDir, stack);
  if (fence < highest) throw lost(stack, fence, highest);
  if (fence === highest) return;
  const paths = layout(dataDir);
  const file = paths.fence(stack);
  await mkdir(paths.fences, { recursive: true, mode: 0o700 });
  await withFileLock(`${file}.lock`, async () => {
    const seen = await highestFence(dataDir, stack);
    if (fence < seen) throw lost(stack, fence, seen);
    await replaceFile(file, String(fence));
  });
}

/** 0 when none was seen. */
export async function highestFence(dataDir: string, stack: string): Promise<number> {
  try {
    return Number(await readFile(layout(dataDir).fence(stack), "utf8")) || 0;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return 0;
    throw error;
  }
}

/** A frozen run is killed within seconds of its lease's end; a day is far beyond it. */
const KEPT_MS = 86_400_000;

/**
 * Removes fences of stacks that are gone for a day. They outlive their stack because a fence is what
 * refuses the run that was frozen when the stack was destroyed.
 *
 * @param now milliseconds since the epoch
 */
export async function pruneFences(dataDir: string, now: number): Promise<void> {
  const { fences, previews } = layout(dataDir);
  const living = new Set(await namesIn(previews));
  for (const file of await namesIn(fences)) {
    const path = join(fences, file);
    const changed = await stat(path).catch(() => undefined);
    const old = changed !== undefined && now - changed.mtimeMs > KEPT_MS;
    if (old && !living.has(file)) await rm(path, { force: true });
  }
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
}

function lost(stack: string, fence: number, highest: number): ConflictError {
  return new ConflictError({
    reason: "FenceLost",
    userMessage: `changing stack "${stack}": run ${fence} was overtaken by run ${highest}`,
  });
}
