/** One postmaster as a process: found by its pid file, started detached, stopped by signal. */
import { spawn } from "node:child_process";
import { open, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { StacklingError } from "../../components/errors.ts";
import type { PostgresPrograms, SystemUser } from "./postgres-binaries.ts";

const POLL_MS = 20;
/** Crash recovery of a large server may take this long. */
const START_TIMEOUT_MS = 120_000;
const FAST_STOP_MS = 30_000;
const IMMEDIATE_STOP_MS = 10_000;
const LOG_MAX_BYTES = 10 * 1024 * 1024;

export interface Postmaster {
  readonly pid: number;
  readonly port: number;
  /** PostgreSQL's data directory. */
  readonly data: string;
}

export interface Launch {
  readonly dir: string;
  readonly programs: PostgresPrograms;
  readonly user: SystemUser | undefined;
  readonly settings: Readonly<Record<string, string>>;
}

/**
 * The postmaster that serves `data`, waited for while it still starts or stops; undefined when there
 * is none. A pid file left by a machine's crash is removed when its pid is now somebody else's, for
 * PostgreSQL itself would refuse to start.
 */
export async function findPostmaster(data: string): Promise<Postmaster | undefined> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    const file = await readPidFile(data);
    if (!file) return undefined;
    if (!(await isPostmaster(file.pid, data))) {
      await rm(join(data, "postmaster.pid"), { force: true });
      return undefined;
    }
    if (file.status === "ready" && file.port) return { pid: file.pid, port: file.port, data };
    if (Date.now() > deadline) throw failed(`PostgreSQL in "${data}" is running but does not get ready`);
    await delay(POLL_MS);
  }
}

/** Starts it in a session of its own, at the kept port or, when that is taken, at a new one. */
export async function launch(server: Launch): Promise<Postmaster> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    const port = await choosePort(join(server.dir, "port"));
    const outcome = await launchOnce(server, port, deadline);
    if (typeof outcome !== "string") return outcome;
    // Its predecessor's last children still hold the memory, or the port went in between.
    const passes = /shared memory block|lock file|Address already in use/.test(outcome);
    if (!passes || Date.now() > deadline) {
      throw failed(`starting PostgreSQL in "${server.dir}" failed`, outcome.split("\n").filter(Boolean).slice(-10));
    }
    await delay(POLL_MS * 5);
  }
}

/** Fast shutdown, and the immediate one (recovered at the next start) when a session will not end. */
export async function stopPostmaster({ pid, data }: Postmaster): Promise<void> {
  for (const [signal, timeoutMs] of [
    ["SIGINT", FAST_STOP_MS],
    ["SIGQUIT", IMMEDIATE_STOP_MS],
  ] as const) {
    const deadline = Date.now() + timeoutMs;
    if (!(await isPostmaster(pid, data))) return;
    signalIfAlive(pid, signal);
    while (Date.now() < deadline) {
      if (!(await isPostmaster(pid, data))) return;
      await delay(POLL_MS);
    }
  }
  throw failed(`stopping PostgreSQL in "${data}" (process ${pid}) failed`);
}

/** The postmaster, or the log it wrote before it gave up. */
async function launchOnce(server: Launch, port: number, deadline: number): Promise<Postmaster | string> {
  const { dir, programs, user, settings } = server;
  const data = join(dir, "data");
  const logFile = join(dir, "server.log");
  const log = await openLog(logFile);
  const from = (await log.stat()).size;
  const flags = Object.entries({ ...settings, port: String(port) }).flatMap(([name, value]) => [
    "-c",
    `${name}=${value}`,
  ]);
  const child = spawn(programs.postgres, ["-D", data, ...flags], {
    ...(user ? { uid: user.uid, gid: user.gid } : {}),
    cwd: "/",
    detached: true,
    stdio: ["ignore", log.fd, log.fd],
    env: { PATH: process.env.PATH, LC_ALL: "C", TZ: "UTC" },
  });
  let ended: string | undefined;
  child.once("error", (error) => {
    ended = error.message;
  });
  child.once("exit", () => {
    ended ??= "";
  });
  child.unref();
  await log.close();
  while (Date.now() < deadline) {
    if (ended !== undefined) return ended || (await readFile(logFile)).subarray(from).toString();
    const file = await readPidFile(data);
    if (file && file.pid === child.pid && file.status === "ready") return { pid: file.pid, port, data };
    await delay(POLL_MS);
  }
  if (child.pid) signalIfAlive(child.pid, "SIGQUIT");
  return `not ready after ${START_TIMEOUT_MS} ms`;
}

async function openLog(file: string) {
  const size = await stat(file).then(
    (found) => found.size,
    () => 0,
  );
  if (size > LOG_MAX_BYTES) await rename(file, `${file}.1`);
  return open(file, "a", 0o600);
}

async function choosePort(file: string): Promise<number> {
  const kept = Number(await readFile(file, "utf8").catch(() => ""));
  if (kept && (await tryPort(kept))) return kept;
  const port = await tryPort(0);
  if (!port) throw failed("PostgreSQL finds no free port on 127.0.0.1");
  await writeFile(file, String(port), { mode: 0o600 });
  return port;
}

function tryPort(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(undefined));
    probe.listen(port, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" ? address?.port : undefined));
    });
  });
}

/** Format: PostgreSQL documentation, "Database File Layout"; lines 1, 4 and 8 are pid, port and status. */
async function readPidFile(data: string): Promise<{ pid: number; port?: number; status?: string } | undefined> {
  const text = await readFile(join(data, "postmaster.pid"), "utf8").catch(() => undefined);
  const lines = text?.split("\n").map((line) => line.trim());
  const pid = Number(lines?.[0]);
  if (!lines || !pid) return undefined;
  return { pid, port: Number(lines[3]) || undefined, status: lines[7] };
}

/** Is this pid a live process that was started with our data directory? */
async function isPostmaster(pid: number, data: string): Promise<boolean> {
  if (!signalIfAlive(pid, 0)) return false;
  if (process.platform !== "linux") return true;
  // A zombie that nobody reaps has an empty command line.
  const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  return command.split("\0").includes(data);
}

function signalIfAlive(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function failed(userMessage: string, excerpt: readonly string[] = []): StacklingError {
  return new StacklingError({ reason: "PostgresFailed", userMessage, excerpt });
}
