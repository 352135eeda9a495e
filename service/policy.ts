/** Whether a preview shall exist, from what the forge says now, the config and people's wishes. Pure. */
import { StacklingError } from "../components/errors.ts";
import { type ApprovalRead, type StandingInput, standingOf, waitsFor } from "./approval.ts";
import type { ApplicationConfig } from "./config/application-types.ts";
import { defaultPullRequests } from "./config/defaults.ts";
import type { RepositoryConfig } from "./config/repository-types.ts";
import { matchesBranch } from "./forges/branch-patterns.ts";
import type { PullRequest } from "./forges/forge.ts";
import { matchesPaths, type PathRules } from "./forges/path-patterns.ts";
import type { Intents } from "./intents.ts";
import { type LinkSeen, linkDistrust, linkedCommits, linksInUse } from "./linked/links.ts";
import { linksWait } from "./linked/waits.ts";
import { minuteOf } from "./reason-words.ts";
import type { Reason } from "./reasons.ts";
import { wishedCommit } from "./rollback.ts";
import { distrustOf, type Isolation, isApproved, strangersRefusal } from "./trust.ts";

/** What the forge says now of that which the preview is of. Only `pullRequest` and `commit` are evidence. */
export type SubjectRead =
  | {
      readonly kind: "pullRequest";
      readonly pullRequest: PullRequest;
      readonly defaultBranch: string;
      /** Undefined where no rule asks for them, and where there are too many to name. */
      readonly changedPaths?: readonly string[];
      /** Undefined where no rule asks for it, and where something else decides already. */
      readonly approval?: ApprovalRead;
    }
  | { readonly kind: "commit"; readonly gitBranch: string; readonly headSha: string }
  | { readonly kind: "missing"; readonly message: string }
  /** A stage that nothing was promoted to. */
  | { readonly kind: "unpromoted"; readonly message: string }
  /** Another repository answers in its place: what that says is of no preview of ours. */
  | { readonly kind: "replaced"; readonly message: string }
  | { readonly kind: "unreachable"; readonly message: string };

/** What `preview.yaml` of the base branch says. */
export type ApplicationRead =
  | {
      readonly kind: "found";
      readonly application: ApplicationConfig;
      /** What the description asks to be previewed with; absent where no service comes from another repository. */
      readonly links?: readonly LinkSeen[];
    }
  | { readonly kind: "invalid"; readonly message: string; readonly problems: readonly string[] }
  | { readonly kind: "unreachable"; readonly message: string };

/** Who removed a preview that reached one of its ends; a push makes it anew. */
export const EXPIRY = "expiry";
/** The same, as an earlier version wrote it down. */
const HARD_STOP = "hard stop";

export type AbsentReason = "Closed" | "Merged" | "Removed" | "Expired" | "Refused";

/** Between the two clean reads that it takes to remove what exists because of a rule. */
export const REFUSAL_HOLDS_MS = 30_000;
/** Of a long list of path patterns, in a sentence. */
const PATTERNS_SHOWN = 4;

export type Verdict =
  | {
      readonly kind: "present";
      readonly application: ApplicationConfig;
      /** To be built: the head, unless somebody rolled back. */
      readonly commit: string;
    }
  /** Positive evidence that it shall not exist: it is destroyed. */
  | {
      readonly kind: "absent";
      readonly reason: AbsentReason;
      /** What shows it, in a sentence, where the reason alone does not. */
      readonly evidence?: string;
    }
  /** Nothing new is started and nothing is destroyed; what serves goes on serving. */
  | {
      readonly kind: "blocked";
      readonly reason: Reason;
      readonly message: string;
      readonly excerpt: readonly string[];
      /** True when the ground is an outage: it is asked again by itself, and shown without alarm. */
      readonly passing: boolean;
      /** ISO 8601: time alone may end it then. */
      readonly until?: string;
    };

export interface PolicyInput {
  /** Undefined when the config does not name the repository (any more). */
  readonly repository: RepositoryConfig | undefined;
  readonly subject: SubjectRead;
  /** Undefined while it was not read, because the subject alone decides. */
  readonly application: ApplicationRead | undefined;
  readonly intents: Intents;
  /** ISO 8601: when the head was first seen; undefined: now. */
  readonly pushedAt?: string;
  /** Of the repository's target; undefined: it keeps nothing apart. */
  readonly isolation?: Isolation;
  /** ISO 8601 after which the preview goes, whatever else; undefined for one that is kept. */
  readonly hardStop: string | undefined;
  /** Since when nobody used it, and until when that may last. Both ISO 8601. */
  readonly idle?: { readonly since: string; readonly until: string };
  /** ISO 8601 of the teardown that it goes in. */
  readonly teardownAt?: string;
  /** It is a stage, whatever else is known of it. */
  readonly isStage?: boolean;
  /** ISO 8601 of the first clean read that showed the refusal, where something exists. */
  readonly refusedSince?: string;
  /** ISO 8601 */
  readonly now: string;
}

/** The verdict; what needs only the subject comes first, so that `preview.yaml` need not be read for a closed one. */
export function policy(input: PolicyInput): Verdict {
  const verdict = judgeSubject(input);
  if (verdict !== "present") return verdict;
  const headSha = headOf(input.subject);
  if (headSha === undefined || !input.application) {
    return blocked("Unreachable", "the application's preview.yaml was not read", { passing: true });
  }
  return judgeApplication(input.application, wishedCommit(input.intents, headSha));
}

/**
 * True when the subject alone does not rule the preview out, so that `preview.yaml` is worth reading; also where it
 * waits for an approval, which is one of what it is previewed with as well.
 */
export function needsApplication(input: Omit<PolicyInput, "application">): boolean {
  const verdict = judgeSubject({ ...input, application: undefined });
  if (verdict === "present") return true;
  const { previewWith = [] } = input.subject.kind === "pullRequest" ? input.subject.pullRequest : {};
  return verdict.kind === "blocked" && verdict.reason === "ApprovalNeeded" && previewWith.length > 0;
}

export function headOf(subject: SubjectRead): string | undefined {
  if (subject.kind === "pullRequest") return subject.pullRequest.headSha;
  return subject.kind === "commit" ? subject.headSha : undefined;
}

function judgeSubject(input: PolicyInput): Verdict | "present" {
  const { repository, subject, intents, hardStop, idle, teardownAt, now } = input;
  if (subject.kind === "pullRequest" && subject.pullRequest.state === "closed") {
    return { kind: "absent", reason: subject.pullRequest.merged ? "Merged" : "Closed" };
  }
  // A person's word is evidence enough, also while the forge is away or the repository is configured no more.
  if (intents.removed && holdsFor(intents.removed, subject)) {
    const { by, evidence } = intents.removed;
    const expired = by === EXPIRY || by === HARD_STOP;
    return { kind: "absent", reason: expired ? "Expired" : "Removed", ...(evidence ? { evidence } : {}) };
  }
  if (hardStop !== undefined && now >= hardStop) {
    return { kind: "absent", reason: "Expired", evidence: `It reached its hard stop on ${minuteOf(hardStop)}.` };
  }
  if (!repository) {
    return blocked(
      "NotConfigured",
      input.isStage
        ? "The stage is not in the configuration. It runs on, its door shut, until it is there again or somebody takes it down."
        : "The repository is not in the configuration, so its door is shut. `sweep --confirm` removes the preview.",
    );
  }
  if (subject.kind === "unreachable") return blocked("Unreachable", subject.message, { passing: true });
  if (subject.kind === "replaced") return blocked("RepositoryReplaced", subject.message);
  // Behind the outage: while the forge is away, nobody knows of the push that may have renewed it.
  if (idle && now >= idle.until) {
    return { kind: "absent", reason: "Expired", evidence: `Nobody had used it since ${minuteOf(idle.since)}.` };
  }
  // So is this, as a label that keeps it may have been set meanwhile.
  if (teardownAt !== undefined && now >= teardownAt) {
    return { kind: "absent", reason: "Expired", evidence: `It went in the teardown of ${minuteOf(teardownAt)}.` };
  }
  if (subject.kind === "missing") return blocked("RefNotFound", subject.message);
  if (subject.kind === "unpromoted") return blocked("NothingPromoted", subject.message);
  if (subject.kind !== "pullRequest") return "present";
  const refusal = refusalOf(repository, subject.pullRequest, subject.changedPaths);
  if (refusal === undefined) return judgePullRequest(repository, subject, input);
  const { refusedSince } = input;
  const holds = refusedSince !== undefined && Date.parse(now) - Date.parse(refusedSince) >= REFUSAL_HOLDS_MS;
  return holds ? { kind: "absent", reason: "Refused", evidence: refusal } : blocked("Blocked", refusal);
}

/** Why the repository's rules give a pull request no preview; undefined when they do. */
export function refusalOf(
  { pullRequests: rules = defaultPullRequests }: RepositoryConfig,
  pullRequest: PullRequest,
  changedPaths?: readonly string[],
): string | undefined {
  const { drafts, bots, label, ignoreLabel, bases } = rules;
  if (hasLabel(pullRequest, ignoreLabel)) return `It has the label "${ignoreLabel}".`;
  if (label !== undefined && !hasLabel(pullRequest, label)) return `It gets a preview with the label "${label}".`;
  if (pullRequest.draft && !drafts) return "It is a draft; ready for review, it gets a preview.";
  if (pullRequest.bot && !bots) return "A bot opened it, and those get no previews.";
  if (!matchesBranch(bases, pullRequest.baseRef)) {
    return `It goes into "${pullRequest.baseRef}", and such pull requests get no previews.`;
  }
  if (changedPaths && !matchesPaths(rules, changedPaths)) return `It changes ${unmatchedWords(rules)}.`;
  return undefined;
}

function unmatchedWords({ paths, ignorePaths }: PathRules): string {
  const list = (patterns: readonly string[]) => {
    const shown = patterns.slice(0, PATTERNS_SHOWN).map((pattern) => `"${pattern}"`);
    return [...shown, ...(patterns.length > shown.length ? [`${patterns.length - shown.length} more`] : [])].join(", ");
  };
  if (!paths) return `nothing but ${list(ignorePaths ?? [])}`;
  return `nothing that matches ${list(paths)}${ignorePaths ? `, apart from ${list(ignorePaths)}` : ""}`;
}

/** As forges compare them: without regard to case. */
export function hasLabel(pullRequest: { readonly labels: readonly string[] } | undefined, label: string): boolean {
  return pullRequest?.labels.some((one) => one.toLowerCase() === label.toLowerCase()) ?? false;
}

/** A `down` holds until a push is seen; one without a commit holds until somebody asks for the preview again. */
export function holdsFor(removed: NonNullable<Intents["removed"]>, subject: SubjectRead): boolean {
  const head = headOf(subject);
  return removed.headSha === undefined || head === undefined || head === removed.headSha;
}

function judgePullRequest(
  repository: RepositoryConfig,
  subject: Extract<SubjectRead, { kind: "pullRequest" }>,
  { intents, application, isolation = "together", now, pushedAt = now }: PolicyInput,
): Verdict | "present" {
  const { pullRequest, defaultBranch } = subject;
  // The default branch of a fork is a branch like any other.
  if (!pullRequest.fork && pullRequest.headRef === defaultBranch) {
    return blocked("Blocked", `"${defaultBranch}" is the default branch, which gets no preview.`);
  }
  if (!matchesBranch(repository.branches, pullRequest.headRef)) {
    return blocked("Blocked", `The git branch "${pullRequest.headRef}" matches none of the configured patterns.`);
  }
  const links = application?.kind === "found" ? application.links : undefined;
  const distrust = distrustOf(pullRequest) ?? linkDistrust(links);
  const byRule = () => {
    const verdict = judgeApproval({ repository, subject, intents, linked: linkedCommits(links), pushedAt, now });
    return verdict === "present" ? judgeLinks(links) : verdict;
  };
  if (distrust === undefined) return byRule();
  const barred = strangersRefusal(repository, isolation);
  if (barred !== undefined) return blocked("Blocked", `${distrust} ${barred}`);
  const wished = wishedCommit(intents, pullRequest.headSha);
  if (isApproved(intents, wished, linkedCommits(links))) return byRule();
  // An approval is one of what it is previewed with as well, which nobody has seen.
  if (application?.kind === "unreachable" && (pullRequest.previewWith?.length ?? 0) > 0) {
    return blocked("Unreachable", application.message, { passing: true });
  }
  const others = linksInUse(links).map(({ said, headSha }) => ` with \`${headSha.slice(0, 7)}\` of ${said}`);
  const commit = `commit \`${wished.slice(0, 7)}\`${others.join(" and")}`;
  return blocked(
    "ApprovalNeeded",
    `${distrust} Nothing of ${commit} runs until someone with write access approves it.`,
  );
}

function judgeApproval(input: StandingInput): Verdict | "present" {
  const standing = standingOf(input);
  if (!standing) return "present";
  if ("unread" in standing)
    return blocked("Unreachable", `Approvals cannot be read: ${standing.unread}`, { passing: true });
  const { until } = standing;
  const words = waitsFor(standing);
  if (words === undefined) return "present";
  return { ...blocked("ApprovalNeeded", `${words}.`), ...(until === undefined ? {} : { until }) };
}

/** A head waits elsewhere for what it waits for at home. */
function judgeLinks(links: readonly LinkSeen[] | undefined): Verdict | "present" {
  const waits = linksWait(links);
  if (!waits) return "present";
  const { message, until } = waits;
  return { ...blocked("ApprovalNeeded", message), ...(until === undefined ? {} : { until }) };
}

function judgeApplication(read: ApplicationRead, commit: string): Verdict {
  if (read.kind === "found") return { kind: "present", application: read.application, commit };
  if (read.kind === "unreachable") return blocked("Unreachable", read.message, { passing: true });
  return blocked("SpecInvalid", read.message, { excerpt: read.problems });
}

/** Nothing new is started; `passing` where it is asked again by itself. */
export function blocked(
  reason: Reason,
  message: string,
  { passing = false, excerpt = [] }: { passing?: boolean; excerpt?: readonly string[] } = {},
): Extract<Verdict, { kind: "blocked" }> {
  return { kind: "blocked", reason, message, excerpt, passing };
}

/** What a failed read says to people: our own words where the error is ours, else the action alone. */
export function wordsOf(error: unknown, action: string): string {
  return error instanceof StacklingError ? error.userMessage : `${action} failed`;
}
