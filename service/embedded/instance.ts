/** One Stackling to a data folder: who holds it, where it answers, and the token by which others may talk to it. */
import { randomBytes, randomUUID } from "node:crypto";
import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { tryFileLock } from "../../components/local/file-lock.ts";
import { writeJson } from "../../components/local/json-file.ts";
import { layout } from "../../components/local/layout.ts";
import { isAlive, startTimeOf } from "../../components/local/process-identity.ts";
import { WrongUse } from "../wrong-use.ts";

/** Raised when what lies in a data folder changes so that an older Stackling would misread it. */
export const DATA_VERSION = 1;

const LOCK = "instance.lock";

const schema = z.object({
  version: z.literal(DATA_VERSION),
  /** Names this instance for good, for leases and marks. */
  instanceId: z.string(),
  /** Bearer token of the API; secret. */
  token: z.string(),
  /** While it runs: where it answers, and which process it is. */
  url: z.string().optional(),
  port: z.number().optional(),
  pid: z.number().optional(),
  startTime: z.string().optional(),
});

/** What `instance.json` holds. */
export type InstanceFile = z.infer<typeof schema>;

export interface Instance {
  readonly instanceId: string;
  readonly token: string;
  /** Tells others where it answers from now on, and by which token where that is not our own. */
  publish(place: { readonly url: string; readonly port: number; readonly token?: string }): Promise<void>;
  /** Frees the folder for the next one. */
  close(): Promise<void>;
}

/**
 * Takes the data folder for this process, making it when it is not there. Throws `WrongUse` and leaves
 * everything as it is when the folder is read-only, holds something else, is of another version, or is
 * in use by another living process.
 */
export async function openInstance(dataDir: string): Promise<Instance> {
  const kept = await readInstance(dataDir);
  if (kept && (await isRunning(kept))) throw inUse(dataDir, kept);
  if (!kept) await refuseForeignFolder(dataDir);
  const release = await take(dataDir);
  try {
    const { instanceId, token } = kept ?? { instanceId: randomUUID(), token: randomBytes(32).toString("base64url") };
    const file = layout(dataDir).instance;
    const owner = { pid: process.pid, startTime: startTimeOf(process.pid) ?? "" };
    const idle: InstanceFile = { version: DATA_VERSION, instanceId, token };
    await writeJson(file, { ...idle, ...owner });
    return {
      instanceId,
      token,
      publish: (place) => writeJson(file, { ...idle, ...owner, ...place }),
      close: async () => {
        await writeJson(file, idle);
        await release();
      },
    };
  } catch (error) {
    await release();
    throw unwritable(dataDir, error);
  }
}

/** Undefined when there is no instance in the folder. Throws `WrongUse` for one of another version. */
export async function readInstance(dataDir: string): Promise<InstanceFile | undefined> {
  const file = layout(dataDir).instance;
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
    throw new WrongUse(
      `reading "${file}": ${error.code === "EACCES" ? "it belongs to another user" : error.message}`,
      error,
    );
  });
  if (text === undefined) return undefined;
  const raw = parse(text);
  const version = typeof raw === "object" && raw !== null && "version" in raw ? raw.version : undefined;
  if (version !== DATA_VERSION) {
    throw new WrongUse(
      `using data folder "${dataDir}": it is of version ${JSON.stringify(version)}, this Stackling needs version ${DATA_VERSION}; choose another with --data`,
    );
  }
  const parsed = schema.safeParse(raw);
  if (parsed.success) return parsed.data;
  throw new WrongUse(
    `using data folder "${dataDir}": its instance.json is damaged; choose another with --data`,
    parsed.error,
  );
}

/** True while exactly the process that wrote the file runs. */
export async function isRunning({ pid, startTime }: InstanceFile): Promise<boolean> {
  return pid !== undefined && startTime !== undefined && isAlive({ pid, startTime });
}

async function take(dataDir: string): Promise<() => Promise<void>> {
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o711 });
    const release = await tryFileLock(join(dataDir, LOCK));
    if (release) return release;
  } catch (error) {
    throw unwritable(dataDir, error);
  }
  throw inUse(dataDir, (await readInstance(dataDir)) ?? {});
}

/** A typing error in `--data` must not fill somebody's home folder. */
async function refuseForeignFolder(dataDir: string): Promise<void> {
  const entries = await readdir(dataDir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    const why =
      error.code === "ENOTDIR" ? "it is no folder" : error.code === "EACCES" ? "it cannot be read" : error.message;
    throw new WrongUse(`using data folder "${dataDir}": ${why}; choose another with --data`, error);
  });
  const foreign = entries.find((entry) => !entry.startsWith(LOCK));
  if (foreign === undefined) return;
  throw new WrongUse(
    `using data folder "${dataDir}": it holds "${foreign}" and is no data folder of Stackling; choose an empty one with --data`,
  );
}

function inUse(dataDir: string, { pid, url }: Partial<InstanceFile>): WrongUse {
  const who = pid === undefined ? "another Stackling" : `another Stackling (process ${pid}${url ? `, ${url}` : ""})`;
  return new WrongUse(
    `using data folder "${dataDir}": it is in use by ${who}; end that with "stackling stop", or choose another with --data`,
  );
}

function unwritable(dataDir: string, error: unknown): unknown {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code !== "EACCES" && code !== "EROFS" && code !== "EPERM" && code !== "ENOTDIR" && code !== "EEXIST")
    return error;
  const why =
    code === "EROFS"
      ? "it is read-only"
      : code === "EACCES" || code === "EPERM"
        ? "it cannot be written"
        : "it is no folder";
  return new WrongUse(`using data folder "${dataDir}": ${why}; choose another with --data`, error);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
