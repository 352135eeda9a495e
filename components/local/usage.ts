/**
 * What previews on this machine take. Counters of control groups go with their group, so they are summed up on disk, by
 * whoever ends a group and by one look after the other.
 */
import { randomUUID } from "node:crypto";
import { readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { uptime } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { execa } from "execa";
import type { Usage } from "../operations.ts";
import { withFileLock } from "./file-lock.ts";
import { groupsOf, groupUsage } from "./group-usage.ts";
import { layout } from "./layout.ts";
import { joinGroup, limitsName, limitsSupport, listLimits, removeLimits } from "./limits.ts";
import { machineId } from "./process-identity.ts";
import { processesByStack } from "./process-usage.ts";
import { listStacks } from "./release-files.ts";
import { unlessGone } from "./unless-gone.ts";
import { countLook, type Look, type UsageTotals } from "./usage-totals.ts";

/** Groups count by themselves but memory; the table forgets who ended. */
const LOOK_EVERY_MS = { groups: 10_000, table: 2_000 } as const;
/** Of previews that are gone: long enough for whoever keeps accounts. */
const KEPT_MS = 30 * 86_400_000;
/** Whoever holds it for longer is frozen, and no preview's end waits for that. */
const LOCK_WAIT_MS = 3_000;
const DISK_WITHIN_MS = 120_000;
const GIB = 1024 ** 3;

export interface UsageDeps {
  readonly dataDir: string;
  readonly logger: { warn(fields: object, message: string): void };
}

/** Looks at all previews time and again until closed. */
export function startUsage({ dataDir, logger }: UsageDeps): { close(): Promise<void> } {
  const stopping = new AbortController();
  const { signal } = stopping;
  const looking = goOn();
  return {
    async close() {
      stopping.abort();
      await looking;
    },
  };

  async function goOn(): Promise<void> {
    const counting = (await limitsSupport()) === "none" ? "table" : "groups";
    let running: ReadonlySet<string> | undefined;
    let isFailing = false;
    while (!signal.aborted) {
      try {
        running = await lookAtUsage(dataDir, running);
        isFailing = false;
      } catch (error) {
        // Once for each outage, for it is looked every few seconds.
        if (!isFailing) logger.warn({ err: error }, "counting what previews take failed; it is tried again");
        isFailing = true;
      }
      await delay(LOOK_EVERY_MS[counting], undefined, { signal }).catch(() => undefined);
    }
  }
}

/**
 * One look at every preview of which something runs, or ran when it was looked last: absent, at all there are. Resolves
 * with those of which something runs.
 */
export async function lookAtUsage(dataDir: string, before?: ReadonlySet<string>): Promise<ReadonlySet<string>> {
  const last = before ?? new Set(await stacksWithUsage(dataDir));
  if ((await limitsSupport()) !== "none") {
    const running = new Set((await listLimits(dataDir)).map(({ stack }) => stack));
    await lookAtEach(new Set([...running, ...last]), (stack) => lookAtGroups(dataDir, stack));
    return running;
  }
  // Nothing of ours runs in processes that bear no mark, and nobody is asked for marks where there is no preview.
  if (process.platform !== "linux" || (await listStacks(dataDir)).length === 0) return new Set();
  return lookAtTable(dataDir, last);
}

/** At all that runs, and at `others`, of which nothing may run any more. */
async function lookAtTable(dataDir: string, others: Iterable<string>): Promise<ReadonlySet<string>> {
  const atSeconds = uptime();
  const table = await processesByStack(dataDir);
  await lookAtEach(new Set([...table.keys(), ...others]), (stack) =>
    count(dataDir, stack, async () => ({ atSeconds, seen: table.get(stack) ?? [], complete: true })),
  );
  return new Set(table.keys());
}

/** One whose lock is held must not hold up the others; rejects with the first failure once all were looked at. */
async function lookAtEach(stacks: ReadonlySet<string>, look: (stack: string) => Promise<void>): Promise<void> {
  const failures: unknown[] = [];
  for (const stack of stacks) await look(stack).catch((error: unknown) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}

/** What `stack` took so far, and with `held` its disk. */
export async function usage(dataDir: string, stack: string, { held }: { readonly held: boolean }): Promise<Usage> {
  if ((await limitsSupport()) !== "none") await lookAtGroups(dataDir, stack);
  const found = await readTotals(dataDir, stack);
  const counters = Object.entries(found?.totals ?? {}).flatMap(([resource, total]) => [
    { meter: "cpu", resource, id: found?.id ?? "", hours: total.cpuSeconds / 3600 } as const,
    { meter: "memory", resource, id: found?.id ?? "", hours: total.memoryGibSeconds / 3600 } as const,
  ]);
  return { counters, ...(held ? await diskOf(dataDir, stack) : { held: [] }) };
}

/**
 * Puts a command's first process into a group that counts what it and all that it starts take. The function counts it
 * when all of them have ended; what a kill leaves behind is counted by the next look.
 */
export async function countCommand(
  { dataDir, stack, resource }: { readonly dataDir: string; readonly stack: string; readonly resource: string },
  pid: number,
): Promise<() => Promise<void>> {
  const name = limitsName(dataDir, stack, resource);
  if (!(await joinGroup(name, pid))) return async () => {};
  return () => endGroup(dataDir, stack, name);
}

/** Where the process table is all there is, it tells nothing of what ended. */
export async function lookBeforeEnd(dataDir: string, stack: string): Promise<void> {
  if (process.platform !== "linux" || (await limitsSupport()) !== "none") return;
  // What cannot be counted must not keep the preview from going.
  await lookAtTable(dataDir, [stack]).catch(() => undefined);
}

/** Removes a group whose processes ended, once what it counted is on disk. Gone already is success. */
export async function endGroup(dataDir: string, stack: string, name: string): Promise<void> {
  // What cannot be counted, on a full disk say, must not keep the preview from going.
  await bank(dataDir, stack, name).catch(() => undefined);
  await removeLimits(name);
}

async function bank(dataDir: string, stack: string, name: string): Promise<void> {
  if (!(await groupUsage(name))) return;
  await count(dataDir, stack, async () => {
    const seen = await groupUsage(name);
    return { seen: seen ? [seen] : [], complete: false };
  });
}

async function lookAtGroups(dataDir: string, stack: string): Promise<void> {
  const isIdle = (await groupsOf(dataDir, stack)).length === 0;
  if (isIdle && Object.keys((await readTotals(dataDir, stack))?.seen ?? {}).length === 0) return;
  await count(dataDir, stack, async () => ({ seen: await groupsOf(dataDir, stack), complete: true }));
}

/** Looked at under the lock: a group that was read before somebody else counted its end would count twice. */
async function count(
  dataDir: string,
  stack: string,
  look: () => Promise<Pick<Look, "seen" | "complete"> & Partial<Pick<Look, "atSeconds">>>,
): Promise<void> {
  const path = layout(dataDir).usageOf(stack);
  const work = async () => {
    const before = (await readTotals(dataDir, stack)) ?? { id: randomUUID(), boot: machineId(), totals: {}, seen: {} };
    const next = countLook(before, { boot: machineId(), atSeconds: uptime(), ...(await look()) });
    // Not flushed to the disk, for it is written often: a machine that went down has lost the groups' counters too.
    await writeFile(`${path}.tmp`, JSON.stringify(next), { mode: 0o600 });
    await rename(`${path}.tmp`, path);
  };
  await withFileLock(`${path}.lock`, work, { waitMs: LOCK_WAIT_MS });
}

/** Undefined too for one that was cut short when the machine went down. What could not be read is not begun anew. */
async function readTotals(dataDir: string, stack: string): Promise<UsageTotals | undefined> {
  const text = await unlessGone(readFile(layout(dataDir).usageOf(stack), "utf8"), "");
  try {
    return JSON.parse(text) as UsageTotals;
  } catch {
    return undefined;
  }
}

/** In blocks of the disk, as du(1) counts them, which are shared where the file system shares them. */
async function diskOf(dataDir: string, stack: string): Promise<Pick<Usage, "held" | "failed">> {
  const { folder } = layout(dataDir).preview(stack);
  const found = await execa("du", ["-skx", "--", folder], { reject: false, timeout: DISK_WITHIN_MS });
  // Files that vanish meanwhile make it fail, and yet it says the sum.
  const kib = /^(\d+)\s/.exec(found.stdout)?.[1];
  if (kib !== undefined) return { held: [{ meter: "disk", resource: "files", gib: (Number(kib) * 1024) / GIB }] };
  const isThere = (await unlessGone(stat(folder), undefined)) !== undefined;
  if (!isThere) return { held: [] };
  return { held: [], failed: new Error(`counting the files in "${folder}" by du(1)`, { cause: found }) };
}

async function stacksWithUsage(dataDir: string): Promise<readonly string[]> {
  const names = await unlessGone(readdir(layout(dataDir).usage), []);
  return names.filter((name) => name.endsWith(".json")).map((name) => name.slice(0, -".json".length));
}

/**
 * Forgets what previews took that are gone for longer than the ledger needs to read it.
 *
 * @param now milliseconds since the epoch
 */
export async function pruneUsage(dataDir: string, now: number): Promise<void> {
  const living = new Set(await listStacks(dataDir));
  for (const stack of await stacksWithUsage(dataDir)) {
    const path = layout(dataDir).usageOf(stack);
    const changed = await stat(path).catch(() => undefined);
    if (changed && now - changed.mtimeMs > KEPT_MS && !living.has(stack)) {
      for (const file of [path, `${path}.lock`, `${path}.tmp`]) await rm(file, { force: true });
    }
  }
}
