/** Starting, finding and ending an application's processes. */
import { type ChildProcess, spawn } from "node:child_process";
import { readdir, readFile, realpath } from "node:fs/promises";
import type { Writable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { isAlive, type ProcessIdentity, startTimeOf } from "./process-identity.ts";

export interface StartRequest {
  /** Run by `sh -c`, from the operator's config only. */
  readonly command: string;
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Numeric user and group; as ourselves when absent. */
  readonly user?: number;
  /** In place of the user's own group, which it keeps beside. */
  readonly group?: number;
  /** File descriptor that takes output and errors. */
  readonly log: number;
}

export interface StartedProcess {
  readonly identity: ProcessIdentity;
  /** Lets the command begin. Until then nothing of it runs, and when we die before, nothing ever will. */
  open(): void;
  /** Resolves with the exit code, or 128 + signal as a shell has it. */
  readonly exited: Promise<number>;
}

/** Waits for one line from us before it becomes the command, so that no process runs that nobody wrote down. */
const GATE = 'read -r go <&3 || exit 1; exec 3<&-; exec /bin/sh -c "$1"';

/** Starts a command detached, as leader of a process group of its own. Throws when it cannot be started at all. */
export async function startProcess(request: StartRequest): Promise<StartedProcess> {
  const { directory, environment, log } = request;
  const { program, args, ids } = await programOf(request);
  const child = spawn(program, args, {
    cwd: directory,
    env: environment,
    detached: true,
    stdio: ["ignore", log, log, "pipe"],
    ...ids,
  });
  const exited = exitOf(child);
  exited.catch(() => undefined);
  if (child.pid === undefined) return exited.then(neverStarted);
  const startTime = startTimeOf(child.pid) ?? "gone";
  const gate = child.stdio[3] as Writable;
  gate.on("error", () => undefined);
  child.unref();
  return {
    identity: { pid: child.pid, startTime },
    open: () => gate.end("go\n"),
    exited,
  };
}

/** As another user no program gains rights by its file's mode (PR_SET_NO_NEW_PRIVS, prctl(2)), where setpriv(1) is there. */
async function programOf({ command, user, group = user }: StartRequest) {
  const shell = ["-c", GATE, "sh", command];
  if (user === undefined) return { program: "/bin/sh", args: shell, ids: {} };
  const setpriv = await findSetpriv();
  if (setpriv === undefined) return { program: "/bin/sh", args: shell, ids: { uid: user, gid: user } };
  const ids = ["--reuid", user, "--regid", group, "--groups", user].map(String);
  return { program: setpriv, args: [...ids, "--no-new-privs", "--", "/bin/sh", ...shell], ids: {} };
}

/** Of util-linux; busybox has one that cannot change users. */
export async function findSetpriv(): Promise<string | undefined> {
  const found = await Promise.all(
    ["/usr/bin/setpriv", "/bin/setpriv"].map(async (path) => ({
      path,
      real: await realpath(path).catch(() => undefined),
    })),
  );
  return found.find(({ real }) => real !== undefined && !real.endsWith("busybox"))?.path;
}

/**
 * Ends whole trees: SIGTERM to the groups of `leaders`, up to `drainMs` for them to go by themselves,
 * SIGKILL, and again until `others` finds nobody who left the group.
 */
export async function endTrees(
  leaders: readonly ProcessIdentity[],
  { drainMs, others }: { readonly drainMs: number; readonly others: () => Promise<readonly number[]> },
): Promise<void> {
  const living = await filterLiving(leaders);
  const groups = living.map(({ pid }) => pid);
  for (const pid of groups) signal(-pid, "SIGTERM");
  // Looking through all processes costs milliseconds, so it is not done twice where nobody is found.
  let strays = await others();
  for (const pid of strays) if (!groups.includes(pid)) signal(pid, "SIGTERM");
  const deadline = performance.now() + drainMs;
  while (performance.now() < deadline && ((await filterLiving(living)).length > 0 || strays.length > 0)) {
    await delay(15);
    strays = await others();
  }
  for (const pid of groups) signal(-pid, "SIGKILL");
  for (let round = 0; round < 200; round++) {
    const left = [...(await others()), ...(await filterLiving(living)).map(({ pid }) => pid)];
    if (left.length === 0) return;
    for (const pid of left) signal(pid, "SIGKILL");
    await delay(10);
  }
  throw new Error(`ending processes ${groups.join(", ")}: some are still there after SIGKILL`);
}

/** Living processes whose environment gives `name` a value that `matches`. Only Linux tells of others' environments. */
export async function findMarked(name: string, matches: (value: string) => boolean): Promise<Marked[]> {
  const found = await Promise.all(
    (await listPids()).map(async (pid) => {
      const text = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
      const value = text
        .split("\0")
        .find((entry) => entry.startsWith(`${name}=`))
        ?.slice(name.length + 1);
      if (value === undefined || !matches(value)) return [];
      return startTimeOf(pid) === undefined ? [] : [{ pid, value }];
    }),
  );
  return found.flat();
}

export interface Marked {
  readonly pid: number;
  readonly value: string;
}

/** Living processes of a numeric user, or of those only that are in `group`. */
export async function findByUser(user: number, group?: number): Promise<number[]> {
  const found = await Promise.all(
    (await listPids()).map(async (pid) => {
      const text = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
      const isId = (name: string, id: number) => new RegExp(`^${name}:\\s+${id}\\s`, "m").test(text);
      const mine = isId("Uid", user) && (group === undefined || isId("Gid", group));
      return mine && startTimeOf(pid) !== undefined ? [pid] : [];
    }),
  );
  return found.flat();
}

async function listPids(): Promise<number[]> {
  const names = await readdir("/proc").catch(() => []);
  return names.filter((name) => /^\d+$/.test(name)).map(Number);
}

async function filterLiving(identities: readonly ProcessIdentity[]): Promise<ProcessIdentity[]> {
  const alive = await Promise.all(identities.map(isAlive));
  return identities.filter((_, index) => alive[index]);
}

function signal(target: number, name: NodeJS.Signals): void {
  try {
    process.kill(target, name);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

function exitOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code, name) => resolve(code ?? 128 + (SIGNAL_NUMBERS[name ?? ""] ?? 0)));
  });
}

/** Reached only when `spawn` gave no pid, in which case `exited` has thrown before. */
function neverStarted(): never {
  throw new Error("starting a process: the system gave none");
}

const SIGNAL_NUMBERS: Readonly<Record<string, number>> = {
  SIGINT: 2,
  SIGABRT: 6,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGTERM: 15,
};
