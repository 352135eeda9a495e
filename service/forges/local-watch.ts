import { type FSWatcher, type Stats, watch } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

const POLL_MS = 2_000;
const SETTLE_MS = 5;

/**
 * Calls back when a repository's branches may have changed, until the signal aborts.
 *
 * Folder watches give the speed and the poll the certainty (network file systems, a `git` that
 * replaces folders, a repository that vanishes and returns). Runs no process of its own.
 */
export function watchRefs(findGitDir: () => Promise<string>, onChange: () => void, signal: AbortSignal): void {
  let watchers = new Map<string, FSWatcher>();
  let last: string | undefined;
  let settling: NodeJS.Timeout | undefined;
  let looking = false;
  let again = false;

  const look = async () => {
    if (looking) {
      again = true;
      return;
    }
    looking = true;
    do {
      again = false;
      const seen = await fingerprint(findGitDir);
      if (signal.aborted) break;
      watchers = rearm(watchers, seen.folders, soon);
      if (last !== undefined && last !== seen.text) onChange();
      last = seen.text;
    } while (again);
    looking = false;
  };
  const soon = () => {
    settling ??= setTimeout(() => {
      settling = undefined;
      void look();
    }, SETTLE_MS).unref();
  };

  if (signal.aborted) return;
  const poll = setInterval(() => void look(), POLL_MS).unref();
  void look();
  signal.addEventListener("abort", () => {
    clearInterval(poll);
    clearTimeout(settling);
    for (const watcher of watchers.values()) watcher.close();
    watchers.clear();
  });
}

/** What the files that hold branches look like now; `folders` are those worth a watch. */
async function fingerprint(findGitDir: () => Promise<string>): Promise<{ text: string; folders: Set<string> }> {
  const folders = new Set<string>();
  const lines: string[] = [];
  try {
    const gitDir = await findGitDir();
    folders.add(gitDir);
    for (const file of ["HEAD", "packed-refs", "reftable/tables.list", "refs/remotes/origin/HEAD"]) {
      const found = await stat(join(gitDir, file)).catch(() => undefined);
      lines.push(`${file} ${version(found)}`);
    }
    folders.add(join(gitDir, "refs", "heads"));
    const entries = await readdir(join(gitDir, "refs", "heads"), { recursive: true, withFileTypes: true });
    for (const entry of entries) {
      const path = join(entry.parentPath, entry.name);
      if (entry.isDirectory()) folders.add(path);
      else if (!entry.name.endsWith(".lock")) lines.push(`${path} ${version(await stat(path).catch(() => undefined))}`);
    }
  } catch (error) {
    lines.push(`unreadable ${error instanceof Error ? error.name : ""}`);
  }
  return { text: lines.sort().join("\n"), folders };
}

/** A ref's file is replaced at each write, so inode and time together name its content. */
function version(found: Stats | undefined): string {
  return found ? `${found.ino} ${found.mtimeMs} ${found.size}` : "absent";
}

function rearm(
  watchers: Map<string, FSWatcher>,
  folders: ReadonlySet<string>,
  onEvent: () => void,
): Map<string, FSWatcher> {
  for (const [folder, watcher] of watchers) {
    if (folders.has(folder)) continue;
    watcher.close();
    watchers.delete(folder);
  }
  for (const folder of folders) {
    if (watchers.has(folder)) continue;
    try {
      const watcher = watch(folder, { persistent: false }, onEvent);
      const drop = () => {
        watcher.close();
        watchers.delete(folder);
      };
      watcher.on("error", drop);
      watchers.set(folder, watcher);
    } catch {
      // The poll sees to it: out of watches, or gone meanwhile.
    }
  }
  return watchers;
}
