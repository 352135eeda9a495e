/** Processes of this machine that a data folder's previews or engines own, told by what the kernel says of each. */
import { readdir, readFile, readlink } from "node:fs/promises";
import { limitsName } from "../../components/local/limits.ts";
import { startTimeOf } from "../../components/local/process-identity.ts";
import { usersOf } from "./files.ts";
import { readJson } from "./read.ts";
import type { Thing } from "./thing.ts";

/**
 * Previews' processes by four marks, of which an application can shed some but hardly all: environment,
 * working folder, user, control group. Then runners, watchdogs and engines over which no living service
 * stands; where `instance.json` does not name the service, nothing is said of those.
 */
export async function listProcesses(dataDir: string): Promise<Thing[]> {
  const world = {
    dataDir,
    users: await usersOf(dataDir),
    group: groupPattern(dataDir),
    service: await serviceOf(dataDir),
  };
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(pids.map((pid) => look(pid, world)));
  return found.flat().sort((a, b) => Number(a.id) - Number(b.id));
}

interface World {
  readonly dataDir: string;
  /** Stack by user id. */
  readonly users: ReadonlyMap<string, string>;
  readonly group: RegExp;
  readonly service: number | "none" | "unknown";
}

async function look(pid: number, world: World): Promise<Thing[]> {
  const { dataDir } = world;
  const read = (name: string) => readFile(`/proc/${pid}/${name}`, "latin1").catch(() => "");
  const [environ, status, groups] = await Promise.all([read("environ"), read("status"), read("cgroup")]);
  const variables = new Map(environ.split("\0").map((entry) => split(entry)));
  // Another Stackling on this machine may have a preview of the same name.
  const isHere = environ.includes(`${dataDir}/`);
  const folder = await readlink(`/proc/${pid}/cwd`).catch(() => "");
  const user = /^Uid:\s+(\d+)/m.exec(status)?.[1] ?? "";
  const stack =
    (isHere ? variables.get("STACKLING_PREVIEW") : undefined) ??
    below(`${dataDir}/previews/`, folder) ??
    world.users.get(user) ??
    world.group.exec(groups)?.[1];
  // Looked at last: one that ended meanwhile has nothing to say.
  if (startTimeOf(pid) === undefined) return [];
  const id = String(pid);
  if (stack !== undefined) return [{ kind: "process", id, stack, ...partOf(variables.get("STACKLING_OWNER")) }];
  const ofEngine = variables.get("HOME") === `${dataDir}/pulumi-home` || folder.startsWith(`${dataDir}/engine-runs/`);
  if (!ofEngine || world.service === "unknown" || (await isBelow(pid, world.service))) return [];
  return [{ kind: "process", id, dead: "a runner, watchdog or engine over which no service stands" }];
}

/** Release or checkout on whose behalf it runs: the last name of the folder that its mark gives. */
function partOf(owner: string | undefined): { part?: string } {
  return owner === undefined ? {} : { part: owner.slice(owner.lastIndexOf("/") + 1) };
}

async function isBelow(pid: number, service: number | "none"): Promise<boolean> {
  for (let at = pid; at > 1; ) {
    if (at === service) return true;
    const status = await readFile(`/proc/${at}/status`, "latin1").catch(() => "");
    // It ended while we looked.
    if (status === "") return true;
    at = Number(/^PPid:\t(\d+)$/m.exec(status)?.[1] ?? 0);
  }
  return false;
}

/** Who holds the data folder, by its own word: a file, and believed only while such a process lives. */
async function serviceOf(dataDir: string): Promise<World["service"]> {
  const file = await readJson<{ pid: number; startTime: string }>(`${dataDir}/instance.json`);
  if (!file) return "unknown";
  return file.pid !== undefined && startTimeOf(file.pid) === file.startTime ? file.pid : "none";
}

function groupPattern(dataDir: string): RegExp {
  const prefix = limitsName(dataDir, "", "").slice(0, -".".length);
  return new RegExp(`/stackling/${prefix.replaceAll(".", "\\.")}([a-z0-9-]+)\\.`);
}

/** First folder below `parent` on the way to `path`. */
function below(parent: string, path: string): string | undefined {
  return path.startsWith(parent) ? path.slice(parent.length).split("/")[0] : undefined;
}

function split(entry: string): [string, string] {
  const end = entry.indexOf("=");
  return [entry.slice(0, end), entry.slice(end + 1)];
}
