/**
 * Keeps what was caught as files of the preview's, so that it outlives sleep, pushes and restarts: `ID.raw` as it
 * came in, and `ID.json` with what the list shows. The oldest go first. While a new version starts beside the old,
 * two processes keep the same folder, so nothing here trusts its memory of it.
 */
import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Entry, Received } from "./entries.ts";

export interface Limits {
  readonly entries: number;
  /** Of all together. */
  readonly bytes: number;
}

export interface Store {
  /** A path of its own for what is just coming in; given to `add` or removed by who asked. */
  partPath(): string;
  /** `raw` is a path of `partPath`, or the bytes themselves. */
  add(received: Received, raw: string | Buffer): Promise<Entry>;
  /** Newest first. */
  list(): Promise<readonly Entry[]>;
  find(id: string): Promise<Entry | undefined>;
  raw(id: string): Promise<Buffer>;
  /** Absent is success. Without an id: all. */
  remove(id?: string): Promise<void>;
  /** First answer of `look` that is not undefined, as entries come in; undefined once `signal` aborts. */
  until<T>(look: (entries: readonly Entry[]) => T | undefined, signal: AbortSignal): Promise<T | undefined>;
}

const ID = /^[0-9a-z]{9}-[0-9a-f]{12}$/;
const LIMITS: Limits = { entries: 200, bytes: 64 * 1024 * 1024 };
/** What another process wrote is seen this late. */
const POLL_MS = 500;
/** Left by a process that was killed; nothing takes so long to come in. */
const PART_LIVES_MS = 10 * 60_000;
/** Of what the list shows, which is held in memory: a sender may call things by names of megabytes. */
const CHARACTERS = 2_000;
const PARTS = 100;

export async function openStore(folder: string, limits: Limits = LIMITS): Promise<Store> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await removeHalves(folder);
  const known = new Map<string, Entry>();
  const waiting = new Set<() => void>();
  let last = 0;
  const path = (id: string, end: "json" | "raw") => join(folder, `${id}.${end}`);

  async function list(): Promise<readonly Entry[]> {
    const ids = (await readdir(folder)).flatMap((name) => (name.endsWith(".json") ? [name.slice(0, -5)] : []));
    const found = await Promise.all(ids.map(async (id) => known.get(id) ?? (await find(id))));
    for (const id of known.keys()) if (!ids.includes(id)) known.delete(id);
    return found.filter((entry) => entry !== undefined).sort((a, b) => (a.id < b.id ? 1 : -1));
  }

  async function find(id: string): Promise<Entry | undefined> {
    if (!ID.test(id)) return undefined;
    const text = await readFile(path(id, "json"), "utf8").catch(() => undefined);
    if (text === undefined) return undefined;
    const entry = parsed(text);
    if (entry) known.set(id, entry);
    return entry;
  }

  async function remove(id: string): Promise<void> {
    if (!ID.test(id)) return;
    // What the list shows goes first: a mail without its text would be worse than a text without its mail.
    await rm(path(id, "json"), { force: true });
    await rm(path(id, "raw"), { force: true });
  }

  async function dropOldest(): Promise<void> {
    let bytes = 0;
    for (const [index, { id, size }] of (await list()).entries()) {
      bytes += size;
      if (index > 0 && (index >= limits.entries || bytes > limits.bytes)) await remove(id);
    }
  }

  return {
    partPath: () => join(folder, `${randomBytes(12).toString("hex")}.part`),
    async add(received, raw) {
      // No two in one millisecond, so that who knows the newest misses none.
      const now = Math.max(Date.now(), last + 1);
      last = now;
      const id = `${now.toString(36).padStart(9, "0")}-${randomBytes(6).toString("hex")}`;
      if (typeof raw === "string") await rename(raw, path(id, "raw"));
      else await writeFile(path(id, "raw"), raw, { mode: 0o600 });
      const { size } = await stat(path(id, "raw"));
      const entry: Entry = { ...shortened(received), id, at: new Date(now).toISOString(), size };
      const part = join(folder, `${id}.part`);
      await writeFile(part, JSON.stringify(entry), { mode: 0o600 });
      await rename(part, path(id, "json"));
      await dropOldest();
      for (const wake of waiting) wake();
      return entry;
    },
    list,
    find,
    raw: (id) => readFile(path(id, "raw")),
    async remove(id) {
      if (id !== undefined) return remove(id);
      for (const entry of await list()) await remove(entry.id);
    },
    async until(look, signal) {
      while (!signal.aborted) {
        const found = look(await list());
        if (found !== undefined) return found;
        await nextChange(waiting, signal);
      }
      return undefined;
    },
  };
}

function shortened<R extends Received>(received: R): R {
  const { from, to, subject } = received;
  const attached =
    received.kind === "mail"
      ? { attachments: received.attachments.slice(0, PARTS).map((one) => ({ ...one, name: one.name.slice(0, 255) })) }
      : {};
  return {
    ...received,
    ...attached,
    from: from.slice(0, CHARACTERS),
    to: to.slice(0, PARTS).map((address) => address.slice(0, CHARACTERS)),
    subject: subject.slice(0, CHARACTERS),
  };
}

async function nextChange(waiting: Set<() => void>, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  waiting.add(resolve);
  await Promise.race([promise, delay(POLL_MS, undefined, { signal }).catch(() => undefined)]);
  waiting.delete(resolve);
}

/** The application may write here too; what it wrote shall not end the page. */
function parsed(text: string): Entry | undefined {
  try {
    const { id, at, kind, from, to, subject } = JSON.parse(text) as Entry;
    const isWhole = [id, at, kind, from, subject].every((part) => typeof part === "string") && Array.isArray(to);
    return isWhole ? (JSON.parse(text) as Entry) : undefined;
  } catch {
    return undefined;
  }
}

async function removeHalves(folder: string): Promise<void> {
  const names = new Set(await readdir(folder));
  for (const name of names) {
    const isHalf = name.endsWith(".part") || (name.endsWith(".raw") && !names.has(name.replace(/raw$/, "json")));
    if (!isHalf) continue;
    const { mtimeMs } = await stat(join(folder, name)).catch(() => ({ mtimeMs: Date.now() }));
    if (mtimeMs < Date.now() - PART_LIVES_MS) await rm(join(folder, name), { force: true });
  }
}
