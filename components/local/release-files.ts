/** What is on disk about a release: what it is (launch) and what runs of it (state). Nothing is kept in memory only. */
import { readdir } from "node:fs/promises";
import type { ServiceKind } from "../ports.ts";
import { tryFileLock, withFileLock } from "./file-lock.ts";
import { readJson, writeJson } from "./json-file.ts";
import { layout } from "./layout.ts";
import type { ProcessIdentity } from "./process-identity.ts";

/** Never changes while the release lives; holds secrets, so it is 0600 and ours. */
export interface Launch {
  readonly stack: string;
  readonly service: string;
  readonly kind: ServiceKind;
  /** `<service>-<digest>` */
  readonly release: string;
  /** Of this making of the release; tells it from an earlier one of the same name. */
  readonly instance: string;
  /** Absolute. */
  readonly directory: string;
  readonly command: string;
  readonly sidecars: readonly { readonly name: string; readonly command: string }[];
  /** Complete. */
  readonly environment: Readonly<Record<string, string>>;
  /** Values in `environment` that must not show in messages. */
  readonly secrets: readonly string[];
  readonly port: number;
  /** Further ones by name. */
  readonly ports?: Readonly<Record<string, number>>;
  readonly healthPath?: string;
  readonly startTimeoutSeconds: number;
  readonly schedule?: string;
  /** Services of lower order are started first. */
  readonly order: number;
  readonly memoryMiB: number;
  readonly cpu: number;
  readonly user?: number;
}

export interface ReleaseState {
  /** `starting` until it was healthy once; only `ready` ones are kept alive. */
  readonly phase: "starting" | "ready";
  readonly desired: "running" | "asleep";
  /** By name: the service's own, and its sidecars'. */
  readonly processes: Readonly<Record<string, ProcessIdentity>>;
  /** Private `host:port` where it was found listening. */
  readonly address?: string;
  /** In a row; forgotten once it has run for a while. */
  readonly restarts: number;
  /** ISO 8601 UTC; not started again before. */
  readonly restartAt?: string;
  /** ISO 8601 UTC */
  readonly startedAt: string;
  /** ISO 8601 UTC; `cron` only. */
  readonly nextRunAt?: string;
}

export interface Release {
  readonly dataDir: string;
  readonly launch: Launch;
}

export function filesOf({ dataDir, launch }: Release) {
  return layout(dataDir).preview(launch.stack).release(launch.release);
}

export function logOf({ dataDir, launch }: Release): string {
  return layout(dataDir).preview(launch.stack).log(launch.service);
}

/** One create, delete, wake or look of the supervisor at a time. */
export async function withReleaseLock<T>(release: Release, body: () => Promise<T>): Promise<T> {
  return withFileLock(filesOf(release).lock, body);
}

/** As `tryFileLock`. */
export async function tryReleaseLock(release: Release): ReturnType<typeof tryFileLock> {
  return tryFileLock(filesOf(release).lock);
}

export async function readRelease(dataDir: string, stack: string, id: string): Promise<Release | undefined> {
  const launch = await readJson<Launch>(layout(dataDir).preview(stack).release(id).launch);
  return launch && { dataDir, launch };
}

export async function readState(release: Release): Promise<ReleaseState | undefined> {
  return readJson<ReleaseState>(filesOf(release).process);
}

export async function writeState(release: Release, state: ReleaseState): Promise<ReleaseState> {
  await writeJson(filesOf(release).process, state);
  return state;
}

/** All complete releases of a stack, in the order in which they start. */
export async function listReleases(dataDir: string, stack: string): Promise<Release[]> {
  const ids = await releaseIds(dataDir, stack);
  const found = await Promise.all(ids.map((id) => readRelease(dataDir, stack, id)));
  return found.filter((release) => release !== undefined).sort((a, b) => a.launch.order - b.launch.order);
}

/** Names of all release folders, also of those that were never complete. */
export async function releaseIds(dataDir: string, stack: string): Promise<string[]> {
  return plainNames(layout(dataDir).preview(stack).services);
}

export async function listStacks(dataDir: string): Promise<string[]> {
  return plainNames(layout(dataDir).previews);
}

/** Without locks, whose names begin with a dot. */
async function plainNames(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.filter((name) => !name.startsWith("."));
}
