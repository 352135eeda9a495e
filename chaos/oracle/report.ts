/** What the oracle found, and the way to ask it: a process of its own that knows nothing of the service's. */
import process from "node:process";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import type { PlaceInput } from "./place.ts";

export type ThingKind =
  | "process"
  | "database"
  | "role"
  | "route"
  | "stack"
  | "lock"
  | "backup"
  | "history"
  | "checkout"
  | "release"
  | "folder"
  | "run folder"
  | "engine log"
  | "user"
  | "control group"
  | "file";

/** Something that belongs to no open pull request, or to nothing that its preview still has. */
export interface Orphan {
  readonly kind: ThingKind;
  /** As its own world names it: a pid, a database's name, a path below the data folder. */
  readonly id: string;
  /** Of the preview it is of; undefined where nothing tells. */
  readonly stack?: string;
  readonly why: string;
  /** For how long it was seen without a break, in the oracle's own run. */
  readonly forMs: number;
}

/** An open pull request whose newest commit is not what is served: an event was lost. */
export interface Lost {
  readonly key: string;
  /** The commit or text that should be served. */
  readonly wanted: string;
  readonly found: string;
  readonly forMs: number;
}

/** A preview that neither serves nor sleeps nor is gone: it builds, wakes, hangs or is there after its end. */
export interface Stuck {
  readonly key: string;
  readonly host: string;
  readonly found: string;
  readonly forMs: number;
}

export interface Report {
  /** ISO 8601 of the last look. */
  readonly at: string;
  readonly orphans: readonly Orphan[];
  readonly lost: readonly Lost[];
  readonly stuck: readonly Stuck[];
  /** How much was looked at, so that finding nothing is not for lack of looking: `{ process: 12, "open pull request": 3 }`. */
  readonly looked: Readonly<Record<string, number>>;
  /** How many looks were taken. */
  readonly looks: number;
  readonly tookMs: number;
}

export interface AskOptions {
  /** Looks again until all is well or this is past; by default it looks once. */
  readonly withinMs?: number;
  /** Kills the oracle. */
  readonly signal?: AbortSignal;
}

/**
 * Runs the oracle as a program of its own and returns its report. One look takes a second or less, and
 * five where a preview does not answer; it wakes nothing and changes nothing. What is under way shows as
 * orphan, lost or stuck for that moment: `withinMs` is how long it may. Rejects when it cannot look: a
 * forge or a server that does not answer is no finding.
 */
export async function askOracle(place: PlaceInput, { withinMs = 0, signal }: AskOptions = {}): Promise<Report> {
  const program = fileURLToPath(new URL("./main.ts", import.meta.url));
  const { PATH = "", TMPDIR = "/tmp" } = process.env;
  // The place goes by stdin: on its command line the oracle would be one of the processes that speak of the data folder.
  const { stdout } = await execa(process.execPath, [program, "--json", "--within", String(withinMs / 1000), "-"], {
    input: JSON.stringify(place),
    extendEnv: false,
    env: { PATH, TMPDIR },
    ...(signal ? { cancelSignal: signal } : {}),
  }).catch((error: { stdout?: unknown }) => {
    // One that found something says so by its exit code.
    if (typeof error.stdout === "string" && error.stdout.startsWith("{")) return { stdout: error.stdout };
    throw error;
  });
  return JSON.parse(stdout) as Report;
}

interface Lists {
  readonly orphans: readonly unknown[];
  readonly lost: readonly unknown[];
  readonly stuck: readonly unknown[];
}

export function isClean({ orphans, lost, stuck }: Lists): boolean {
  return orphans.length + lost.length + stuck.length === 0;
}

/** `0 orphans, 0 lost, 0 stuck` */
export function countsOf({ orphans, lost, stuck }: Lists): string {
  return `${orphans.length} ${orphans.length === 1 ? "orphan" : "orphans"}, ${lost.length} lost, ${stuck.length} stuck`;
}
