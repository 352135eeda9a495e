/** How long a preview may live, from its clocks and what people wished. Pure. */

import { isPastGateway } from "./config/target-fit.ts";
import type { Lifecycle } from "./config/types.ts";
import { lastActivity } from "./decide.ts";
import type { Intents } from "./intents.ts";
import { isTeardown, teardownAfter } from "./office-hours.ts";
import { afterUnpaused, either, isPaused, type PauseSpan } from "./pauses.ts";
import { hasLabel, REFUSAL_HOLDS_MS } from "./policy.ts";
import type { Preview, PreviewStatus } from "./status.ts";
import { after, latest } from "./times.ts";

/** Exempts a pull request's preview from idleness and hard stop, as `keep` does. */
export const KEEP_LABEL = "keep-preview";

/** What is asked again while a warned preview is awake, for its visits cause no look by themselves. */
const WARNED_AGAIN_MS = 3_600_000;
/** A teardown that could not be done at its hour, as the service was down, is not done any more after this: people are back. */
const TEARDOWN_LATE_MS = 12 * 3_600_000;

export type Clocks = Pick<Preview, "createdAt" | "lastPushAt" | "lastVisitAt" | "intents" | "status" | "pullRequest">;

/** The moment at which a lifetime is looked at. */
export interface Moment {
  /** ISO 8601 UTC */
  readonly now: string;
  /** When everything was stopped, oldest first: none of it counts. */
  readonly pauses: readonly PauseSpan[];
}

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
  /** The teardown that it goes in: announced when that is past, and to be announced when it is to come. */
  readonly teardownAt?: string;
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
 * The ends of a preview. One that is kept has none, and one that is gone reached its own already; none
 * comes while everything is stopped, or its repository's budget stops it. Idleness is not judged where nobody sees the visits, or where
 * nothing was made yet.
 */
export function lifetimeOf(preview: Clocks, lifecycle: Lifecycle, { now, pauses }: Moment): Lifetime {
  const { createdAt, intents, status } = preview;
  const moment = { now, pauses: either(pauses, status.stops) };
  const start = latest(createdAt, intents.clocksFrom);
  const idleSince = latest(lastActivity(preview), start, intents.renewedAt);
  const noticeMs = noticeOf(lifecycle);
  const none = { idleSince, noticeMs };
  if (isKept(preview) || status.goneAt !== undefined || isPaused(moment.pauses, moment.now)) return none;
  const { hardStopSeconds = Number.POSITIVE_INFINITY } = lifecycle;
  const extendedTo = extensionOf(intents, moment);
  return {
    ...none,
    hardStop: furthest(afterUnpaused(start, hardStopSeconds * 1000, moment.pauses), extendedTo),
    teardownAt: teardownOf(preview, lifecycle, { ...moment, idleSince, extendedTo }),
    ...idleEnds(preview, lifecycle, { ...moment, idleSince, extendedTo }),
  };
}

interface Since extends Moment {
  readonly idleSince: string;
  readonly extendedTo: string | undefined;
}

/** What was stopped meanwhile is added to what a person was given. */
function extensionOf({ extendedTo, renewedAt }: Clocks["intents"], { pauses }: Moment): string | undefined {
  if (extendedTo === undefined || renewedAt === undefined || extendedTo < renewedAt) return extendedTo;
  return afterUnpaused(renewedAt, Date.parse(extendedTo) - Date.parse(renewedAt), pauses);
}

function idleEnds(
  { status }: Clocks,
  lifecycle: Lifecycle,
  { idleSince, extendedTo, pauses }: Since,
): { readonly warnAt?: string; readonly idleStop?: string } {
  const { warnAfterSeconds, destroyAfterSeconds } = lifecycle;
  const unseen = status.live && isPastGateway(status.live.target);
  if (destroyAfterSeconds === undefined || unseen || !status.stackExists) return {};
  const regular = furthest(afterUnpaused(idleSince, destroyAfterSeconds * 1000, pauses), extendedTo);
  if (warnAfterSeconds === undefined) return { idleStop: regular };
  const noticeMs = noticeOf(lifecycle);
  const { warned } = status;
  if (!warned || warned.at < idleSince) return { warnAt: regular && after(regular, -noticeMs) };
  return { idleStop: furthest(afterUnpaused(warned.at, noticeMs, pauses), regular) };
}

/**
 * A teardown that was announced and whose hour came is due, unless somebody used the preview behind it,
 * it is later than a night, or everything was stopped then. Otherwise the next one.
 */
function teardownOf(
  { status }: Clocks,
  { teardown }: Lifecycle,
  { idleSince, extendedTo, now, pauses }: Since,
): string | undefined {
  if (!teardown || !status.stackExists) return undefined;
  const announced = status.teardownAt;
  const isDue =
    announced !== undefined &&
    announced <= now &&
    announced >= latest(after(now, -TEARDOWN_LATE_MS), extendedTo) &&
    announced > idleSince &&
    !isPaused(pauses, announced) &&
    isTeardown(teardown, announced);
  return isDue ? announced : teardownAfter(teardown, latest(now, extendedTo));
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
  const { hardStop, warnAt, idleStop, teardownAt } = lifetime;
  const again = status.warned && status.awake ? after(now, WARNED_AGAIN_MS) : undefined;
  return [hardStop, warnAt, idleStop ?? status.warned?.goesAt, teardownAt, again, refusalHolds]
    .filter((time) => time !== undefined && time > now)
    .sort()[0];
}

/** By a person's word or by label; the label as last read counts while the forge does not answer. */
export function isKept({ intents, pullRequest }: Pick<Clocks, "intents" | "pullRequest">): boolean {
  return intents.keep || hasLabel(pullRequest, KEEP_LABEL);
}

/** The wish after `extend` at `now`, or how far `extendMax` allows when that is less. */
export function extended(
  { createdAt, intents, status }: Pick<Preview, "createdAt" | "intents" | "status">,
  { extendMaxSeconds }: Lifecycle,
  { seconds, now, pauses }: Moment & { readonly seconds: number },
): { readonly intents: Partial<Intents> } | { readonly intents?: undefined; readonly furthest: string } {
  const extendedTo = after(now, seconds * 1000);
  if (extendMaxSeconds === undefined) return { intents: { extendedTo, renewedAt: now } };
  const start = latest(createdAt, intents.clocksFrom);
  // While it is stopped, the end of that is not known, nor how far this reaches.
  const most = afterUnpaused(
    start,
    extendMaxSeconds * 1000,
    either(pauses, status.stops).map((span) => ({ to: now, ...span })),
  );
  return most !== undefined && extendedTo > most ? { furthest: most } : { intents: { extendedTo, renewedAt: now } };
}

function noticeOf({ warnAfterSeconds = 0, destroyAfterSeconds = 0 }: Lifecycle): number {
  return Math.max(0, destroyAfterSeconds - warnAfterSeconds) * 1000;
}

/** The later of both; never when the first never comes. */
function furthest(end: string | undefined, other: string | undefined): string | undefined {
  return end === undefined ? undefined : latest(end, other);
}
