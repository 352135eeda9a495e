/** What is known and wished of one preview. Pure types and pure functions; `now` is always an argument. */
import type { PreviewSpec } from "../infra/spec.ts";
import type { Difference } from "../infra/stacks.ts";
import type { ApprovalStanding } from "./approval.ts";
import type { CredentialSeen } from "./credentials.ts";
import type { AnnouncementHandles, PullRequest } from "./forges/forge.ts";
import type { Checked, FailedChecks } from "./gates/results.ts";
import type { ImageWait } from "./images/waiting.ts";
import type { Intents } from "./intents.ts";
import type { LinkSeen } from "./linked/links.ts";
import type { CostedSpec } from "./money/hourly.ts";
import type { PauseSpan } from "./pauses.ts";
import type { Served } from "./rollback.ts";

export const CONDITIONS = ["Ready", "Reconciling", "Stalled"] as const;
export type Condition = (typeof CONDITIONS)[number];

/** Lifecycle stages shown to people, in their order. */
export const STAGES = ["Created", "Active", "Asleep", "Idle", "Closed", "Gone"] as const;
export type Stage = (typeof STAGES)[number];

/** What the looks at the world came to, beside the stack's own runs. */
export interface DriftSeen {
  /** ISO 8601 of the last look that could read all of it; undefined before the first. */
  readonly at?: string;
  /** What differed then; a long list is cut. Redacted. */
  readonly differences: readonly Pick<Difference, "type" | "name" | "kind" | "message" | "change">[];
  /** ISO 8601: since when it is known that something differs. */
  readonly since?: string;
  /** The newest look could not read it: neither drift nor none. */
  readonly unread?: { readonly at: string; readonly message: string };
}

/** What one step of reconcile writes down; the whole of what the service knows of a preview. */
export interface PreviewStatus {
  readonly condition: Condition;
  readonly reason: string;
  /** One sentence for people; redacted. */
  readonly message: string;
  /** Redacted last lines where something failed. */
  readonly excerpt: readonly string[];
  /** ISO 8601 of the last change of condition or reason. */
  readonly since: string;
  /** Commit that the forge showed last; what serves is `live.source.commit`. */
  readonly headSha?: string;
  /** What its description asks to be previewed with, as it was seen last; absent where it asks for nothing. */
  readonly links?: readonly LinkSeen[];
  /** ISO 8601: when the heads among them changed last. */
  readonly linksAt?: string;
  /** True from the first `up` until a destroy has been proved. */
  readonly stackExists: boolean;
  /** The spec that serves now; undefined before the first success. */
  readonly live?: PreviewSpec;
  /** What is built first costs this, for its estimate; undefined once something serves. */
  readonly expected?: CostedSpec;
  /** Every target that a run of this life was on, whatever came of it; unknown after the store was lost. */
  readonly builtOn?: readonly PreviewSpec["target"][];
  /** The last commits of this life that served, in the order in which they came. */
  readonly served?: readonly Served[];
  /** Public outputs of the last success. */
  readonly outputs: Readonly<Record<string, unknown>>;
  /** Digest of the spec that was last tried, and whether it worked. */
  readonly attempted?: {
    readonly digest: string;
    readonly ok: boolean;
    readonly terminal: boolean;
    readonly failures: number;
    readonly at: string;
    /** What went wrong, to be shown again after another condition was shown in between. */
    readonly failure?: { readonly reason: string; readonly message: string; readonly excerpt: readonly string[] };
    /** A run before it was cut short, and none has succeeded since: refresh before going on. */
    readonly cutShort?: true;
    /** A run before it may have come as far as its database, and none has succeeded since. */
    readonly mayHaveMigrated?: true;
  };
  /** How the newest commit stood by the repository's rule of approvals when that was read last; undefined without a rule. */
  readonly approval?: ApprovalStanding;
  /** What smoke tests and gates said of what serves; undefined before, and where there are none. */
  readonly checks?: Checked;
  /** The last commit that failed them; shown while it is the head or serves. */
  readonly failedChecks?: FailedChecks;
  /** An engine run of ours may have died in the middle: refresh before going on. */
  readonly interrupted: boolean;
  readonly awake: boolean;
  /** Destroys of this life that failed, outages of the service's own ground aside. */
  readonly destroyFailures: number;
  /** The last destroy, sleep, wake or check that failed, for its backoff. */
  readonly failed?: {
    readonly action: "destroy" | "sleep" | "wake" | "check";
    readonly failures: number;
    readonly at: string;
    /** The service's own ground was away: tried again soon, and no ground for an alarm. */
    readonly outage?: boolean;
  };
  /** The warning that it goes for idleness; undone by any use. All ISO 8601. */
  readonly warned?: { readonly at: string; readonly idleSince: string; readonly goesAt: string };
  /** ISO 8601 of the teardown that was announced: it goes then unless somebody keeps or extends it. */
  readonly teardownAt?: string;
  /** ISO 8601: when it goes however much it is used, as its comment says; undefined for one that is kept. */
  readonly hardStop?: string;
  /** When its repository's budget stopped it, oldest first: none of it counts as idle. */
  readonly stops?: readonly PauseSpan[];
  /** ISO 8601 of the first clean read that showed a pull request the rules refuse; a later one removes what exists. */
  readonly refusedSince?: string;
  /** Its place while a cap holds it back; says something only where the reason is `Queued`. */
  readonly queue?: { readonly place: number; readonly of: number };
  /** When a lock or lease of somebody else is looked at again. */
  readonly conflictUntil?: string;
  /** Set while the images of the wished spec are not all there. */
  readonly imageWait?: ImageWait;
  /** Images by the names the application gave them, pinned by digest; newest last. */
  readonly imagePins?: readonly (readonly [name: string, pinned: string])[];
  readonly credential?: CredentialSeen;
  /** Undefined before the first look, and once it is gone. */
  readonly drift?: DriftSeen;
  /** Why it was destroyed: `Closed`, `Merged`, `Removed`, `Expired`. */
  readonly goneReason?: string;
  /** Set once proved gone. */
  readonly goneAt?: string;
}

/** Of one that nobody has looked at since it was asked for. */
export const WAITING = {
  condition: "Reconciling",
  reason: "Queued",
  message: "Waiting for its turn.",
  excerpt: [],
} as const satisfies Partial<PreviewStatus>;

/** A preview that was just heard of. */
export function newStatus(now: string): PreviewStatus {
  return {
    ...WAITING,
    since: now,
    stackExists: false,
    outputs: {},
    interrupted: false,
    awake: true,
    destroyFailures: 0,
  };
}

/** A change laid over a status; `since` moves only when condition or reason do. */
export function changeStatus(status: PreviewStatus, change: Partial<PreviewStatus>, now: string): PreviewStatus {
  const next = { ...status, ...change };
  const moved = next.condition !== status.condition || next.reason !== status.reason;
  return { ...next, since: moved ? now : status.since };
}

/** A preview as the store holds it. */
export interface Preview {
  readonly key: string;
  readonly stack: string;
  /** Name of the repository in the config. */
  readonly repository: string;
  readonly number?: number;
  readonly gitBranch: string;
  readonly createdAt: string;
  readonly lastPushAt: string;
  readonly lastVisitAt?: string;
  readonly intents: Intents;
  readonly status: PreviewStatus;
  /** As last read, for lists and pages; never a ground for an action. */
  readonly pullRequest?: PullRequest;
  readonly handles: AnnouncementHandles;
  /** When it is looked at next without anybody asking; set by `setDue` alone. */
  readonly dueAt?: string;
  /** Version for optimistic writes. */
  readonly revision: number;
}

/** Proof of a teardown. */
export interface Receipt {
  readonly key: string;
  readonly stack: string;
  readonly at: string;
  readonly reason: string;
  /** What showed that it was to go, where the reason alone does not say it. */
  readonly evidence?: string;
  /** URNs that the stack owned. */
  readonly removed: readonly string[];
  /** Kinds of things looked for again in the world, with how many were found; all zero. */
  readonly proof: readonly { readonly what: string; readonly found: number }[];
  readonly durationMs: number;
}
