/** Which condition is shown while nothing is being done. Pure. */

import type { Queued } from "./caps/caps.ts";
import { isPastGateway } from "./config/target-fit.ts";
import { type Desired, isSpent } from "./decide.ts";
import { areChecksDue, CHECKING, failedChecksShown } from "./gates/outcome.ts";
import type { Hold } from "./holds.ts";
import { type Lifetime, warningOf } from "./lifecycle.ts";
import type { Verdict } from "./policy.ts";
import { minuteOf } from "./reason-words.ts";
import type { PreviewStatus } from "./status.ts";

export interface Standing {
  readonly verdict: Verdict;
  readonly desired: Desired;
  /** See `Observed`. */
  readonly paused?: boolean;
  readonly servesPaused?: boolean;
  /** ISO 8601: it sleeps for office hours alone, which begin then. */
  readonly asleepUntil?: string | undefined;
  /** No push changes it. */
  readonly byPromotion?: boolean;
}

/**
 * The fields of the status that follow from wish and record alone. A preview that serves stays
 * Ready through an outage of its forge; only the reason tells.
 */
export function settledStatus(
  { verdict, desired, paused = false, servesPaused = false, asleepUntil, byPromotion }: Standing,
  status: PreviewStatus,
  now: string,
): Partial<PreviewStatus> {
  if (verdict.kind === "absent") return status.stackExists ? destroyPending(status) : goneFor(verdict, status, now);
  if (verdict.kind === "blocked") return blockedStatus(verdict, status);
  const servesOn = servesPaused && status.live?.source.commit === verdict.commit;
  if (paused && !servesOn && status.failed?.action !== "sleep") return pausedStatus(status, verdict.commit);
  if (status.imageWait && desired.kind === "present" && status.imageWait.digest === desired.digest) {
    const { message, until } = status.imageWait;
    // Still looked for, because its registry has not answered; nobody need wait for that any more.
    if (now >= until) return { condition: "Stalled", reason: "ImageNotFound", message, excerpt: [] };
    return { condition: "Reconciling", reason: "WaitingForImage", message, excerpt: [] };
  }
  // The wait for a commit that is not wished for any more: asked for again, it has its whole time.
  return { ...shownStatus(status, { asleepUntil, byPromotion }), imageWait: undefined };
}

/** Ready only where the commit that is wished for is what serves after `resume-all`. */
function pausedStatus({ live }: PreviewStatus, commit: string): Partial<PreviewStatus> {
  return {
    condition: live?.source.commit === commit ? "Ready" : "Reconciling",
    reason: "Paused",
    message: "All previews are stopped; data and links are kept. `stackling resume-all` lets them go on.",
    excerpt: [],
  };
}

/**
 * Whether its author stands warned, and which ends are announced; while the forge is away nobody could
 * be told, and while everything is stopped nothing ends, so that nothing changes.
 */
export function warnedStatus(
  standing: Pick<Standing, "verdict" | "paused"> & { readonly lifetime: Lifetime },
  status: PreviewStatus,
  now: string,
): Pick<PreviewStatus, "warned" | "teardownAt" | "hardStop"> {
  const { verdict, lifetime, paused } = standing;
  if (verdict.kind === "absent") return { warned: undefined, teardownAt: undefined, hardStop: undefined };
  // Where another repository answers, nothing is said either.
  const isUnheard = verdict.kind === "blocked" && (verdict.passing || verdict.reason === "RepositoryReplaced");
  if (paused || isUnheard) return {};
  const { teardownAt, hardStop } = lifetime;
  return { warned: warningOf(lifetime, status, now), teardownAt, hardStop };
}

function shownStatus(
  status: PreviewStatus,
  { asleepUntil, byPromotion }: Pick<Standing, "asleepUntil" | "byPromotion">,
): Partial<PreviewStatus> {
  const again = `${byPromotion ? "The next promotion" : "A push"} tries again.`;
  const failure = failureShown(status, again) ?? failedChecksShown(status, again);
  if (failure) return { condition: "Stalled", ...failure };
  const { live, awake } = status;
  if (!live) return {};
  if (awake) return areChecksDue(status) ? CHECKING : SERVES;
  const waker = isPastGateway(live.target) ? `\`stackling wake '${live.key}'\` or a push` : "The first visit";
  const until = asleepUntil === undefined ? "" : ` outside office hours until ${minuteOf(asleepUntil)}`;
  return { condition: "Ready", reason: "Asleep", message: `Asleep${until}. ${waker} wakes it.`, excerpt: [] };
}

/** Nothing else is to be said of it. */
export const SERVES = { condition: "Ready", reason: "Healthy", message: "Serving.", excerpt: [] } as const;

/** The same, with what showed that it was to go. */
export function goneFor(
  { reason, evidence }: { readonly reason: string; readonly evidence?: string },
  status: PreviewStatus,
  now: string,
): Partial<PreviewStatus> {
  return {
    ...gone(reason, status, now),
    ...(evidence === undefined
      ? {}
      : { message: `${evidence} ${reason === "Refused" ? "Nothing is left." : MADE_ANEW}` }),
  };
}

/** It waits for a cap; `message` says at which place. */
export function queuedStatus({ message, place, of }: Omit<Queued, "until">): Partial<PreviewStatus> {
  const queue = { place, of };
  return { condition: "Reconciling", reason: "Queued", message, excerpt: [], imageWait: undefined, queue };
}

/** It waits for what Stackling itself stands on. */
export function heldStatus({ reason, message }: Pick<Hold, "reason" | "message">): Partial<PreviewStatus> {
  return { condition: "Stalled", reason, message, excerpt: [], imageWait: undefined };
}

/** Everything a life leaves in the status when it is over; the next one starts as the first. */
export function gone(reason: string, status: PreviewStatus, now: string): Partial<PreviewStatus> {
  return {
    condition: "Ready",
    reason: "Gone",
    message: GONE_WORDS[reason] ?? "Gone.",
    excerpt: [],
    stackExists: false,
    live: undefined,
    expected: undefined,
    builtOn: undefined,
    served: undefined,
    outputs: {},
    attempted: undefined,
    checks: undefined,
    failedChecks: undefined,
    interrupted: false,
    failed: undefined,
    warned: undefined,
    stops: undefined,
    conflictUntil: undefined,
    imageWait: undefined,
    imagePins: undefined,
    drift: undefined,
    destroyFailures: 0,
    goneAt: status.goneAt ?? now,
    goneReason: reason,
  };
}

const MADE_ANEW = "Nothing is left; a push or `redeploy` makes it anew.";
const GONE_WORDS: Readonly<Record<string, string>> = {
  Closed: "The pull request was closed. Nothing is left.",
  Merged: "The pull request was merged. Nothing is left.",
  Removed: `Taken down. ${MADE_ANEW}`,
  Refused: "Its rules give it no preview. Nothing is left.",
  Expired: `It reached its end. ${MADE_ANEW}`,
};

function destroyPending(status: PreviewStatus): Partial<PreviewStatus> {
  if (status.failed?.action === "destroy") return {};
  return { condition: "Reconciling", reason: "Destroying", message: "Waiting to be destroyed.", excerpt: [] };
}

function blockedStatus(verdict: Extract<Verdict, { kind: "blocked" }>, status: PreviewStatus): Partial<PreviewStatus> {
  const { reason, message, excerpt } = verdict;
  if (!verdict.passing) return { condition: "Stalled", reason, message, excerpt };
  return { condition: status.live ? "Ready" : "Reconciling", reason, message, excerpt };
}

function failureShown(
  { attempted, failed, ...status }: PreviewStatus,
  again: string,
): Pick<PreviewStatus, "reason" | "message" | "excerpt"> | undefined {
  if (attempted?.failure && !attempted.ok) {
    const { reason, message, excerpt } = attempted.failure;
    const said = /[.!?…]$/.test(message) ? message : `${message}.`;
    return { reason, message: isSpent(attempted) ? `${said} ${again}` : said, excerpt };
  }
  if (failed && failed.action !== "destroy") return status;
  return undefined;
}
