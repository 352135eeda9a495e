/**
 * What the process table (proc(5)) tells of a preview's processes, where no control group counts for us. What a process
 * did since it was last looked at is lost where it ends and whoever started it does not wait for it.
 */
import { readdir, readFile } from "node:fs/promises";
import { OWNER_MARK } from "./environment.ts";
import { layout } from "./layout.ts";
import { machineId } from "./process-identity.ts";
import { listStacks } from "./release-files.ts";
import { FORBIDDEN, unlessGone } from "./unless-gone.ts";
import type { Seen } from "./usage-totals.ts";
import { listUsers } from "./users.ts";

/** USER_HZ and the size of a page that `statm` counts in. */
const TICKS_PER_SECOND = 100;
const PAGE_BYTES = 4096;
/** Of what no mark of its preview tells of, on it or above it. */
const UNMARKED = "unmarked";
/** Processes that are looked through above one that bears no mark. */
const ANCESTORS_MAX = 100;

interface Place {
  readonly stack: string;
  /** Absent without the mark. */
  readonly resource?: string;
}

interface Found extends Place {
  readonly parent: string;
  readonly counted: Omit<Seen, "resource">;
}

/**
 * By stack: all processes of the previews of the data folder. Linux only. As root the user says whose a process is, which
 * none can change, and the mark in its environment, or in that of who started it, only what of it; else there is but the
 * mark. Rejects when a process could not be looked at, for it would be taken for one that ended.
 */
export async function processesByStack(dataDir: string): Promise<ReadonlyMap<string, readonly Seen[]>> {
  const placeOf = await places(dataDir);
  const boot = machineId();
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const looks = await Promise.all(
    pids.map(async (pid): Promise<readonly (readonly [string, Found])[]> => {
      const user = Number(/^Uid:\s+(\d+)/m.exec(await read(pid, "status"))?.[1]);
      const place = await placeOf(pid, user);
      const seen = place && (await processUsage(pid, boot));
      return seen ? [[pid, { ...place, ...seen }]] : [];
    }),
  );
  const found = new Map(looks.flat());
  const byStack = Map.groupBy(found.values(), ({ stack }) => stack);
  const seenOf = (one: Found) => ({ ...one.counted, resource: resourceAmong(found, one) });
  return new Map([...byStack].map(([stack, ours]) => [stack, ours.map(seenOf)]));
}

/** Without a mark that of its nearest ancestor's, whose time takes in that of its children once they ended. */
function resourceAmong(found: ReadonlyMap<string, Found>, { stack, resource, parent }: Found): string {
  let [told, above] = [resource, parent];
  for (let steps = 0; told === undefined && steps < ANCESTORS_MAX; steps += 1) {
    const one = found.get(above);
    if (one?.stack !== stack) break;
    [told, above] = [one.resource, one.parent];
  }
  return told ?? UNMARKED;
}

async function places(dataDir: string): Promise<(pid: string, user: number) => Promise<Place | undefined>> {
  const { previews } = layout(dataDir);
  const owners = new Map(Object.entries(await listUsers(dataDir)).map(([owner, user]) => [user, owner]));
  const stacks = new Set(await listStacks(dataDir));
  return async (pid, user) => {
    const owner = owners.get(user);
    // Anybody may start a process with a mark in it.
    if (owner === undefined ? user !== process.getuid?.() : !stacks.has(owner)) return undefined;
    const marked = placeIn(previews, await read(pid, "environ"));
    if (owner === undefined || marked?.stack === owner) return marked;
    return { stack: owner };
  };
}

/** By the mark. */
function placeIn(previews: string, environment: string): Place | undefined {
  const start = `${OWNER_MARK}=${previews}/`;
  const mark = environment.split("\0").find((entry) => entry.startsWith(start));
  if (mark === undefined) return undefined;
  const [stack = "", ...rest] = mark.slice(start.length).split("/");
  return { stack, resource: resourceOf(rest) };
}

async function processUsage(pid: string, boot: string): Promise<Pick<Found, "parent" | "counted"> | undefined> {
  const [stat, statm] = await Promise.all(["stat", "statm"].map((file) => read(pid, file)));
  if (!stat || !statm) return undefined;
  // Behind the program's name, which may hold anything: state is field 3, parent 4, utime 14, stime 15, cutime 16, cstime 17.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const field = (number: number) => fields[number - 3] ?? "";
  if (field(3) === "Z" || field(3) === "X") return undefined;
  const seconds = (number: number) => Number(field(number)) / TICKS_PER_SECOND;
  const [, resident, shared] = statm.split(" ").map(Number);
  const counted = {
    source: `${pid}:${boot}:${field(22)}`,
    ownSeconds: seconds(14) + seconds(15),
    childSeconds: seconds(16) + seconds(17),
    memoryBytes: Math.max(0, (resident ?? 0) - (shared ?? 0)) * PAGE_BYTES,
  };
  return { parent: field(4), counted };
}

/** Empty of one that ended, or that we may not look into. */
function read(pid: string, file: string): Promise<string> {
  return unlessGone(readFile(`/proc/${pid}/${file}`, "utf8"), "", FORBIDDEN);
}

/** `services/web-1a2b3c4d` is service "web", `checkouts/…` a build, `migrate` that task. */
function resourceOf([kind = "", name = ""]: readonly string[]): string {
  if (kind === "services") return name.replace(/-[0-9a-f]{8}$/, "");
  return kind === "checkouts" ? "build" : kind;
}
