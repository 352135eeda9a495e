/** A pull request as Gitea and Forgejo show it. */
import { z } from "zod";
import { commitSha } from "./contents.ts";
import type { PullRequest } from "./forge.ts";
import type { GiteaTrust } from "./gitea-trust.ts";
import { readPreviewWith } from "./preview-with.ts";

export const giteaUser = z.object({ id: z.int(), login: z.string() });
type User = z.infer<typeof giteaUser>;

const branch = z.object({
  ref: z.string().min(1),
  sha: commitSha,
  repo_id: z.int(),
});

export const giteaPull = z.object({
  number: z.int().positive(),
  title: z.string(),
  body: z.string().nullish(),
  state: z.enum(["open", "closed"]),
  draft: z.boolean().optional(),
  merged: z.boolean(),
  user: giteaUser.nullish(),
  labels: z.array(z.object({ name: z.string() })).nullish(),
  head: branch,
  base: branch.extend({
    sha: z.union([commitSha, z.literal("")]),
    repo: z.object({ id: z.int().positive(), html_url: z.string() }),
  }),
  merge_base: z.string().default(""),
  changed_files: z.int().nonnegative().nullish(),
  comments: z.int().nonnegative().default(0),
  html_url: z.string(),
  created_at: z.iso.datetime({ offset: true }),
  updated_at: z.iso.datetime({ offset: true }),
  merged_at: z.iso.datetime({ offset: true }).nullish(),
});
export type GiteaPull = z.infer<typeof giteaPull>;

/** By which a server that was left as it comes knows a draft (`[repository.pull-request]`); older ones say no more. */
const WORK_IN_PROGRESS = /^(wip:|\[wip\])/i;

export interface PresentDeps {
  readonly mayWrite: GiteaTrust;
  /** Logins of machine users, which Gitea does not mark. */
  readonly bots: ReadonlySet<string>;
}

export async function presentPull(
  found: GiteaPull,
  { repository, mayWrite, bots }: PresentDeps & { readonly repository: string },
): Promise<PullRequest> {
  const { user, head, base } = found;
  const baseSha = found.merge_base || base.sha;
  return {
    number: found.number,
    title: found.title,
    state: found.state,
    merged: found.merged,
    draft: found.draft ?? WORK_IN_PROGRESS.test(found.title),
    author: isPerson(user) ? user.login : "ghost",
    // -1 when the head's repository is no more.
    fork: head.repo_id !== base.repo_id,
    trustedAuthor: isPerson(user) && (await mayWrite({ repository, login: user.login })),
    bot: isBot(user, bots),
    labels: (found.labels ?? []).map((label) => label.name),
    ...readPreviewWith(found.body),
    headSha: head.sha,
    headRef: head.ref,
    baseRef: base.ref,
    ...(baseSha === "" ? {} : { baseSha }),
    repositoryId: String(base.repo.id),
    url: found.html_url,
    commitUrl: `${base.repo.html_url}/commit/{sha}`,
    reviewUrl: `${found.html_url}/commits/{sha}`,
    createdAt: new Date(found.created_at).toISOString(),
    updatedAt: withCount(found.updated_at, found.comments),
    ...(found.merged && found.merged_at ? { mergedAt: new Date(found.merged_at).toISOString() } : {}),
  };
}

/** Accounts that the server itself made (`Ghost`, `gitea-actions`) have ids below 1. */
export function isPerson(user: User | null | undefined): user is User {
  return user !== null && user !== undefined && user.id > 0;
}

export function isBot(user: User | null | undefined, bots: ReadonlySet<string>): boolean {
  if (user === null || user === undefined) return false;
  return user.id < -1 || user.login.endsWith("[bot]") || bots.has(user.login.toLowerCase());
}

/**
 * Gitea's times are whole seconds. The number of comments stands for the rest, so that the resync sees a
 * second comment of the same second.
 */
function withCount(time: string, comments: number): string {
  const at = new Date(time);
  at.setUTCMilliseconds(comments % 1000);
  return at.toISOString();
}
