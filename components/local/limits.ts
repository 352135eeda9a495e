/** Bounds on memory, CPU and the number of processes by control groups (cgroups(7)), version 2 or 1, where we may make one. */
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { access, mkdir, readdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { FORBIDDEN, unlessGone } from "./unless-gone.ts";

export interface Limits {
  readonly memoryMiB: number;
  /** 1 = one core. */
  readonly cpu: number;
}

const ROOT = "/sys/fs/cgroup";
const PARENT = "stackling";
const PERIOD_US = 100_000;
/** Threads count too; far above what a service needs, far below what a fork bomb takes. */
const PROCESSES_MAX = 1024;

const CONTROLLERS = "+memory +cpu +pids";
const PROCS = "cgroup.procs";

/** Name of a release's group; groups are the machine's, so it tells one data folder's from another's. */
export function limitsName(dataDir: string, stack: string, release: string): string {
  return `${prefixOf(dataDir)}${stack}.${release}`;
}

/** Groups of a stack, or of every one of the data folder, also those whose release is gone. Rejects when that could not be read. */
export async function listLimits(dataDir: string, stack?: string): Promise<{ name: string; stack: string }[]> {
  const prefix = prefixOf(dataDir);
  const lists = await Promise.all(groupFolders("").map((folder) => unlessGone(readdir(folder), [], FORBIDDEN)));
  return [...new Set(lists.flat())]
    .filter((name) => name.startsWith(prefix))
    .map((name) => ({ name, stack: name.slice(prefix.length).split(".")[0] ?? "" }))
    .filter((group) => stack === undefined || group.stack === stack);
}

type Support = "v2" | "v1" | "none";
let found: Promise<Support> | undefined;

/** Which of the kernel's interfaces can be used here, tried once; `none` means nothing is bounded, nor counted by groups. */
export function limitsSupport(): Promise<Support> {
  found ??= tryLimits();
  return found;
}

/**
 * By making a group, for whoever may write there may yet be refused: in a container with rights the processes lie in
 * the group that is its root, and the kernel then lets it give groups below no controllers (cgroups(7), "no internal
 * processes").
 */
async function tryLimits(): Promise<Support> {
  if (process.platform !== "linux") return "none";
  const name = `try-${process.pid}`;
  const few = { memoryMiB: 64, cpu: 1 };
  try {
    if (await isWritable(join(ROOT, "cgroup.subtree_control"))) {
      await boundV2(name, few);
      return "v2";
    }
    const v1 = await Promise.all(["memory", "cpu"].map((controller) => isWritable(join(ROOT, controller, PROCS))));
    if (!v1.every(Boolean)) return "none";
    await boundV1(name, few);
    return "v1";
  } catch {
    return "none";
  } finally {
    await removeLimits(name);
  }
}

/** Makes or adjusts the group `name` and puts a process in; what it starts is inside too. False where nothing can be bounded. */
export async function applyLimits(name: string, pid: number, limits: Limits): Promise<boolean> {
  const support = await limitsSupport();
  try {
    if (support === "v2") await applyV2(name, pid, limits);
    if (support === "v1") await applyV1(name, pid, limits);
    return support !== "none";
  } catch {
    return false;
  }
}

/** Makes the group without bounds and puts a process in, that what it takes is counted. False where none can be made. */
export async function joinGroup(name: string, pid: number): Promise<boolean> {
  const support = await limitsSupport();
  try {
    if (support === "v2") await joinV2(name, pid);
    if (support === "v1") for (const controller of ["memory", "cpuacct"]) await joinV1(controller, name, pid);
    return support !== "none";
  } catch {
    return false;
  }
}

/** Changes the CPU of a group that exists; one that does not, or that nobody can change, is left alone. */
export async function limitCpu(name: string, cpu: number): Promise<void> {
  const [v2, v1] = [join(ROOT, PARENT, name, "cpu.max"), join(ROOT, "cpu", PARENT, name, "cpu.cfs_quota_us")];
  await Promise.all([replaceValue(v2, `${quotaUs(cpu)} ${PERIOD_US}`), replaceValue(v1, String(quotaUs(cpu)))]);
}

/** Without making a file where there is none. */
async function replaceValue(path: string, value: string): Promise<void> {
  await writeFile(path, value, { flag: "r+" }).catch(() => {});
}

/** Processes of the group, also those that shed every other mark. */
export async function membersOf(name: string): Promise<number[]> {
  const lists = await Promise.all(
    groupFolders(name).map((folder) => readFile(join(folder, PROCS), "utf8").catch(() => "")),
  );
  return [...new Set(lists.flatMap((list) => list.split("\n").filter(Boolean).map(Number)))];
}

/** Gone already is success. The kernel needs a moment after the last member died. */
export async function removeLimits(name: string): Promise<void> {
  for (const folder of groupFolders(name)) {
    for (let attempt = 0; attempt < 50 && (await isBusy(folder)); attempt++) await delay(10);
  }
}

async function isBusy(folder: string): Promise<boolean> {
  return rmdir(folder).then(
    () => false,
    (error: NodeJS.ErrnoException) => error.code === "EBUSY",
  );
}

async function applyV2(name: string, pid: number, limits: Limits): Promise<void> {
  const folder = await boundV2(name, limits);
  await writeFile(join(folder, PROCS), String(pid));
}

async function boundV2(name: string, { memoryMiB, cpu }: Limits): Promise<string> {
  const folder = await makeV2(name);
  await writeFile(join(folder, "memory.max"), String(bytes(memoryMiB)));
  await writeFile(join(folder, "pids.max"), String(PROCESSES_MAX));
  await writeFile(join(folder, "cpu.max"), `${quotaUs(cpu)} ${PERIOD_US}`);
  return folder;
}

async function joinV2(name: string, pid: number): Promise<void> {
  await writeFile(join(await makeV2(name), PROCS), String(pid));
}

async function makeV2(name: string): Promise<string> {
  const folder = join(ROOT, PARENT, name);
  await writeFile(join(ROOT, "cgroup.subtree_control"), CONTROLLERS);
  await mkdir(join(ROOT, PARENT), { recursive: true });
  await writeFile(join(ROOT, PARENT, "cgroup.subtree_control"), CONTROLLERS);
  await mkdir(folder, { recursive: true });
  return folder;
}

async function joinV1(controller: string, name: string, pid: number): Promise<void> {
  const folder = join(ROOT, controller, PARENT, name);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, PROCS), String(pid));
}

async function applyV1(name: string, pid: number, limits: Limits): Promise<void> {
  const folders = await boundV1(name, limits);
  for (const folder of folders) await writeFile(join(folder, PROCS), String(pid));
  // Bounds nothing, so that what is bounded does not depend on it.
  await joinV1("cpuacct", name, pid).catch(() => undefined);
}

async function boundV1(name: string, { memoryMiB, cpu }: Limits): Promise<readonly string[]> {
  const memory = join(ROOT, "memory", PARENT, name);
  const share = join(ROOT, "cpu", PARENT, name);
  const pids = join(ROOT, "pids", PARENT, name);
  const folders = [memory, share, ...((await isWritable(join(ROOT, "pids", PROCS))) ? [pids] : [])];
  await Promise.all(folders.map((folder) => mkdir(folder, { recursive: true })));
  await writeFile(join(memory, "memory.limit_in_bytes"), String(bytes(memoryMiB)));
  await writeFile(join(share, "cpu.cfs_period_us"), String(PERIOD_US));
  await writeFile(join(share, "cpu.cfs_quota_us"), String(quotaUs(cpu)));
  if (folders.includes(pids)) await writeFile(join(pids, "pids.max"), String(PROCESSES_MAX));
  return folders;
}

/** Where the group may lie: by itself, or once for each controller of version 1. */
export function groupFolders(name: string): string[] {
  return ["", "memory", "cpu", "cpuacct", "pids"].map((controller) => join(ROOT, controller, PARENT, name));
}

function prefixOf(dataDir: string): string {
  return `${createHash("sha256").update(dataDir).digest("hex").slice(0, 8)}.`;
}

function quotaUs(cpu: number): number {
  return Math.round(cpu * PERIOD_US);
}

function bytes(mebibytes: number): number {
  return Math.round(mebibytes * 1024 * 1024);
}

async function isWritable(path: string): Promise<boolean> {
  return access(path, constants.W_OK).then(
    () => true,
    () => false,
  );
}
