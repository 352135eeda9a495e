/** What an hour of all previews comes to, and what many hours do. Pure; stages are not previews and count for nothing. */
import { isStage } from "../../infra/names.ts";
import { stageOf } from "../api/preview-view.ts";
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
const SETTLED = new Set([
  "Healthy",
  "Asleep",
  "Gone",
  "Destroying",
  "Paused",
  "Blocked",
  "ApprovalNeeded",
  "NothingPromoted",
]);

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
    readySeconds: readyTimes(moves, previews, since).slice(0, READY_MAX),
    tornDown: tornDown.filter(({ key }) => !isStage(key)).length,
    teardownsFailed: failed.length,
  };
}

/** Seconds until each version served that came to since then. A wake makes none, and what broke on the way counts in full. */
function readyTimes(moves: readonly Move[], previews: readonly Preview[], since: string): readonly number[] {
  const createdAt = new Map(previews.map(({ key, createdAt: at }) => [key, at]));
  const begun = new Map<string, string | undefined>();
  const times: number[] = [];
  for (const { key, at, reason } of moves) {
    if (isStage(key)) continue;
    const isFirst = !begun.has(key);
    if (SETTLED.has(reason) || reason === "Waking") {
      const start = begun.get(key);
      if (reason === "Healthy" && start !== undefined && at > since) {
        times.push(Math.round((Date.parse(at) - Date.parse(start)) / 100) / 10);
      }
      // Serving again after a wake is no new version.
      begun.set(key, undefined);
    } else if (isFirst) {
      const made = createdAt.get(key);
      // The wait before its first word counts; one that is older began with this word.
      begun.set(key, made !== undefined && Date.parse(at) - Date.parse(made) < DAY_MS ? made : at);
    } else if (begun.get(key) === undefined) begun.set(key, at);
  }
  return times;
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
