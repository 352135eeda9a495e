/** Logs of installs, builds and services: appended to by the programs themselves, read and cut by us. */
import {
  chown,
  type FileHandle,
  mkdir,
  open,
  readdir,
  rename,
  rm,
  stat,
  truncate,
  utimes,
  writeFile,
} from "node:fs/promises";
import { basename, dirname } from "node:path";
import { redact } from "./redact.ts";

/** As many lines as a message to people may carry. */
const EXCERPT_LINES = 20;
const EXCERPT_BYTES = 64 * 1024;
const ROTATE_BYTES = 5 * 1024 * 1024;
/** Of one log, all that was set aside. */
const OLDER_BYTES = 3 * ROTATE_BYTES;
const DAY_MS = 86_400_000;

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

/** Last redacted lines that were written after byte `from` and tell something. */
export async function excerptOf(path: string, from: number, secrets: readonly string[]): Promise<string[]> {
  const lines = telling((await readFrom(path, from, EXCERPT_BYTES)).split("\n"));
  return lines.slice(-EXCERPT_LINES).map((line) => redact(line, secrets).slice(0, 500));
}

/** npm puts some 80 lines on how it is called behind the one that says what is wrong. */
function telling(lines: readonly string[]): readonly string[] {
  let inUsage = false;
  return lines.filter((line) => {
    const said = /^npm (?:error|ERR!)(.*)$/.exec(line.trimEnd())?.[1];
    inUsage = said !== undefined && (inUsage ? !/^ Run "npm help /.test(said) : said === " Usage:");
    return !inUsage && (said ?? line).trim() !== "";
  });
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

/** Keeps the end as an older file where it has become too large, for it may have been made larger than any disk. */
export async function rotateLog(path: string): Promise<void> {
  if ((await sizeOf(path)) >= ROTATE_BYTES) await setAside(path, Date.now());
}

/**
 * Begins a log anew that was begun a day ago, and removes what was set aside more than `keepMs` ago, or is too much: of
 * a line it is known only that it is older than the file that it was set aside in.
 * @param now milliseconds since the epoch
 */
export async function ageLog(path: string, { keepMs, now }: { readonly keepMs: number; readonly now: number }) {
  const begun = await begunMs(path);
  if (begun !== undefined && now - begun >= DAY_MS) await setAside(path, now);
  for (const { file, mtimeMs } of await olderFiles(path)) if (mtimeMs < now - keepMs) await rm(file, { force: true });
}

/** Last bytes of a log, those from the files that were set aside before it too. */
export async function tailOfLog(path: string, limit: number): Promise<string> {
  const parts = [await readFrom(path, 0, limit)];
  for (const { file, size } of await olderFiles(path)) {
    const left = limit - parts.reduce((sum, part) => sum + part.length, 0);
    if (left <= 0) break;
    parts.unshift(await readBetween(file, Math.max(0, size - left), size));
  }
  return parts.join("");
}

/** When the first line that it holds may have been written; undefined where it holds none. */
async function begunMs(path: string): Promise<number | undefined> {
  const [found, [newest]] = await Promise.all([stat(path).catch(() => undefined), olderFiles(path)]);
  if (!found || found.size === 0) return undefined;
  return Math.max(found.birthtimeMs, newest?.mtimeMs ?? 0);
}

/** Copied and cut in place, for the program holds the file open and goes on appending. */
async function setAside(path: string, now: number): Promise<void> {
  const size = await sizeOf(path);
  const older = await olderFiles(path);
  let bytes = Math.min(size, ROTATE_BYTES);
  for (const one of older) {
    bytes += one.size;
    if (bytes > OLDER_BYTES) await rm(one.file, { force: true });
  }
  for (const { file, number } of older.toReversed()) {
    await rename(file, `${path}.${number + 1}`).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
    });
  }
  await writeFile(`${path}.1`, await bytesBetween(path, Math.max(0, size - ROTATE_BYTES), size), { mode: 0o600 });
  // No line in it is younger.
  await utimes(`${path}.1`, new Date(now), new Date(now));
  await truncate(path, 0);
}

/** Newest first. */
async function olderFiles(path: string) {
  const start = `${basename(path)}.`;
  const names = await readdir(dirname(path)).catch((): string[] => []);
  const numbers = names.flatMap((name) => {
    const number = name.startsWith(start) ? name.slice(start.length) : "";
    return /^[1-9]\d{0,3}$/.test(number) ? [Number(number)] : [];
  });
  const files = numbers.sort((a, b) => a - b).map((number) => ({ number, file: `${path}.${number}` }));
  const found = files.map(async (one) => {
    const { size, mtimeMs } = await stat(one.file).catch(() => ({ size: 0, mtimeMs: 0 }));
    return { ...one, size, mtimeMs };
  });
  return Promise.all(found);
}
