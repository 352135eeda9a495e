/** A preview as API, `--json` and pages show it. Pure. */
import type { FlagValue } from "../../components/service/flags.ts";
import { mainUrl } from "../addresses.ts";
import type { ApprovalStanding } from "../approval.ts";
import type { RefusedCall } from "../egress/refusals.ts";
import { flagsInEffect, setBy } from "../flags.ts";
import { addressOf } from "../forges/addresses.ts";
import type { Checked, FailedChecks } from "../gates/results.ts";
import type { Approval } from "../intents.ts";
import { isKept } from "../lifecycle.ts";
import { linkedCommits } from "../linked/links.ts";
import { type Linked, linkedView } from "../linked/view.ts";
import type { PreviewCost } from "../money/costs.ts";
import { goodCommits, type RolledBack, rolledBackOf, type Served } from "../rollback.ts";
import { type SchemaView, schemaView } from "../schema-words.ts";
import type { Promoted, Promotion } from "../stages/promotion.ts";
import type { Condition, DriftSeen, Preview, Stage } from "../status.ts";
import { awaitedCommit, isTrusted } from "../trust.ts";
import type { PreviewEnds } from "./preview-ends.ts";

export interface PreviewView extends Linked {
  readonly key: string;
  readonly stack: string;
  readonly repository: string;
  readonly number?: number;
  readonly gitBranch: string;
  /** Main address; only once a version has answered its health check. */
  readonly url?: string;
  /** Address by service. */
  readonly urls: Readonly<Record<string, string>>;
  readonly condition: Condition;
  readonly reason: string;
  readonly message: string;
  /** ISO 8601 UTC of the last change of condition or reason. */
  readonly since: string;
  readonly stage: Stage;
  /** Commit that serves now. */
  readonly commit?: string;
  /** Newest commit of the pull request, which may not serve yet. */
  readonly headSha?: string;
  readonly awake: boolean;
  readonly createdAt: string;
  readonly lastPushAt: string;
  readonly lastVisitAt?: string;
  readonly dueAt?: string;
  /** ISO 8601: when it goes because nobody uses it; only while its author is warned of that. */
  readonly goesAt?: string;
  /** ISO 8601: the teardown that it goes in, unless somebody keeps or extends it. */
  readonly teardownAt?: string;
  /** By label or by a person: neither idleness nor hard stop ends it. */
  readonly kept: boolean;
  /** Whose word keeps it: a label of the pull request goes before a person's `keep`. */
  readonly keptBy?: "label" | "person";
  /** ISO 8601: until when it stays at least, by `extend`. */
  readonly extendedTo?: string;
  /** When it sleeps and goes if nobody does anything; absent once it is gone. */
  readonly ends?: PreviewEnds;
  /** ISO 8601 of the proof that nothing is left. */
  readonly goneAt?: string;
  /** True for one that is gone and that `redeploy` would make anew. */
  readonly rebuildable: boolean;
  readonly title?: string;
  readonly author?: string;
  readonly pullRequestUrl?: string;
  /** Pages of the forge on `commit`, on `headSha`, and on what `awaitsApproval` changes. */
  readonly commitUrl?: string;
  readonly headUrl?: string;
  readonly reviewUrl?: string;
  /** Public database name of the preview. */
  readonly database?: string;
  /** ISO 8601: when its database login ends if nobody renews it; absent where it does not end. */
  readonly loginValidUntil?: string;
  /** What its database was seeded with, where there is a choice, */
  readonly scenario?: string;
  /** and what it could be. */
  readonly scenarios?: readonly string[];
  /** What migrations made of the database; absent where nothing differs, and where nobody can tell. */
  readonly schema?: SchemaView;
  /** Present while somebody's word holds it at an older commit. */
  readonly rolledBack?: Omit<RolledBack, "head">;
  /** Of a stage: what it was given last, and by whom, */
  readonly promoted?: Promoted;
  /** and what waits for approvals or its time; `waitsFor` says for what, where one stage is looked at. */
  readonly promotion?: Promotion & { readonly waitsFor?: string };
  /** Of one that is promoted to: the commit that may come next, or why none may; only where one stage is looked at. */
  readonly promotable?: { readonly from: string; readonly sha?: string; readonly problem?: string };
  /** Commits that served and that one may roll back to, newest first. */
  readonly goodCommits?: readonly Pick<Served, "sha" | "at">[];
  /** What smoke tests and gates said of the version that serves; absent before, and where there are none. */
  readonly checks?: Checked;
  /** The last commit that failed them, and what came of it; absent once another one is good. */
  readonly failedChecks?: FailedChecks;
  /** Destroys in a row that failed; absent while none did. */
  readonly destroyFailures?: number;
  /** What the last look at the world found; undefined before the first. */
  readonly drift?: DriftSeen;
  /** Commit that waits until somebody approves it: of a fork or an outsider, or by the repository's rule. */
  readonly awaitsApproval?: string;
  /** Heads of linked pull requests, by their keys, that an approval of it is one of as well. */
  readonly awaitsWith?: Readonly<Record<string, string>>;
  /** How the newest commit stands by the repository's rule; absent where there is none. */
  readonly approval?: ApprovalStanding & { readonly trusted?: true };
  /** Of one that serves without being trusted: whose word lets it run, and whether it is kept apart from the service. */
  readonly untrusted?: { readonly isolated: boolean; readonly approved?: Approval };
  /** Feature flags of the version that serves; absent where there are none. */
  readonly flags?: readonly FlagView[];
  /** Users of its seeds; `/.stackling/login?as=NAME` on its main host logs one in. */
  readonly login?: { readonly users: readonly { readonly name: string; readonly title: string }[] };
  /** Pages with mails and the like that the version that serves sent; absent where there are none. */
  readonly inboxes?: readonly { readonly name: string; readonly url: string }[];
  /** Whether it is held to the hosts it may call, or only asked to; absent where it may call any. */
  readonly egress?: "enforced" | "advisory";
  /** Calls of it that were not let out, the latest first; only where one preview is looked at. */
  readonly refusedCalls?: readonly RefusedCall[];
  /** What it cost so far, and will; only where one preview is looked at. */
  readonly cost?: PreviewCost;
  readonly excerpt: readonly string[];
  readonly comment?: string;
}

export interface FlagView {
  readonly name: string;
  /** In effect in the version that serves. */
  readonly value: FlagValue;
  readonly default: FlagValue;
  readonly values?: readonly FlagValue[];
  /** What labels and persons ask for now; the next version has it. */
  readonly wished: FlagValue;
  /** Whose word `wished` is, where it is not the default. */
  readonly setBy?: "label" | "person";
}

/** What a view holds beside the preview itself; `comment` and `dueAt` only the whole one. */
export interface ViewExtras {
  readonly ends?: PreviewEnds;
  readonly dueAt?: string;
  readonly comment?: string;
  readonly refusedCalls?: readonly RefusedCall[];
  readonly cost?: PreviewCost | undefined;
  readonly promotion?: PreviewView["promotion"];
  readonly promotable?: PreviewView["promotable"];
}

export function previewView(preview: Preview, extras: ViewExtras = {}): PreviewView {
  const { status, pullRequest } = preview;
  const { database } = status.outputs;
  return {
    key: preview.key,
    stack: preview.stack,
    repository: preview.repository,
    number: preview.number,
    gitBranch: preview.gitBranch,
    url: mainUrl(preview),
    urls: status.live?.urls ?? {},
    condition: status.condition,
    reason: status.reason,
    message: status.message,
    since: status.since,
    stage: stageOf(preview),
    commit: status.live?.source.commit,
    headSha: status.headSha ?? pullRequest?.headSha,
    awake: status.awake,
    createdAt: preview.createdAt,
    lastPushAt: preview.lastPushAt,
    lastVisitAt: preview.lastVisitAt,
    goesAt: status.warned?.goesAt,
    teardownAt: status.teardownAt,
    kept: isKept(preview),
    keptBy: keptBy(preview),
    extendedTo: preview.intents.extendedTo,
    goneAt: status.goneAt,
    rebuildable: isRebuildable(preview),
    title: pullRequest?.title,
    author: pullRequest?.author,
    pullRequestUrl: pullRequest?.url,
    ...linkedView(preview),
    commitUrl: addressOf(pullRequest?.commitUrl, status.live?.source.commit),
    headUrl: addressOf(pullRequest?.commitUrl, status.headSha ?? pullRequest?.headSha),
    reviewUrl: addressOf(pullRequest?.reviewUrl, awaitedCommit(preview)),
    database: typeof database === "string" ? database : undefined,
    scenario: status.live?.database?.scenario,
    scenarios: status.live?.database?.shared ? undefined : status.live?.database?.scenarios,
    schema: schemaView(preview),
    ...(status.goneAt === undefined && status.credential?.until !== undefined
      ? { loginValidUntil: status.credential.until }
      : {}),
    promoted: preview.intents.promoted,
    promotion: preview.intents.promotion,
    ...rollbackOf(preview),
    checks: status.checks,
    failedChecks: status.failedChecks,
    destroyFailures: status.destroyFailures > 0 ? status.destroyFailures : undefined,
    drift: status.drift,
    awaitsApproval: awaitedCommit(preview),
    awaitsWith: awaitedCommit(preview) === undefined ? undefined : linkedCommits(status.links),
    approval: status.approval && { ...status.approval, ...(isTrusted(preview) ? { trusted: true } : {}) },
    untrusted: untrustedOf(preview),
    flags: flagsOf(preview),
    login: loginOf(preview),
    inboxes: inboxesOf(preview),
    egress: egressOf(preview),
    excerpt: status.excerpt,
    ...extras,
  };
}

function rollbackOf(preview: Preview): Pick<PreviewView, "rolledBack" | "goodCommits"> {
  const { head: _stoodInFor, ...rolledBack } = rolledBackOf(preview) ?? { sha: undefined };
  const good = preview.status.goneAt === undefined ? goodCommits(preview).map(({ sha, at }) => ({ sha, at })) : [];
  return {
    ...(rolledBack.sha === undefined ? {} : { rolledBack }),
    ...(good.length > 0 ? { goodCommits: good } : {}),
  };
}

/** Where it answers beside its link, by what people call it: an inbox by its own name, not by the service that keeps it. */
export function furtherLinks({
  url,
  urls,
  inboxes = [],
}: Pick<PreviewView, "url" | "urls" | "inboxes">): readonly (readonly [name: string, url: string])[] {
  const services = Object.entries(urls).filter(
    ([, other]) => other !== url && !inboxes.some((inbox) => inbox.url.startsWith(`${other}/`)),
  );
  return [...services, ...inboxes.map((inbox) => [`Inbox ${inbox.name}`, inbox.url] as const)];
}

function untrustedOf({ status: { live }, intents: { approved } }: Preview): PreviewView["untrusted"] {
  if (!live?.untrusted) return undefined;
  return { ...live.untrusted, ...(approved?.sha === live.source.commit ? { approved } : {}) };
}

function loginOf({ status: { live } }: Preview): PreviewView["login"] {
  return live?.login && { users: live.login.users };
}

function inboxesOf({ status: { live } }: Preview): PreviewView["inboxes"] {
  return live?.inboxes && Object.entries(live.inboxes).map(([name, url]) => ({ name, url }));
}

function flagsOf({ status, intents, pullRequest }: Preview): PreviewView["flags"] {
  const { flags: serving } = status.live ?? {};
  if (!serving) return undefined;
  const wished = flagsInEffect(serving, { labels: pullRequest?.labels ?? [], said: intents.flags ?? {} });
  return Object.entries(serving).map(([name, flag]) => {
    const next = wished[name]?.value ?? flag.default;
    return { name, ...flag, wished: next, ...(next === flag.default ? {} : { setBy: setBy(name, intents) }) };
  });
}

function egressOf({ status: { live } }: Preview): PreviewView["egress"] {
  if (!live?.egress) return undefined;
  return live.egress.enforced ? "enforced" : "advisory";
}

function keptBy({ intents, pullRequest }: Preview): PreviewView["keptBy"] {
  if (isKept({ intents: { ...intents, keep: false }, pullRequest })) return "label";
  return intents.keep ? "person" : undefined;
}

/** A closed pull request gets no preview whatever is asked for, nor does one that the rules refuse. */
export function isRebuildable({ status, pullRequest }: Pick<Preview, "status" | "pullRequest">): boolean {
  const ended = status.goneReason === "Expired" || status.goneReason === "Removed";
  return status.goneAt !== undefined && ended && pullRequest?.state !== "closed";
}

/** Created until a first version is live, Idle from the warning to the next use, Closed from the wish to remove until the proof that it is gone. */
export function stageOf({ status, pullRequest, intents }: Preview): Stage {
  if (status.goneAt) return "Gone";
  const closing = status.reason === "Destroying" || status.reason === "DestroyFailed" || status.reason === "Gone";
  if (closing || pullRequest?.state === "closed" || intents.removed) return "Closed";
  if (!status.live) return "Created";
  if (status.warned) return "Idle";
  return status.awake ? "Active" : "Asleep";
}
