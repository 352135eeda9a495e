/** Removes what only saves time and was of use to nobody for long; whoever needs it again makes it anew. */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { tryFileLock } from "./file-lock.ts";
import { layout } from "./layout.ts";
import { ageLog, rotateLog } from "./log-file.ts";
import { listStacks } from "./release-files.ts";
import { removeTree } from "./remove-tree.ts";

const DAY_MS = 86_400_000;
const INSTALLS_KEPT_MS = 14 * DAY_MS;
const MIRRORS_KEPT_MS = 30 * DAY_MS;

export interface TrimRequest {
  readonly dataDir: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Addresses of repositories that are in use; their mirrors are kept however old. */
  readonly inUse: readonly string[];
}

interface LogsRequest extends Pick<TrimRequest, "dataDir" | "now"> {
  readonly keepMs: number;
}

/** Installs unused for 14 days and mirrors unused for 30. What somebody works on at this moment is left. Returns the names of what was removed. */
export async function trimCaches({ dataDir, now, inUse }: TrimRequest): Promise<string[]> {
  const { installCache, mirrors, mirror } = layout(dataDir);
  const kept = new Set(inUse.map(mirror));
  const installs = await trimFolder(installCache, (name) => /^[0-9a-f]{40}$/.test(name), now - INSTALLS_KEPT_MS);
  const isUnused = (name: string) => name.endsWith(".git") && !kept.has(join(mirrors, name));
  return [...installs, ...(await trimFolder(mirrors, isUnused, now - MIRRORS_KEPT_MS))];
}

/** Of the service's own log what is older than `keepMs`, and what makes it too large. */
export async function trimOwnLog({ dataDir, keepMs, now }: LogsRequest): Promise<void> {
  const { ownLog } = layout(dataDir);
  await rotateLog(ownLog);
  await ageLog(ownLog, { keepMs, now });
}

/**
 * Lines of applications, installs and builds that are older than `keepMs`, a day more at most; of previews that sleep
 * too. What a preview's folder holds goes with it.
 */
export async function trimLogs({ dataDir, keepMs, now }: LogsRequest): Promise<void> {
  for (const stack of await listStacks(dataDir)) {
    const { logs } = layout(dataDir).preview(stack);
    const names = await readdir(logs).catch((): string[] => []);
    // A log may go with its preview while it is looked at.
    for (const name of names.filter((one) => one.endsWith(".log"))) {
      await ageLog(join(logs, name), { keepMs, now }).catch(unlessMissing);
    }
  }
}

function unlessMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== "ENOENT") throw error;
}

async function trimFolder(folder: string, isMeant: (name: string) => boolean, before: number): Promise<string[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  const removed: string[] = [];
  for (const name of names.filter(isMeant)) {
    if (await removeUnused(join(folder, name), before)) removed.push(name);
  }
  return removed;
}

/** Looked at again under the lock, for somebody may have begun to use it; whoever uses it marks that under the same. */
async function removeUnused(path: string, before: number): Promise<boolean> {
  if (!(await isOlder(path, before))) return false;
  const unlock = await tryFileLock(`${path}.lock`);
  if (!unlock) return false;
  try {
    if (!(await isOlder(path, before))) return false;
    await removeTree(path);
    return true;
  } finally {
    await unlock();
  }
}

async function isOlder(path: string, before: number): Promise<boolean> {
  return stat(path).then(
    ({ mtimeMs }) => mtimeMs < before,
    () => false,
  );
}
