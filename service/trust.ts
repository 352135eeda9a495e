/** Pull requests of forks and outsiders: what of theirs may run, and on whose word. Pure. */
import { canonical } from "../infra/canonical.ts";
import type { RepositoryConfig } from "./config/repository-types.ts";
import type { PullRequest } from "./forges/forge.ts";
import type { Intents } from "./intents.ts";
import { linkDistrust, linkedCommits, linksInUse } from "./linked/links.ts";
import { minuteOf } from "./reason-words.ts";
import type { Preview } from "./status.ts";

/** A push so short before a bare `approve` may be one that its writer had not seen. */
const UNSEEN_MS = 60_000;

type Origin = Pick<PullRequest, "fork" | "trustedAuthor" | "author">;

/** Why a pull request is not trusted; undefined when it is. Two checks, and either alone is enough. */
export function distrustOf({ fork, trustedAuthor, author }: Origin): string | undefined {
  if (fork) return "The head lies in a fork.";
  return trustedAuthor ? undefined : `"${author}" has no write access.`;
}

/** A whole object id of git: by its first digits alone a commit is not told from one that was made to have them. */
export function isCommitId(text: string): boolean {
  return /^([0-9a-f]{40}|[0-9a-f]{64})$/i.test(text);
}

/** An approval is of one commit and of no other; so of each that runs beside it, by the key of its pull request. */
export function isApproved(
  { approved }: Pick<Intents, "approved">,
  headSha: string,
  linked: Readonly<Record<string, string>> = {},
): boolean {
  if (approved?.sha !== headSha) return false;
  return Object.entries(linked).every(([key, sha]) => approved.linked?.[key] === sha);
}

/**
 * How a target keeps previews: `apart` from the service's files and from each other; `together` with them, under the
 * service's own user; `sharing` data of the operator's, which no stranger may see.
 */
export type Isolation = "apart" | "together" | "sharing";

const NOT_APART =
  "It cannot be approved here: the service does not run as root, so previews run as the service's own user and read what it can (`untrusted.withoutIsolation` allows that).";
const SHARING = "It cannot be approved here: the target's databases hold data that is not the preview's own.";

/** Why no stranger's code may run on the repository's target, approved or not; undefined when it may. */
export function strangersRefusal(
  { untrusted }: Pick<RepositoryConfig, "untrusted">,
  isolation: Isolation,
): string | undefined {
  if (isolation === "sharing") return SHARING;
  return isolation === "apart" || untrusted?.withoutIsolation ? undefined : NOT_APART;
}

export interface ApprovalGround {
  /** Head that the forge shows now. */
  readonly headSha: string;
  /** As `distrustOf` says. */
  readonly distrust: string | undefined;
  /** As `strangersRefusal` says. */
  readonly barred: string | undefined;
  /** The repository's rule asks for approvals of whoever's commits. */
  readonly byRule?: boolean;
  /** What it is to run beside cannot be read, so that nobody sees what an approval would be of. */
  readonly unread?: boolean;
}

/** Why a commit cannot be approved, as a sentence; undefined when it can. */
export function approvalProblem(
  sha: string,
  { headSha, distrust, barred, byRule = false, unread = false }: ApprovalGround,
): string | undefined {
  if (distrust === undefined && !byRule) {
    return "It needs no approval: whoever opened it may write to the repository.";
  }
  if (distrust !== undefined && barred !== undefined) return barred;
  if (sha === headSha) {
    return unread ? "What it is previewed with cannot be read now; say it again when it is shown." : undefined;
  }
  return `\`${sha.slice(0, 7)}\` is not its newest commit, which is \`${headSha.slice(0, 7)}\`; nothing is approved.`;
}

/** Whether the head was there to be looked at when somebody said `approve` (ISO 8601) without naming a commit. */
export function wasSeen(
  { status, lastPushAt }: Pick<Preview, "status" | "lastPushAt">,
  { headSha, saidAt }: { readonly headSha: string; readonly saidAt: string },
): boolean {
  return status.headSha === headSha && Date.parse(lastPushAt) + UNSEEN_MS <= Date.parse(saidAt);
}

/** Why an approval said then (ISO 8601) would be of other heads than those that were looked at; undefined where none moved. */
export function linksProblem(
  { status: { links, linksAt } }: Pick<Preview, "status">,
  saidAt: string,
): string | undefined {
  const isNew = linksAt !== undefined && Date.parse(linksAt) + UNSEEN_MS > Date.parse(saidAt);
  if (!isNew || linkedCommits(links) === undefined) return undefined;
  return "What it is previewed with changed less than a minute ago, or since; look at it, and say it again.";
}

/** The same of one that says which heads were looked at, by the keys of their pull requests. */
export function linkedProblem(
  { status: { links } }: Pick<Preview, "status">,
  linked: Readonly<Record<string, string>>,
): string | undefined {
  if (canonical(linkedCommits(links) ?? {}) === canonical(linked)) return undefined;
  return "What it is previewed with changed since it was shown; look at it, and say it again.";
}

/** The commit that waits for somebody's approval; undefined when none does, nor one that waits for its time alone. */
export function awaitedCommit({
  status,
  pullRequest,
  intents,
}: Pick<Preview, "status" | "pullRequest" | "intents">): string | undefined {
  const sha = status.headSha ?? pullRequest?.headSha;
  if (status.reason !== "ApprovalNeeded" || sha === undefined) return undefined;
  const { approval, links } = status;
  // What only a linked head waits for is said at its own pull request.
  const waitsElsewhere = linksInUse(links).some(({ waits }) => waits !== undefined);
  if (!approval ? !waitsElsewhere : approval.sha !== sha || approval.lacks !== undefined) return sha;
  const isOfTrust = pullRequest !== undefined && (distrustOf(pullRequest) ?? linkDistrust(links)) === undefined;
  return isOfTrust || isApproved(intents, sha, linkedCommits(links)) ? undefined : sha;
}

/** Whether its commits wait by the repository's rule alone: what runs is trusted. */
export function isTrusted({ status, pullRequest }: Pick<Preview, "status" | "pullRequest">): boolean {
  if (status.approval === undefined || pullRequest === undefined) return false;
  return (distrustOf(pullRequest) ?? linkDistrust(status.links)) === undefined;
}

/** Of one that serves on somebody's word: whose, and what it goes without; undefined for a trusted one. */
export function approvalNote({ status, intents }: Pick<Preview, "status" | "intents">): string | undefined {
  const { live } = status;
  if (!live?.untrusted) return undefined;
  const { approved } = intents;
  const by = approved?.sha === live.source.commit ? ` by ${approved.by} on ${minuteOf(approved.at)}` : "";
  const apart = live.untrusted.isolated ? "" : "; it is not kept apart from the service's own files";
  return `approved${by}; runs without the operator's secrets${apart}`;
}
