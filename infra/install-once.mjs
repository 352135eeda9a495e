/**
 * The per-user cache and the one way things get into it. Plain JavaScript, without packages, because
 * set-up runs it on Nodes that cannot strip types and before anything is installed.
 */
import { randomUUID } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { mkdir, open, readdir, readFile, rename, rm, stat, utimes } from "node:fs/promises";
import { homedir, hostname } from "node:os";
import { basename, dirname, join } from "node:path";

const pollMs = 250;
const heartbeatMs = 2_000;
/** A lock of another host counts as left behind after this long without a heartbeat. */
const foreignLockStaleMs = 60_000;

/**
 * Folder for what is built or downloaded once per user: `STACKLING_CACHE`, else the XDG cache folder.
 * For root it is `/var/cache/stackling` unless XDG_CACHE_HOME names a folder that other users can
 * enter, because previews and Postgres run as users of their own and start programs from it.
 *
 * @param {NodeJS.ProcessEnv} env
 * @returns {string} absolute path; need not exist yet
 */
export function cacheDir(env = process.env) {
  if (env.STACKLING_CACHE) return env.STACKLING_CACHE;
  const xdg = env.XDG_CACHE_HOME?.startsWith("/") ? env.XDG_CACHE_HOME : undefined;
  if (process.getuid?.() === 0 && !(xdg && enterableByAll(xdg))) return "/var/cache/stackling";
  return join(xdg ?? join(homedir(), ".cache"), "stackling");
}

/**
 * Makes `target` by letting `fill` write into an empty folder beside it, which is then renamed: after
 * a kill at any moment `target` is whole or absent. Processes that want the same thing wait for the
 * first. Does nothing when `target` exists.
 *
 * @param {{target: string, fill: (directory: string) => Promise<void>, onWait?: () => void}} request
 */
export async function installOnce({ target, fill, onWait }) {
  if (existsSync(target)) return;
  await mkdir(dirname(target), { recursive: true });
  await withLock({ path: `${target}.lock`, onWait }, async () => {
    if (existsSync(target)) return;
    await removeLeftovers(target);
    const directory = `${target}.partial-${randomUUID()}`;
    await mkdir(directory, { mode: 0o755 });
    try {
      await fill(directory);
      await rename(directory, target);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });
}

/**
 * Runs `work` while no other process holds the lock file at `path`. A lock whose holder died is taken
 * over; `onWait` is called once when there is somebody to wait for.
 *
 * @template T
 * @param {{path: string, onWait?: () => void}} lock
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock({ path, onWait }, work) {
  const mine = JSON.stringify({
    host: hostname(),
    pid: process.pid,
    startTime: startTime(process.pid),
    id: randomUUID(),
  });
  let waited = false;
  while (!(await claim(path, mine))) {
    if (await takeOverIfDead(path)) continue;
    if (!waited) onWait?.();
    waited = true;
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  const heartbeat = setInterval(() => void utimes(path, new Date(), new Date()).catch(() => {}), heartbeatMs);
  heartbeat.unref();
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    await rm(path, { force: true });
  }
}

/**
 * @param {string} path
 * @param {string} content
 */
async function claim(path, content) {
  try {
    const file = await open(path, "wx");
    await file.writeFile(content);
    await file.close();
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  }
}

/** @param {string} path */
async function takeOverIfDead(path) {
  const seen = await readFile(path, "utf8").catch(() => undefined);
  if (seen === undefined) return true;
  if (!(await isDead(path, seen))) return false;
  // Two processes may find the same dead lock: whoever moves it away owns the removal, and puts it
  // back when what was moved turns out to be a newer holder's.
  const aside = `${path}.dead-${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch {
    return true;
  }
  if ((await readFile(aside, "utf8").catch(() => "")) === seen) await rm(aside, { force: true });
  else await rename(aside, path);
  return true;
}

/**
 * @param {string} path
 * @param {string} content
 */
async function isDead(path, content) {
  const age = Date.now() - (await stat(path).catch(() => ({ mtimeMs: Date.now() }))).mtimeMs;
  try {
    const holder = JSON.parse(content);
    if (holder.host !== hostname()) return age > foreignLockStaleMs;
    return startTime(holder.pid) !== holder.startTime;
  } catch {
    // Killed between making the file and writing it.
    return age > heartbeatMs;
  }
}

/**
 * Kernel start time of a process, so that a reused pid is not taken for the holder; "alive" where the
 * system has no /proc.
 *
 * @param {number} pid
 */
function startTime(pid) {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (codeOf(error) !== "EPERM") return "";
  }
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ")[19] ?? "alive";
  } catch {
    return "alive";
  }
}

/** @param {string} target */
async function removeLeftovers(target) {
  const prefix = `${basename(target)}.partial-`;
  for (const name of await readdir(dirname(target))) {
    if (name.startsWith(prefix)) await rm(join(dirname(target), name), { recursive: true, force: true });
  }
}

/** @param {string} folder */
function enterableByAll(folder) {
  for (let path = folder; ; path = dirname(path)) {
    const mode = statSync(path, { throwIfNoEntry: false })?.mode;
    if (mode !== undefined && (mode & 0o001) === 0) return false;
    if (path === dirname(path)) return true;
  }
}

/** @param {unknown} error */
function codeOf(error) {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
