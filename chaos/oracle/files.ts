/** What lies on disk for previews beside the engine's state: their folders, its runs and logs, users, and whatever else bears a stack's name. */
import { readdir, readFile } from "node:fs/promises";
import { basename, join, relative } from "node:path";
import { namesIn, readJson } from "./read.ts";
import type { Thing } from "./thing.ts";

/**
 * @param pattern finds a stack's name in a file's name or text, as its first group
 */
export async function listFiles(dataDir: string, pattern: RegExp): Promise<Thing[]> {
  const stacks = await namesIn(join(dataDir, "previews"));
  const lists = await Promise.all([
    ...stacks.map((stack) => listPreview(join(dataDir, "previews", stack), stack)),
    listNamed("run folder", join(dataDir, "engine-runs"), /^(.+)-[A-Za-z0-9]{6}$/),
    listNamed("engine log", join(dataDir, "pulumi-home/logs"), /\+stackling\+(.+)-\d{8}T\d{6}/),
    listUsers(dataDir),
    listOthers(dataDir, pattern),
  ]);
  return lists.flat();
}

/** Where the routes of a stack lead: hosts without port. */
export async function hostsOf(dataDir: string, stack: string): Promise<string[]> {
  const folder = join(dataDir, "previews", stack, "routes");
  const files = (await namesIn(folder)).filter((name) => name.endsWith(".json"));
  const hosts = await Promise.all(
    files.map(async (name) => {
      const route = await readJson<{ host: string }>(join(folder, name));
      return route?.host === undefined ? [] : [route.host.replace(/:\d+$/, "")];
    }),
  );
  return hosts.flat();
}

/** True when everything that can be kept alive was sent to sleep: the wish, as it lies beside each release. */
export async function isSentToSleep(dataDir: string, stack: string): Promise<boolean> {
  const services = join(dataDir, "previews", stack, "services");
  const states = await Promise.all(
    (await namesIn(services)).map((id) => readJson<{ desired: string }>(join(services, id, "process.json"))),
  );
  const wishes = states.flatMap((state) => state?.desired ?? []);
  return wishes.length > 0 && wishes.every((wish) => wish === "asleep");
}

/** Stacks by the number of their system user. */
export async function usersOf(dataDir: string): Promise<ReadonlyMap<string, string>> {
  const file = await readJson<{ users: Readonly<Record<string, number>> }>(join(dataDir, "uids.json"));
  const owners = Object.entries(file?.users ?? {});
  // The others are those of an install that runs just now, of no preview.
  const ofStacks = owners.filter(([owner]) => !owner.startsWith("install-"));
  return new Map(ofStacks.map(([owner, user]) => [String(user), owner]));
}

/** The folder itself stands for what is in it only where nothing with a name of its own is. */
async function listPreview(folder: string, stack: string): Promise<Thing[]> {
  const [checkouts, services, routes] = await Promise.all(
    ["checkouts", "services", "routes"].map((name) => namesIn(join(folder, name))),
  );
  const trees = new Set(checkouts?.map((name) => name.split(".")[0] ?? ""));
  const releases = services?.filter((name) => !name.startsWith(".")) ?? [];
  const inside: Thing[] = [
    ...[...trees].map((id): Thing => ({ kind: "checkout", id: `${stack}/${id}`, stack, part: id })),
    ...releases.map((id): Thing => ({ kind: "release", id: `${stack}/${id}`, stack, part: id })),
    ...(routes ?? []).map((name): Thing => ({ kind: "route", id: `${stack}/${basename(name, ".json")}`, stack })),
  ];
  return inside.length > 0 ? inside : [{ kind: "folder", id: stack, stack }];
}

async function listNamed(kind: "run folder" | "engine log", folder: string, pattern: RegExp): Promise<Thing[]> {
  return (await namesIn(folder)).flatMap((name) => {
    const stack = pattern.exec(name)?.[1];
    return stack === undefined ? [] : [{ kind, id: name, stack }];
  });
}

async function listUsers(dataDir: string): Promise<Thing[]> {
  const owners = [...(await usersOf(dataDir)).values()];
  return owners.map((owner) => ({ kind: "user", id: owner, stack: owner }));
}

/**
 * Looked at above, or no preview's: servers, caches, and what outlives its stack on purpose: fences, which refuse a
 * run that was frozen when it went, and counts of what it took, which the ledger may not have read yet.
 */
const ELSEWHERE = new Set([
  ...["postgres", "mirrors", "cache", "previews", "engine-runs", "state", "uids.json"],
  ...["fences", "usage"],
]);

async function listOthers(dataDir: string, pattern: RegExp): Promise<Thing[]> {
  const found: Thing[] = [];
  for (const top of await readdir(dataDir, { withFileTypes: true })) {
    if (ELSEWHERE.has(top.name) || top.name.endsWith(".log")) continue;
    const path = join(dataDir, top.name);
    const text = top.isFile() ? await readFile(path, "latin1").catch(() => "") : "";
    const named = top.isDirectory()
      ? await readdir(path, { recursive: true, withFileTypes: true }).catch(() => [])
      : [];
    const said = pattern.exec(top.name)?.[1] ?? pattern.exec(text)?.[1];
    if (said !== undefined) found.push({ kind: "file", id: top.name, stack: said });
    for (const entry of named) {
      const stack = pattern.exec(entry.name)?.[1];
      const id = relative(dataDir, join(entry.parentPath, entry.name));
      if (stack !== undefined && !id.startsWith("pulumi-home/logs/")) found.push({ kind: "file", id, stack });
    }
  }
  return found;
}
