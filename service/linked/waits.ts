/** What a pull request's own repository still asks for before its head runs anywhere, so also beside another one. Pure. */
import { type ApprovalRead, standingOf, waitsFor } from "../approval.ts";
import type { RepositoryConfig } from "../config/repository-types.ts";
import type { PullRequest } from "../forges/forge.ts";
import type { Preview } from "../status.ts";
import { earliest } from "../times.ts";
import { type LinkSeen, type LinkWaits, linksInUse } from "./links.ts";

export interface OtherHead {
  readonly repository: Pick<RepositoryConfig, "approval">;
  readonly pullRequest: PullRequest;
  /** Undefined where no rule asks for it. */
  readonly approval: ApprovalRead | undefined;
  /** What is noted of its own preview; undefined while nothing is. */
  readonly record: Pick<Preview, "status" | "intents" | "lastPushAt"> | undefined;
  /** ISO 8601 */
  readonly now: string;
}

/**
 * Undefined where nothing is missing; without names, for strangers of that repository read it here. What was said here of
 * both heads does not count: other people may write there.
 */
export function waitsOf({
  repository,
  pullRequest,
  approval,
  record,
  now,
}: OtherHead): LinkWaits | { readonly unread: string } | undefined {
  const subject = { kind: "pullRequest", pullRequest, defaultBranch: "", ...(approval ? { approval } : {}) } as const;
  const { approvals = [] } = record?.intents ?? {};
  const pushedAt = record && record.status.headSha === pullRequest.headSha ? record.lastPushAt : now;
  const standing = standingOf({ repository, subject, intents: { approvals }, pushedAt, now, nameless: true });
  if (!standing || "unread" in standing) return standing;
  const { lacks, until } = standing;
  if (lacks === undefined && until === undefined) return undefined;
  return { ...(lacks === undefined ? {} : { lacks }), ...(until === undefined ? {} : { until }) };
}

/** What the heads in use wait for, as a sentence; undefined: for nothing. */
export function linksWait(
  links: readonly LinkSeen[] | undefined,
): { readonly message: string; readonly until?: string } | undefined {
  const waiting = linksInUse(links).flatMap(({ waits, ...link }) => (waits ? [{ ...link, waits }] : []));
  if (waiting.length === 0) return undefined;
  const words = waiting.map(({ said, key, headSha, waits }) => {
    const where = waits.lacks === undefined ? "" : `; approve it there, as \`${key}\``;
    return `${said} waits by its own repository's rule: ${waitsFor({ sha: headSha, given: [], ...waits })}${where}.`;
  });
  const until = earliest(...waiting.map(({ waits }) => waits.until));
  return { message: words.join(" "), ...(until === undefined ? {} : { until }) };
}
