/** What control groups (cgroups(7)) counted of the processes in them, also of those that ended. */
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { groupFolders, listLimits } from "./limits.ts";
import { unlessGone } from "./unless-gone.ts";
import type { Seen } from "./usage-totals.ts";

/** What each group of a stack counted so far. None where groups cannot be made. */
export async function groupsOf(dataDir: string, stack: string): Promise<readonly Seen[]> {
  const groups = await listLimits(dataDir, stack);
  const read = await Promise.all(groups.map(({ name }) => groupUsage(name)));
  return read.filter((seen) => seen !== undefined);
}

/** Of one group; undefined where there is none, or the kernel counts no CPU of it. Rejects when it could not be read. */
export async function groupUsage(name: string): Promise<Seen | undefined> {
  const [counted, memoryBytes] = await Promise.all([cpuOf(name), memoryOf(name)]);
  return counted && { ...counted, resource: resourceOf(name), childSeconds: 0, memoryBytes };
}

/** `<prefix>.<stack>.<service>-<digest>`, or the name of a task in its place. */
function resourceOf(name: string): string {
  return (name.split(".").at(-1) ?? "").replace(/-[0-9a-f]{8}$/, "");
}

/** A group made anew under the name has another inode, and counts from 0. */
async function cpuOf(name: string): Promise<Pick<Seen, "source" | "ownSeconds"> | undefined> {
  for (const folder of groupFolders(name)) {
    const v2 = /^usage_usec (\d+)$/m.exec(await text(join(folder, "cpu.stat")))?.[1];
    const v1 = /^\d+/.exec(await text(join(folder, "cpuacct.usage")))?.[0];
    const ownSeconds = v2 === undefined ? Number(v1) / 1e9 : Number(v2) / 1e6;
    if (v2 === undefined && v1 === undefined) continue;
    const found = await unlessGone(stat(folder, { bigint: true }), undefined);
    if (found) return { source: `${name}@${found.ino}`, ownSeconds };
  }
  return undefined;
}

/** Without files that the kernel would give up for others: what `docker stats` counts too. */
async function memoryOf(name: string): Promise<number> {
  for (const folder of groupFolders(name)) {
    const used = (await text(join(folder, "memory.current"))) || (await text(join(folder, "memory.usage_in_bytes")));
    if (used === "") continue;
    const details = await text(join(folder, "memory.stat"));
    const idle = /^total_inactive_file (\d+)$/m.exec(details) ?? /^inactive_file (\d+)$/m.exec(details);
    return Math.max(0, Number(used) - Number(idle?.[1] ?? 0));
  }
  return 0;
}

async function text(path: string): Promise<string> {
  return unlessGone(readFile(path, "utf8"), "");
}
