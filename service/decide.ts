/** What is done next about one preview. Pure: everything that makes an action due stands here. */
import type { OfficeHours } from "./config/types.ts";
import { areChecksDue } from "./gates/outcome.ts";
import type { Intents } from "./intents.ts";
import { officeAt } from "./office-hours.ts";
import { afterUnpaused, type PauseSpan } from "./pauses.ts";
import type { AbsentReason } from "./policy.ts";
import type { PreviewStatus } from "./status.ts";
import { after, earliest, latest } from "./times.ts";

/** Tries of the same input before it waits for a new one. */
export const RETRY_BUDGET = 5;
/** Outages of the service's own ground: nothing can be brought up or, mostly, removed meanwhile. */
const GROUND = new Set<string>(["StoreUnavailable", "BackendUnavailable", "DiskFull", "DiskReadOnly"]);
/** Failures of what Stackling leans on and not of the input: tried again for as long as it takes. */
const OUTAGES = new Set<string>([
  "DatabaseFailed",
  "EngineFailed",
  "EngineInterrupted",
  "CheckoutFailed",
  "PluginMissing",
  "ProgramInvalid",
  "TargetUnreachable",
  "NamespaceTerminating",
  ...GROUND,
  // Of the forge, when it goes between a look and the checkout.
  "Unreachable",
]);
/** Nothing of the commit: a person mends it at the target or in the config, or another preview makes room. */
const MENDED_OUTSIDE = new Set<string>([
  "CapacityUnavailable",
  "CertificateMissing",
  "EdgeNotReady",
  "ImagePullFailed",
  "NameTaken",
  "QuotaExceeded",
  "SecretMissing",
  "TargetForbidden",
  "TargetInvalid",
  "Unschedulable",
]);
/** Of these; about two days. */
const OUTSIDE_BUDGET = 300;
/** Cut short, so that nobody knows what came of it. */
const CUT_SHORT = new Set<string>(["EngineInterrupted", "EngineTimedOut"]);
const BACKOFF_FIRST_MS = 5_000;
const BACKOFF_CAP_MS = 600_000;
const DESTROY_BACKOFF_CAP_MS = 3_600_000;
/** Behind an outage of the ground: what it costs to try is little, and everything waits. */
const OUTAGE_BACKOFF_CAP_MS = 60_000;

/** The verdict of the policy, with the spec reduced to its digest. */
export type Desired =
  | {
      readonly kind: "present";
      readonly digest: string;
      /** True when neither commit nor a wish of a person differs from what serves: somebody's config does. */
      readonly unasked?: boolean;
    }
  | { readonly kind: "absent"; readonly reason: AbsentReason; readonly evidence?: string }
  | { readonly kind: "blocked" };

export interface Observed {
  readonly status: PreviewStatus;
  readonly intents: Pick<Intents, "asleep" | "asleepSince">;
  readonly createdAt: string;
  readonly lastPushAt: string;
  readonly lastVisitAt?: string;
  /** Undefined where nobody sees its visits: then only a person sends it to sleep. */
  readonly sleepAfterSeconds: number | undefined;
  /** Outside of them it sleeps; undefined: there are none. */
  readonly officeHours?: OfficeHours | undefined;
  /** When everything was stopped, oldest first: that time does not count as idle. */
  readonly pauses?: readonly PauseSpan[];
  /** True between `stop-all` and `resume-all`: nothing is brought up, and what serves sleeps. */
  readonly paused?: boolean;
  /** True for what serves on meanwhile: a stage. */
  readonly servesPaused?: boolean;
}

export type UpReason = "FirstTime" | "NewSpec" | "Retry" | "Interrupted";

export type Action =
  /** Nothing to do; `dueAt` is when time alone will change that. */
  | { readonly kind: "none"; readonly dueAt?: string }
  | { readonly kind: "up"; readonly reason: UpReason }
  | { readonly kind: "sleep" }
  | { readonly kind: "wake" }
  /** Smoke tests and gates of what serves. */
  | { readonly kind: "check" }
  | { readonly kind: "destroy"; readonly reason: AbsentReason; readonly evidence?: string }
  | {
      readonly kind: "wait";
      readonly until: string;
      readonly reason: "Backoff" | "Budget" | "Conflict" | "Image" | "Outage" | "Queued";
    };

/**
 * The next action. An update is due: the first time, for a spec that was not applied (a push, a
 * config, a raised generation: all of them change its digest), after a run that was interrupted, and
 * again after a failure that may pass, at most five times unless it was an outage or is mended outside; none
 * of them before its images are there, and none at all while everything is stopped. One that only a config
 * asks for waits until the preview is awake. Destroys are tried for ever. Sleeping and waking follow visits,
 * pushes, office hours and a person's word. What was updated is checked once it is awake.
 *
 * @param now ISO 8601 UTC
 */
export function decide(desired: Desired, observed: Observed, now: string): Action {
  const { status } = observed;
  if (status.conflictUntil !== undefined && now < status.conflictUntil) {
    return { kind: "wait", until: status.conflictUntil, reason: "Conflict" };
  }
  if (desired.kind === "absent") return decideAbsent(desired, status, now);
  if (desired.kind === "present" && !observed.paused) {
    const update = awaitImage(decideUpdate(desired.digest, status, now), desired.digest, status, now);
    if (update && !isLeftAsleep(desired.unasked, status, update)) {
      return isAwaited(update) ? earlier(update, decideAwake(observed, now)) : update;
    }
    if (!update) return decideCheck(observed, now);
  }
  return decideAwake(observed, now);
}

/** What would make a preview live waits while a cap leaves it no room; `queuedUntil` is when it is looked at again. */
export function awaitRoom(action: Action, queuedUntil: string | undefined): Action {
  const makesLive = action.kind === "up" || action.kind === "wake";
  return makesLive && queuedUntil !== undefined ? { kind: "wait", until: queuedUntil, reason: "Queued" } : action;
}

/** ISO 8601 of the latest visit or push: what idleness is counted from. */
export function lastActivity(observed: Pick<Observed, "createdAt" | "lastPushAt" | "lastVisitAt">): string {
  const { createdAt, lastPushAt, lastVisitAt = createdAt } = observed;
  return [createdAt, lastPushAt, lastVisitAt].sort().at(-1) ?? createdAt;
}

/** Milliseconds before try `failures + 1`: 5 s doubled each time, capped. */
export function backoffMs(failures: number, capMs = BACKOFF_CAP_MS): number {
  return Math.min(BACKOFF_FIRST_MS * 2 ** Math.max(0, failures - 1), capMs);
}

function decideAbsent(desired: Extract<Desired, { kind: "absent" }>, status: PreviewStatus, now: string): Action {
  if (!status.stackExists) return { kind: "none" };
  return notBefore(retryTime(status, "destroy", DESTROY_BACKOFF_CAP_MS), now, { ...desired, kind: "destroy" });
}

/**
 * True for an update that nobody waits for, of a preview that sleeps: it is woken first, which is quick, and
 * updated then. Not where that is what keeps it from waking, or where nobody knows what is there.
 */
function isLeftAsleep(unasked: boolean | undefined, status: PreviewStatus, update: Action): boolean {
  if (!unasked || !status.live || status.awake || status.failed?.action === "wake") return false;
  return !(update.kind === "up" && update.reason === "Interrupted");
}

/** What a search for images that was given up comes to. */
const NO_IMAGE: ReadonlySet<string> = new Set(["ImageNotFound", "ImageUnsigned"]);

/** The update that is due or awaited; undefined when this spec is applied or waits for new input. */
function decideUpdate(digest: string, status: PreviewStatus, now: string): Action | undefined {
  const { attempted } = status;
  // Without its image nothing can be brought to an end, not even what was interrupted.
  const hasNoImage = attempted?.digest === digest && NO_IMAGE.has(attempted.failure?.reason ?? "");
  if (status.interrupted && !hasNoImage) return { kind: "up", reason: "Interrupted" };
  if (!attempted) return { kind: "up", reason: "FirstTime" };
  if (attempted.digest !== digest) return { kind: "up", reason: "NewSpec" };
  if (attempted.ok || isSpent(attempted)) return undefined;
  return notBefore(after(attempted.at, backoffMs(attempted.failures)), now, { kind: "up", reason: "Retry" });
}

/** An update whose images were not all there at the last look comes after the next one. */
function awaitImage(
  update: Action | undefined,
  digest: string,
  { imageWait }: PreviewStatus,
  now: string,
): Action | undefined {
  if (update?.kind !== "up" || imageWait?.digest !== digest) return update;
  return now < imageWait.nextAt ? { kind: "wait", until: imageWait.nextAt, reason: "Image" } : update;
}

/** True for a reason that says nothing of the preview: the service's store, state backend or disk was away. */
export function isGroundOutage(reason: string): boolean {
  return GROUND.has(reason);
}

/** True for a failure that another commit would not have: neither an outage nor anything that is mended elsewhere. */
export function isOfCommit(reason: string): boolean {
  return !OUTAGES.has(reason) && !MENDED_OUTSIDE.has(reason);
}

/** True when the same input is not tried again by itself. */
export function isSpent({ terminal, failures, failure }: NonNullable<PreviewStatus["attempted"]>): boolean {
  const reason = failure?.reason ?? "";
  if (MENDED_OUTSIDE.has(reason)) return failures >= OUTSIDE_BUDGET;
  return terminal || (failures >= RETRY_BUDGET && !OUTAGES.has(reason));
}

/** True when the world is to be looked at before the next update: the last one may have died in the middle, or somebody changed it. */
export function needsRefresh({ drift, ...runs }: Pick<PreviewStatus, "interrupted" | "attempted" | "drift">): boolean {
  return wasCutShort(runs) || (drift?.differences.length ?? 0) > 0;
}

/** True when nobody knows what came of a run, and none has succeeded since. */
export function wasCutShort({ interrupted, attempted }: Pick<PreviewStatus, "interrupted" | "attempted">): boolean {
  return interrupted || attempted?.cutShort === true || CUT_SHORT.has(attempted?.failure?.reason ?? "");
}

/** What was brought up is checked while it is awake. */
function decideCheck(observed: Observed, now: string): Action {
  const { status } = observed;
  const awake = decideAwake(observed, now);
  if (awake.kind !== "none" || !status.awake || !areChecksDue(status)) return awake;
  return notBefore(retryTime(status, "check", BACKOFF_CAP_MS), now, { kind: "check" });
}

function decideAwake(observed: Observed, now: string): Action {
  const { status } = observed;
  if (!status.stackExists || !status.live) return { kind: "none" };
  const { awake, until } = awakeness(observed, now);
  if (awake === status.awake) return until === undefined ? { kind: "none" } : { kind: "none", dueAt: until };
  const kind = awake ? "wake" : "sleep";
  return notBefore(retryTime(status, kind, BACKOFF_CAP_MS), now, { kind });
}

/** Whether what serves shall be awake now, and until when time alone leaves it at that. */
function awakeness(observed: Observed, now: string): { readonly awake: boolean; readonly until?: string } {
  const { intents, sleepAfterSeconds, officeHours, pauses = [] } = observed;
  const active = lastActivity(observed);
  if ((observed.paused && !observed.servesPaused) || (intents.asleep && active <= (intents.asleepSince ?? active)))
    return { awake: false };
  const idleAt = sleepAfterSeconds === undefined ? undefined : afterUnpaused(active, sleepAfterSeconds * 1000, pauses);
  if (idleAt !== undefined && now >= idleAt) return { awake: false };
  if (!officeHours) return { awake: true, until: idleAt };
  const { open, until } = officeAt(officeHours, now);
  const graceEnds = after(active, officeHours.wakeForSeconds * 1000);
  if (open) return { awake: true, until: earliest(idleAt, until && latest(until, graceEnds)) };
  if (now < graceEnds) return { awake: true, until: earliest(idleAt, graceEnds) };
  // By then nobody will have used it for so long that it sleeps on.
  if (until === undefined || (idleAt !== undefined && until >= idleAt)) return { awake: false };
  return { awake: false, until };
}

/** ISO 8601 of the office hours for which alone it sleeps; undefined where something else lets it sleep. */
export function sleepsUntil(observed: Observed, now: string): string | undefined {
  const { awake, until } = awakeness(observed, now);
  return awake ? undefined : until;
}

/** When the same action may be tried again after it failed; undefined when it did not. */
function retryTime(
  status: PreviewStatus,
  action: NonNullable<PreviewStatus["failed"]>["action"],
  capMs: number,
): string | undefined {
  if (status.failed?.action !== action) return undefined;
  const { at, failures, outage } = status.failed;
  return after(at, backoffMs(failures, outage ? OUTAGE_BACKOFF_CAP_MS : capMs));
}

function notBefore(until: string | undefined, now: string, action: Action): Action {
  return until !== undefined && now < until ? { kind: "wait", until, reason: "Backoff" } : action;
}

function isAwaited(action: Action): action is Extract<Action, { kind: "wait" }> {
  return action.kind === "wait";
}

/** While an update waits for its next try, the version that serves still sleeps and wakes. */
function earlier(wait: Extract<Action, { kind: "wait" }>, other: Action): Action {
  if (other.kind === "sleep" || other.kind === "wake") return other;
  const time = other.kind === "none" ? other.dueAt : other.kind === "wait" ? other.until : undefined;
  return time !== undefined && time < wait.until ? { ...wait, until: time } : wait;
}
