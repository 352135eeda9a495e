/** What an hour of all previews comes to, and what many hours do. Pure; stages are not previews and count for nothing. */
import { isStage } from "../../infra/names.ts";
import { stageOf } from "../api/preview-view.ts";
import { AT_REST, HELD_BACK } from "../reasons.ts";
import type { Preview } from "../status.ts";

/** Counts as they were at its end, and what ended in it. */
export interface Sample {
  /** ISO 8601 UTC of its end; it begins where the one before ends. */
  readonly at: string;
  readonly here: number;
  readonly awake: number;
  readonly stalled: number;
  readonly queued: number;
  readonly meanAgeSeconds: number;
  /** From the first word of a commit until it served, one for each that came to serve. */
  readonly readySeconds: readonly number[];
  /** Teardowns that were proved, and tries at one that failed. */
  readonly tornDown: number;
  readonly teardownsFailed: number;
}

/** An entry of the history. */
export interface Move {
  readonly key: string;
  /** ISO 8601 UTC */
  readonly at: string;
  readonly reason: string;
}

/** What came to an end since the sample before. */
export interface Ended {
  /** Of a while before it too, oldest first: what ended may have begun there. */
  readonly moves: readonly Move[];
  readonly tornDown: readonly { readonly key: string }[];
}

const READY_MAX = 1_000;
/** From here on nothing was being brought up. */
const SETTLED = new Set(["Healthy", ...AT_REST, ...HELD_BACK, "Gone", "Destroying", "NothingPromoted"]);

export function sampleOf(
  previews: readonly Preview[],
  { moves, tornDown }: Ended,
  { since, now }: { readonly since: string; readonly now: string },
): Sample {
  const ours = previews.filter(({ key, status }) => !isStage(key) && status.goneAt === undefined);
  const ages = ours.map(({ createdAt }) => (Date.parse(now) - Date.parse(createdAt)) / 1000);
  const failed = moves.filter(({ key, at, reason }) => reason === "DestroyFailed" && at > since && !isStage(key));
  return {
    at: now,
    here: ours.length,
    awake: ours.filter((preview) => ["Active", "Idle"].includes(stageOf(preview))).length,
    stalled: ours.filter(({ status }) => status.condition === "Stalled").length,
    queued: ours.filter(({ status }) => status.reason === "Queued").length,
    meanAgeSeconds: Math.round(ages.reduce((sum, age) => sum + age, 0) / Math.max(1, ages.length)),
    readySeconds: versionsReady(moves, previews, since)
      .map(({ seconds }) => seconds)
      .slice(0, READY_MAX),
    tornDown: tornDown.filter(({ key }) => !isStage(key)).length,
    teardownsFailed: failed.length,
  };
}

/** What a version that serves has just come from; out of an outage of the forge comes none. */
const MADE = new Set(["Provisioning", "Updating", "Checking"]);

/** A version that came to serve. */
export interface VersionReady {
  readonly key: string;
  /** ISO 8601 UTC */
  readonly at: string;
  /** From its first word; what broke on the way counts in full. */
  readonly seconds: number;
}

/** Those of since then; a wake makes none. */
export function versionsReady(
  moves: readonly Move[],
  previews: readonly Pick<Preview, "key" | "createdAt">[],
  since: string,
): readonly VersionReady[] {
  const createdAt = new Map(previews.map(({ key, createdAt: at }) => [key, at]));
  const begun = new Map<string, string | undefined>();
  const before = new Map<string, string>();
  const versions: VersionReady[] = [];
  for (const { key, at, reason } of moves) {
    if (isStage(key)) continue;
    const isFirst = !begun.has(key);
    if (SETTLED.has(reason) || reason === "Waking") {
      const start = begun.get(key);
      const isMade = reason === "Healthy" && MADE.has(before.get(key) ?? "");
      if (isMade && start !== undefined && at > since) {
        versions.push({ key, at, seconds: Math.round((Date.parse(at) - Date.parse(start)) / 100) / 10 });
      }
      // Serving again after a wake is no new version.
      begun.set(key, undefined);
    } else if (isFirst) {
      const made = createdAt.get(key);
      // The wait before its first word counts; one that is older began with this word.
      // So does one of a life before this one.
      const waitedMs = made === undefined ? -1 : Date.parse(at) - Date.parse(made);
      begun.set(key, made !== undefined && waitedMs >= 0 && waitedMs < DAY_MS ? made : at);
    } else if (begun.get(key) === undefined) begun.set(key, at);
    before.set(key, reason);
  }
  return versions;
}

const DAY_MS = 86_400_000;

export interface Summary {
  /** Over how many days. */
  readonly days: number;
  /** Seconds; undefined while nothing came to serve. */
  readonly readyP50?: number;
  readonly readyP95?: number;
  /** 0 to 1; undefined while nothing was torn down. */
  readonly teardownRate?: number;
}

export function summaryOf(samples: readonly Sample[], days: number): Summary {
  const ready = samples.flatMap(({ readySeconds }) => readySeconds);
  const [readyP50, readyP95] = [percentile(ready, 0.5), percentile(ready, 0.95)];
  const teardownRate = rateOf(samples);
  return {
    days,
    ...(readyP50 === undefined || readyP95 === undefined ? {} : { readyP50, readyP95 }),
    ...(teardownRate === undefined ? {} : { teardownRate }),
  };
}

/** A stretch of time; what nobody sampled is undefined. */
export interface Bucket extends Omit<Summary, "days"> {
  /** ISO 8601 UTC of its end. */
  readonly at: string;
  readonly here?: number;
  readonly awake?: number;
  readonly stalled?: number;
  readonly meanAgeSeconds?: number;
}

/** Stretches of the same length, the last one ending now. */
export function bucketsOf(
  samples: readonly Sample[],
  { now, days, hours }: { readonly now: string; readonly days: number; readonly hours: number },
): readonly Bucket[] {
  const [end, length] = [Date.parse(now), hours * 3_600_000];
  const count = Math.ceil((days * 24) / hours);
  return Array.from({ length: count }, (_, index) => {
    const to = end - (count - 1 - index) * length;
    const within = samples.filter(({ at }) => Date.parse(at) > to - length && Date.parse(at) <= to);
    const last = within.at(-1);
    const { days: _days, ...ended } = summaryOf(within, days);
    const at = new Date(to).toISOString();
    if (!last) return { at };
    const { here, awake, stalled, meanAgeSeconds } = last;
    return { at, here, awake, stalled, meanAgeSeconds, ...ended };
  });
}

function rateOf(samples: readonly Sample[]): number | undefined {
  const done = samples.reduce((sum, { tornDown }) => sum + tornDown, 0);
  const failed = samples.reduce((sum, { teardownsFailed }) => sum + teardownsFailed, 0);
  return done + failed === 0 ? undefined : done / (done + failed);
}

/** Nearest rank; undefined of nothing. */
export function percentile(values: readonly number[], share: number): number | undefined {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
}
