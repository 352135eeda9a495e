/** A merge request as GitLab shows it, in the words of the port: a pull request. */
import { z } from "zod";
import { commitSha } from "./contents.ts";
import type { PullRequest } from "./forge.ts";
import { gitlabUser } from "./gitlab-client.ts";
import type { GitlabTrust } from "./gitlab-trust.ts";
import { readPreviewWith } from "./preview-with.ts";

const time = z.iso.datetime({ offset: true });

export const mergeRequest = z.object({
  iid: z.int().positive(),
  title: z.string(),
  description: z.string().nullish(),
  state: z.enum(["opened", "closed", "merged", "locked"]),
  draft: z.boolean().default(false),
  author: gitlabUser.nullish(),
  labels: z.array(z.string()).default([]),
  sha: commitSha,
  source_branch: z.string().min(1),
  target_branch: z.string().min(1),
  /** Null once the fork is gone. */
  source_project_id: z.int().nullable(),
  target_project_id: z.int().positive(),
  diff_refs: z.object({ base_sha: commitSha.nullish() }).nullish(),
  /** `"1000+"` where there are more than GitLab shows. */
  changes_count: z.string().nullish(),
  user_notes_count: z.int().nonnegative().default(0),
  web_url: z.string(),
  created_at: time,
  updated_at: time,
  merged_at: time.nullish(),
});
export type MergeRequest = z.infer<typeof mergeRequest>;

export interface PresentDeps {
  readonly mayWrite: GitlabTrust;
  /** Lower case; beside those whose names GitLab itself gives to machines. */
  readonly bots: ReadonlySet<string>;
}

export async function presentMergeRequest(
  found: MergeRequest,
  { repository, mayWrite, bots }: PresentDeps & { readonly repository: string },
): Promise<PullRequest> {
  const { author, diff_refs: refs } = found;
  const baseSha = refs?.base_sha ?? undefined;
  const project = found.web_url.replace(/\/-\/merge_requests\/\d+$/, "");
  return {
    number: found.iid,
    title: found.title,
    // `locked` is for the moment of the merge.
    state: found.state === "opened" || found.state === "locked" ? "open" : "closed",
    merged: found.state === "merged",
    draft: found.draft,
    author: author?.username ?? "ghost",
    fork: found.source_project_id !== found.target_project_id,
    trustedAuthor: author ? await mayWrite({ repository, login: author.username }) : false,
    bot: isBot(author?.username, bots),
    labels: found.labels,
    ...readPreviewWith(found.description),
    headSha: found.sha,
    headRef: found.source_branch,
    baseRef: found.target_branch,
    ...(baseSha === undefined ? {} : { baseSha }),
    repositoryId: String(found.target_project_id),
    url: found.web_url,
    commitUrl: `${project}/-/commit/{sha}`,
    reviewUrl: `${found.web_url}/diffs?commit_id={sha}`,
    createdAt: new Date(found.created_at).toISOString(),
    updatedAt: new Date(found.updated_at).toISOString(),
    ...(found.state === "merged" && found.merged_at ? { mergedAt: new Date(found.merged_at).toISOString() } : {}),
  };
}

/** Tokens of projects and groups, service accounts, and GitLab's own; or one that the operator names. */
export function isBot(username: string | undefined, bots: ReadonlySet<string>): boolean {
  if (username === undefined) return false;
  const name = username.toLowerCase();
  return bots.has(name) || /^(?:project|group)_\d+_bot(?:_|$)|^service_account_|-bot$|^gitlab-/.test(name);
}
