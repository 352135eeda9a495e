/** Logs of installs, builds and services: appended to by the programs themselves, read and cut by us. */
import { chown, type FileHandle, mkdir, open, stat, truncate, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { redact } from "./redact.ts";

/** As many lines as a message to people may carry. */
const EXCERPT_LINES = 20;
const EXCERPT_BYTES = 64 * 1024;
const ROTATE_BYTES = 5 * 1024 * 1024;

/** The user gets the file itself, so that programs may open /dev/stdout, but not the folder. */
export async function openLog(path: string, user?: number): Promise<FileHandle> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const file = await open(path, "a", 0o600);
  if (user !== undefined) await chown(path, user, user);
  return file;
}

export async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    (found) => found.size,
    () => 0,
  );
}

/** Last redacted lines that were written after byte `from`. */
export async function excerptOf(path: string, from: number, secrets: readonly string[]): Promise<string[]> {
  const lines = (await readFrom(path, from, EXCERPT_BYTES)).split("\n").filter((line) => line.trim() !== "");
  return lines.slice(-EXCERPT_LINES).map((line) => redact(line, secrets).slice(0, 500));
}

/** Up to `limit` bytes from the end, never before byte `from`. */
export async function readFrom(path: string, from: number, limit: number): Promise<string> {
  const size = await sizeOf(path);
  return readBetween(path, Math.max(from <= size ? from : 0, size - limit), size);
}

export async function readBetween(path: string, from: number, to: number): Promise<string> {
  return (await bytesBetween(path, from, to)).toString("utf8");
}

export async function bytesBetween(path: string, from: number, to: number): Promise<Buffer> {
  const file = await open(path, "r").catch(() => undefined);
  if (!file) return Buffer.alloc(0);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(to - from), 0, to - from, from);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/**
 * Keeps the end as one older file. Copied and cut in place, for the program holds the file open and
 * goes on appending; no more than that, for it may also have made it larger than any disk.
 */
export async function rotateLog(path: string): Promise<void> {
  const size = await sizeOf(path);
  if (size < ROTATE_BYTES) return;
  await writeFile(`${path}.1`, await bytesBetween(path, size - ROTATE_BYTES, size), { mode: 0o600 });
  await truncate(path, 0);
}
