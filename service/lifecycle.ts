/** How long a preview may live, from its clocks and what people wished. Pure. */
import type { Lifecycle } from "./config/types.ts";
import { lastActivity } from "./decide.ts";
import { hasLabel, REFUSAL_HOLDS_MS } from "./policy.ts";
import type { Intents, Preview, PreviewStatus } from "./status.ts";
import { isAtEdge } from "./target-check.ts";

/** Exempts a pull request's preview from idleness and hard stop, as `keep` does. */
export const KEEP_LABEL = "keep-preview";

/** What is asked again while a warned preview is awake, for its visits cause no look by themselves. */
const WARNED_AGAIN_MS = 3_600_000;

export type Clocks = Pick<Preview, "createdAt" | "lastPushAt" | "lastVisitAt" | "intents" | "status" | "pullRequest">;

/** All times ISO 8601; an absent one never comes. */
export interface Lifetime {
  /** When it goes whatever is done with it. */
  readonly hardStop?: string;
  /** The latest visit, push or `extend`. */
  readonly idleSince: string;
  /** When its author is to be warned; in the past when that is overdue. */
  readonly warnAt?: string;
  /** When it goes because nobody uses it: never before its author was warned in time. */
  readonly idleStop?: string;
  /** Between the warning and the end. */
  readonly noticeMs: number;
}

/** The repository's own times, else those of the config. */
export function lifecycleOf(
  config: { readonly lifecycle: Lifecycle },
  repository: { readonly lifecycle?: Lifecycle } | undefined,
): Lifecycle {
  return repository?.lifecycle ?? config.lifecycle;
}

/**
 * The ends of a preview. One that is kept has none, and one that is gone reached its own already.
 * Idleness is not judged where nobody sees the visits, or where nothing was made yet.
 */
export function lifetimeOf(preview: Clocks, lifecycle: Lifecycle): Lifetime {
  const { createdAt, intents, status } = preview;
  const start = latest(createdAt, intents.clocksFrom);
  const idleSince = latest(lastActivity(preview), start, intents.renewedAt);
  const noticeMs = noticeOf(lifecycle);
  if (isKept(preview) || status.goneAt !== undefined) return { idleSince, noticeMs };
  const { hardStopSeconds } = lifecycle;
  const hardStop =
    hardStopSeconds === undefined ? {} : { hardStop: latest(after(start, hardStopSeconds * 1000), intents.extendedTo) };
  return { ...hardStop, idleSince, noticeMs, ...idleEnds(preview, lifecycle, idleSince) };
}

function idleEnds(
  { intents, status }: Clocks,
  lifecycle: Lifecycle,
  idleSince: string,
): Pick<Lifetime, "warnAt" | "idleStop"> {
  const { warnAfterSeconds, destroyAfterSeconds } = lifecycle;
  const unseen = status.live && isAtEdge(status.live.target);
  if (destroyAfterSeconds === undefined || unseen || !status.stackExists) return {};
  const regular = latest(after(idleSince, destroyAfterSeconds * 1000), intents.extendedTo);
  if (warnAfterSeconds === undefined) return { idleStop: regular };
  const noticeMs = noticeOf(lifecycle);
  const { warned } = status;
  if (!warned || warned.at < idleSince) return { warnAt: after(regular, -noticeMs) };
  return { idleStop: latest(regular, after(warned.at, noticeMs)) };
}

/** The warning that stands from now on; undefined when none does. Once per idle spell: any use of the preview ends it. */
export function warningOf(lifetime: Lifetime, status: PreviewStatus, now: string): PreviewStatus["warned"] {
  const { idleSince, idleStop, warnAt, noticeMs } = lifetime;
  if (status.warned && status.warned.at >= idleSince && idleStop !== undefined) {
    return { ...status.warned, goesAt: idleStop };
  }
  return warnAt !== undefined && now >= warnAt ? { at: now, idleSince, goesAt: after(now, noticeMs) } : undefined;
}

/** When time alone changes something next; undefined when it does not. */
export function nextEnd(lifetime: Lifetime, status: PreviewStatus, now: string): string | undefined {
  if (!status.stackExists) return undefined;
  const refusalHolds = status.refusedSince && after(status.refusedSince, REFUSAL_HOLDS_MS);
  const { hardStop, warnAt, idleStop } = lifetime;
  const again = status.warned && status.awake ? after(now, WARNED_AGAIN_MS) : undefined;
  return [hardStop, warnAt, idleStop ?? status.warned?.goesAt, again, refusalHolds]
    .filter((time) => time !== undefined && time > now)
    .sort()[0];
}

/** By a person's word or by label; the label as last read counts while the forge does not answer. */
export function isKept({ intents, pullRequest }: Pick<Clocks, "intents" | "pullRequest">): boolean {
  return intents.keep || hasLabel(pullRequest, KEEP_LABEL);
}

/** The wish after `extend` at `now`, or how far `extendMax` allows when that is less. */
export function extended(
  { createdAt, intents }: Pick<Preview, "createdAt" | "intents">,
  { extendMaxSeconds }: Lifecycle,
  { seconds, now }: { readonly seconds: number; readonly now: string },
): { readonly intents: Partial<Intents> } | { readonly intents?: undefined; readonly furthest: string } {
  const extendedTo = after(now, seconds * 1000);
  if (extendMaxSeconds === undefined) return { intents: { extendedTo, renewedAt: now } };
  const furthest = after(latest(createdAt, intents.clocksFrom), extendMaxSeconds * 1000);
  return extendedTo > furthest ? { furthest } : { intents: { extendedTo, renewedAt: now } };
}

function noticeOf({ warnAfterSeconds = 0, destroyAfterSeconds = 0 }: Lifecycle): number {
  return Math.max(0, destroyAfterSeconds - warnAfterSeconds) * 1000;
}

function latest(first: string, ...others: readonly (string | undefined)[]): string {
  return others.reduce<string>((found, time) => (time !== undefined && time > found ? time : found), first);
}

function after(time: string, ms: number): string {
  return new Date(Date.parse(time) + ms).toISOString();
}
