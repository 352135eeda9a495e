/** The engine's state as it lies in the data folder: stacks, their copies, history and locks. Read without the engine or our own code for it. */
import { existsSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { startTimeOf } from "../../components/local/process-identity.ts";
import { namesIn, readJson } from "./read.ts";
import type { Thing } from "./thing.ts";

const PROJECT = "stackling";

/** What a stack's state says of its preview. */
export interface Kept {
  /** Text of the stack's output `spec`; it names the commit. */
  readonly spec: string;
  /** Last names of the ids of all it holds: releases, checkouts. */
  readonly parts: ReadonlySet<string>;
}

export async function listState(dataDir: string): Promise<Thing[]> {
  const root = join(dataDir, "state/.pulumi");
  const [stacks, history, backups, locks] = await Promise.all([
    listStacks(join(root, "stacks", PROJECT)),
    listFolders("history", join(root, "history", PROJECT)),
    listFolders("backup", join(root, "backups", PROJECT)),
    listLocks(join(root, "locks/organization", PROJECT)),
  ]);
  return [...stacks, ...history, ...backups, ...locks];
}

/** By stack; one whose file is being written at this moment is absent. */
export async function readStacks(dataDir: string): Promise<ReadonlyMap<string, Kept>> {
  const folder = join(dataDir, "state/.pulumi/stacks", PROJECT);
  const files = (await namesIn(folder)).filter((name) => name.endsWith(".json"));
  const read = await Promise.all(
    files.map(async (name) => {
      const state = await readJson<RawState>(join(folder, name));
      return state ? ([[name.slice(0, -".json".length), keptIn(state)]] as const) : [];
    }),
  );
  return new Map(read.flat());
}

/** A stack's name holds no dot: `shop-pr-1.json`, and `shop-pr-1.json.bak`, `.json.attrs`, … beside it. */
async function listStacks(folder: string): Promise<Thing[]> {
  const names = await namesIn(folder);
  return names
    .filter((name) => !name.endsWith(".attrs") || !names.includes(name.slice(0, -".attrs".length)))
    .map((name) => {
      const dot = name.indexOf(".");
      const rest = dot === -1 ? "" : name.slice(dot);
      return { kind: rest === ".json" ? "stack" : "backup", id: name, stack: dot === -1 ? name : name.slice(0, dot) };
    });
}

async function listFolders(kind: "history" | "backup", folder: string): Promise<Thing[]> {
  return (await namesIn(folder)).map((stack) => ({ kind, id: stack, stack }));
}

async function listLocks(folder: string): Promise<Thing[]> {
  const found = await Promise.all(
    (await namesIn(folder)).map(async (stack): Promise<Thing[]> => {
      const files = (await namesIn(join(folder, stack))).filter((name) => !name.endsWith(".attrs"));
      // The folder stays between runs, and goes with its stack.
      if (files.length === 0) return [{ kind: "lock", id: stack, stack }];
      return Promise.all(
        files.map(async (name) => ({
          kind: "lock" as const,
          id: `${stack}/${name}`,
          stack,
          ...(name.endsWith(".json") ? await deadHolder(join(folder, stack, name)) : {}),
        })),
      );
    }),
  );
  return found.flat();
}

async function deadHolder(file: string): Promise<{ dead?: string }> {
  const lock = await readJson<{ pid: number; hostname: string }>(file);
  // It was let go while we looked, or was cut short by a crash.
  if (!lock) return existsSync(file) ? { dead: "it names no holder" } : {};
  if (lock.hostname !== hostname()) return {};
  const { pid = 0 } = lock;
  return startTimeOf(pid) === undefined ? { dead: `its holder, process ${pid}, does not live` } : {};
}

interface RawState {
  readonly checkpoint?: {
    readonly latest?: {
      readonly resources?: readonly { type: string; id?: string; outputs?: { readonly spec?: unknown } }[];
    };
  };
}

function keptIn({ checkpoint }: Partial<RawState>): Kept {
  const resources = checkpoint?.latest?.resources ?? [];
  const root = resources.find(({ type }) => type === "pulumi:pulumi:Stack");
  const ids = resources.flatMap(({ id }) => id ?? []);
  return {
    spec: JSON.stringify(root?.outputs?.spec ?? null),
    parts: new Set(ids.map((id) => id.slice(id.lastIndexOf("/") + 1))),
  };
}
