/**
 * What the Pulumi backend holds, asked without the engine where the backend is a folder (a CLI process
 * costs 130 ms and more). Layout: pkg/backend/diy of Pulumi 3.259.
 */
import { mkdir, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { publicOutputs } from "./engine-events.ts";
import { missingIs, readOrUndefined } from "./missing-files.ts";
import { PROJECT } from "./names.ts";
import { type RawResource, type StackResource, stackResources } from "./stack-resources.ts";
import { isWhole, keepWhole, mendState, readState } from "./whole-state.ts";

export interface Checkpoint {
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly urns: readonly string[];
  /** Creates, updates, … that were under way when an engine was killed. */
  readonly pendingOperations: number;
}

export interface Lock {
  /** Names the lock for `unlock`. */
  readonly id: string;
  readonly user: string;
  readonly host: string;
  readonly pid: number;
  /** ISO 8601 UTC */
  readonly since: string;
}

export interface FolderBackend {
  /** Names of all stacks of our project. */
  list(): Promise<readonly string[]>;
  /** Undefined when there is no stack. */
  checkpoint(stack: string): Promise<Checkpoint | undefined>;
  /** None when there is no stack. */
  resources(stack: string): Promise<readonly StackResource[]>;
  /** Does what changes the state, which is a whole one afterwards, whatever became of the work. */
  wholly(stack: string, work: () => Promise<void>): Promise<void>;
  /** Puts a state that is cut short back to the newest whole one; true when it did. Only under the stack's lease. */
  mend(stack: string): Promise<boolean>;
  /** What a stack is before its first update, as the engine wrote it for this one; undefined when it is not new. */
  emptyState(stack: string): Promise<string | undefined>;
  /** Makes a stack of another's `emptyState`; false where the engine has not yet laid out the folder. */
  create(stack: string, emptyState: string): Promise<boolean>;
  locks(stack: string): Promise<readonly Lock[]>;
  /**
   * Removes locks that an engine was killed in the middle of writing; on one, every later engine fails.
   * A writer that still lives and wakes up fails to move it to its place, and with that to get the lock.
   * The same for the notes beside state and locks, which are written in place and not needed.
   */
  clearUnfinishedLocks(stack: string): Promise<void>;
  /** Removes exactly this lock, where `pulumi cancel` removes all of the stack's. */
  unlock(stack: string, lock: Lock): Promise<void>;
  /** Files and folders of a stack, relative to the backend's folder. */
  remains(stack: string): Promise<readonly string[]>;
  /** Names of stacks that are no more, and of which `remains` names something. */
  leftovers(): Promise<readonly string[]>;
  /** Removes all that `remains` names. Only after the stack was destroyed and removed. */
  clear(stack: string): Promise<void>;
}

/** The backend of a `file://` URL; undefined for every other kind, which only the CLI can ask. */
export function folderBackend(url: string): FolderBackend | undefined {
  const place = folderOf(url);
  if (place === undefined) return undefined;
  const folder = join(place, ".pulumi");
  const stackFile = (stack: string) => join(folder, "stacks", PROJECT, `${stack}.json`);
  const lockFolder = (stack: string) => join(folder, "locks", "organization", PROJECT, stack);
  const remains = (stack: string) => findRemains(folder, stack);
  return {
    list: async () => {
      const files = await readdirOrNone(join(folder, "stacks", PROJECT));
      return files.filter((file) => file.endsWith(".json")).map((file) => file.slice(0, -".json".length));
    },
    checkpoint: async (stack) => parseCheckpoint(await readState(stackFile(stack))),
    resources: async (stack) => stackResources(rawResources(await readState(stackFile(stack)))),
    wholly: (stack, work) => keepWhole(stackFile(stack), work),
    mend: (stack) => mendState(stackFile(stack)),
    emptyState: async (stack) => {
      const text = await readOrUndefined(stackFile(stack));
      return text === undefined || (parseCheckpoint(text)?.urns.length ?? 0) > 0 ? undefined : text;
    },
    create: async (stack, emptyState) => {
      if ((await readOrUndefined(join(folder, "meta.yaml"))) === undefined) return false;
      const { checkpoint, ...rest } = JSON.parse(emptyState) as RawCheckpoint;
      const own = { ...rest, checkpoint: { ...checkpoint, stack: `organization/${PROJECT}/${stack}` } };
      const file = stackFile(stack);
      // Written beside and moved, so that a kill leaves a whole file or none; `remains` knows the name.
      await mkdir(dirname(file), { recursive: true });
      await writeFile(`${file}.new`, JSON.stringify(own), { flush: true });
      await rename(`${file}.new`, file);
      return true;
    },
    locks: async (stack) => readLocks(lockFolder(stack)),
    clearUnfinishedLocks: async (stack) => {
      await clearUnfinished(lockFolder(stack));
      const locks = (await readdirOrNone(lockFolder(stack))).map((name) => join(lockFolder(stack), name));
      for (const file of [stackFile(stack), `${stackFile(stack)}.bak`, ...locks]) await clearUnfinishedNotes(file);
    },
    unlock: async (stack, lock) => {
      await rm(join(lockFolder(stack), lock.id), { force: true });
    },
    remains,
    leftovers: () => findLeftovers(folder),
    clear: async (stack) => {
      for (const path of await remains(stack)) await rm(join(folder, "..", path), { recursive: true, force: true });
    },
  };
}

/** Where the state of a `file://` URL lies; undefined for every other kind. */
export function folderOf(url: string): string | undefined {
  return url.startsWith("file://") ? fileURLToPath(url.replace(/\?.*$/, "")) : undefined;
}

/** Where the engine keeps what belongs to one stack, below the backend's folder. */
const PLACES = [
  join("stacks", PROJECT),
  join("locks", "organization", PROJECT),
  join("history", PROJECT),
  join("backups", PROJECT),
];

async function findRemains(folder: string, stack: string): Promise<string[]> {
  const found = await Promise.all(
    PLACES.map(async (place) => {
      const names = await readdirOrNone(join(folder, place));
      // `shop-pr-4` must not take `shop-pr-42` along; a stack's name holds no dot.
      return names
        .filter((name) => name === stack || name.startsWith(`${stack}.json`) || name.startsWith(`${stack}.pulumi-tags`))
        .map((name) => join(".pulumi", place, name));
    }),
  );
  return found.flat();
}

async function findLeftovers(folder: string): Promise<string[]> {
  const names = await Promise.all(PLACES.map((place) => readdirOrNone(join(folder, place))));
  const files = names.flat();
  const living = new Set(files.filter((name) => name.endsWith(".json")));
  // A stack's name holds no dot.
  const stacks = new Set(files.map((name) => name.replace(/\..*$/, "")).filter(Boolean));
  return [...stacks].filter((stack) => !living.has(`${stack}.json`));
}

interface RawCheckpoint {
  readonly checkpoint?: {
    readonly latest?: {
      readonly resources?: readonly RawResource[];
      readonly pending_operations?: readonly unknown[];
    };
  };
}

function parseCheckpoint(text: string | undefined): Checkpoint | undefined {
  if (text === undefined) return undefined;
  const { checkpoint } = JSON.parse(text) as RawCheckpoint;
  const resources = checkpoint?.latest?.resources ?? [];
  const root = resources.find(({ type }) => type === "pulumi:pulumi:Stack");
  return {
    outputs: publicOutputs(root?.outputs ?? {}),
    urns: resources.map(({ urn }) => urn),
    pendingOperations: checkpoint?.latest?.pending_operations?.length ?? 0,
  };
}

function rawResources(text: string | undefined): readonly RawResource[] | undefined {
  return text === undefined ? undefined : (JSON.parse(text) as RawCheckpoint).checkpoint?.latest?.resources;
}

async function readLocks(folder: string): Promise<Lock[]> {
  const names = (await readdirOrNone(folder)).filter((name) => name.endsWith(".json"));
  const locks = await Promise.all(
    names.map(async (id) => {
      // A lock that ends while we look is none.
      const text = await readOrUndefined(join(folder, id));
      if (text === undefined) return undefined;
      const raw = parseLock(text);
      return {
        id,
        user: raw.username ?? "",
        host: raw.hostname ?? "",
        pid: raw.pid ?? 0,
        since: new Date(raw.timestamp ?? 0).toISOString(),
      };
    }),
  );
  return locks.filter((lock) => lock !== undefined);
}

/** Written beside its place and moved there (gocloud.dev, fileblob), which takes no second. */
const WRITTEN_WITHIN_MS = 10_000;

async function clearUnfinished(folder: string): Promise<void> {
  for (const name of await readdirOrNone(folder)) {
    if (!name.endsWith(".tmp")) continue;
    const file = join(folder, name);
    const found = await stat(file).catch(missingIs(undefined));
    if (found && Date.now() - found.mtimeMs > WRITTEN_WITHIN_MS) await rm(file, { force: true });
  }
}

/** Notes cut short make a whole file unreadable ("failed to load checkpoint: EOF"), missing ones do not. */
async function clearUnfinishedNotes(file: string): Promise<void> {
  const notes = `${file}.attrs`;
  const text = await readOrUndefined(notes);
  if (text !== undefined && !isWhole(text)) await rm(notes, { force: true });
}

interface RawLock {
  readonly pid?: number;
  readonly username?: string;
  readonly hostname?: string;
  readonly timestamp?: string;
}

/** An unreadable lock, cut short by a crash, is a lock of nobody we know. */
function parseLock(text: string): RawLock {
  try {
    return JSON.parse(text) as RawLock;
  } catch {
    return {};
  }
}

async function readdirOrNone(folder: string): Promise<string[]> {
  return readdir(folder).catch(missingIs([]));
}
