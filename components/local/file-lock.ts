/** A lock between processes that outlives none of them: the file names its holder, and a dead holder's is taken over. */
import { randomUUID } from "node:crypto";
import { link, mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { ConflictError } from "../errors.ts";
import { isAlive, isStopped, type ProcessIdentity, startTimeOf } from "./process-identity.ts";

const POLL_MS = 10;
/** Taking over is a matter of microseconds; a mark this old was left by a kill. */
const TAKEOVER_STALE_MS = 2_000;

interface Holder extends ProcessIdentity {
  readonly token: string;
}

export interface Patience {
  readonly waitMs?: number;
  /** For a holder that is held still itself, and so will not let go by itself. */
  readonly stoppedMs?: number;
}

/**
 * Runs `body` while holding the lock at `path`. Throws `ConflictError` (`Locked`), whose cause names file and holder,
 * when it was waited for in vain. What lives is never taken over from: a stopped holder goes on where it was once it is let.
 */
export async function withFileLock<T>(
  path: string,
  body: () => Promise<T>,
  { waitMs = 30_000, stoppedMs = Math.min(waitMs, 30_000) }: Patience = {},
): Promise<T> {
  await mkdir(dirname(path), { recursive: true });
  const since = performance.now();
  for (;;) {
    const release = await tryFileLock(path);
    if (release) {
      try {
        return await body();
      } finally {
        await release();
      }
    }
    const waitedMs = performance.now() - since;
    if (waitedMs > stoppedMs) {
      const holder = await holderOf(path);
      const stopped = typeof holder !== "string" && isHeld(holder) && isStopped(holder.pid);
      if (stopped || waitedMs > waitMs) {
        throw locked(path, holder);
      }
    }
    await delay(POLL_MS);
  }
}

/** What is said may be read in public; which file and process it is stands in the cause, for the log. */
function locked(path: string, holder: Found): ConflictError {
  const does = typeof holder !== "string" && isStopped(holder.pid) ? "is stopped" : "is still at work";
  const userMessage = `waiting for another process on Stackling's machine: it ${does}, and the service's log names it`;
  return new ConflictError({ reason: "Locked", userMessage, cause: new Error(`the lock "${path}": ${held(holder)}`) });
}

function held(holder: Found): string {
  if (typeof holder === "string") return "others were quicker each time";
  const { pid } = holder;
  if (pid === process.pid) return "this process holds it itself";
  return isStopped(pid)
    ? `process ${pid} holds it and is stopped; "kill -CONT ${pid}" lets it go on, "kill -KILL ${pid}" ends it`
    : `process ${pid} holds it and is at work; "kill ${pid}" ends it`;
}

/** The function that releases, or undefined when somebody living holds the lock. Rejects when its folder is gone. */
export async function tryFileLock(path: string): Promise<(() => Promise<void>) | undefined> {
  const found = await holderOf(path);
  if (isHeld(found)) return undefined;
  const mine: Holder = { pid: process.pid, startTime: startTimeOf(process.pid) ?? "", token: randomUUID() };
  if (found !== "none" && !(await removeDead(path, found))) return undefined;
  if (!(await place(path, mine))) return undefined;
  return async () => {
    if (tokenOf(await holderOf(path)) === mine.token) await rm(path, { force: true });
  };
}

/** Complete from its first moment: the content is written first, then linked under the name. */
async function place(path: string, holder: Holder): Promise<boolean> {
  const temporary = `${path}.${holder.token}`;
  try {
    await writeFile(temporary, JSON.stringify(holder), { mode: 0o600 });
    await link(temporary, path);
    return true;
  } catch (error) {
    if (isCode(error, "EEXIST")) return false;
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Only one takes over at a time, or the second would remove the first one's fresh lock. */
async function removeDead(path: string, dead: Holder | "broken"): Promise<boolean> {
  const mark = `${path}.takeover`;
  try {
    await writeFile(mark, "", { flag: "wx" });
  } catch (error) {
    if (!isCode(error, "EEXIST")) throw error;
    const age = await stat(mark).then(
      (found) => Date.now() - found.mtimeMs,
      () => 0,
    );
    if (age > TAKEOVER_STALE_MS) await rm(mark, { force: true });
    return false;
  }
  try {
    const again = await holderOf(path);
    // Gone meanwhile: what is there by the next moment is another's, and not ours to remove.
    if (again === "none") return true;
    if (tokenOf(again) !== tokenOf(dead)) return false;
    await rm(path, { force: true });
    return true;
  } finally {
    await rm(mark, { force: true });
  }
}

type Found = Holder | "none" | "broken";

/** `broken`: cut short by a machine that went down while it was written. */
async function holderOf(path: string): Promise<Found> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as Holder;
  } catch (error) {
    if (isCode(error, "ENOENT")) return "none";
    if (error instanceof SyntaxError) return "broken";
    throw error;
  }
}

function isHeld(found: Found): boolean {
  return typeof found !== "string" && isAlive(found);
}

function tokenOf(found: Found): string {
  return typeof found === "string" ? found : found.token;
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
