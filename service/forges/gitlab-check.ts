import { z } from "zod";
import { parseAnswer } from "./answers.ts";
import type { ForgeFinding, RepositoryRef } from "./forge.ts";
import type { GitlabClient } from "./gitlab-client.ts";
import { gitlabHook } from "./gitlab-hook.ts";
import type { HookPlace } from "./hook-place.ts";
import { findingsOf, versionFinding } from "./rest-check.ts";
import { checkHook } from "./rest-hook.ts";

/** Since then files of a merge request come in pages (docs, "Merge requests API"). */
const OLDEST = [15, 7] as const;
const DEVELOPER = 30;

const access = z.object({ access_level: z.int() }).nullish();
const projectAnswer = z.object({
  default_branch: z.string().nullish(),
  permissions: z.object({ project_access: access, group_access: access }).nullish(),
});

/** What `doctor` tells: server, project, what the token may do there, and the webhook. */
export async function checkGitlab(
  { client }: { readonly client: GitlabClient },
  { path: repository }: RepositoryRef,
  place: HookPlace,
): Promise<readonly ForgeFinding[]> {
  return findingsOf(repository, async () => {
    const version = await client.version();
    const action = `reading repository "${repository}"`;
    const { data } = await client.call({ repository, path: "", action });
    const found = parseAnswer(projectAnswer, data, { action, server: "GitLab" });
    const reached = `repository "${repository}" is reachable, default branch "${found.default_branch ?? "(none)"}"`;
    return [
      serverFinding(version, place.serverUrl),
      { ok: true, what: reached },
      tokenFinding(repository, found),
      await accountFinding(client),
      await checkHook({ client, ways: gitlabHook }, repository, place),
    ];
  });
}

function serverFinding(version: string, url: string): ForgeFinding {
  const what = `${url} is GitLab ${version}`;
  return versionFinding({ what, name: "GitLab", version, oldest: OLDEST });
}

function tokenFinding(repository: string, { permissions }: z.infer<typeof projectAnswer>): ForgeFinding {
  const levels = [permissions?.project_access?.access_level, permissions?.group_access?.access_level];
  const level = Math.max(0, ...levels.map((one) => one ?? 0));
  // A token of an administrator has no level of its own.
  if (!permissions || level >= DEVELOPER || level === 0) {
    return { ok: true, what: `the token may do what is needed in "${repository}"` };
  }
  const what = `the token may not write commit statuses in "${repository}"`;
  return { ok: false, what, remedy: "give its account the role Developer at least, or Maintainer to make the webhook" };
}

async function accountFinding(client: GitlabClient): Promise<ForgeFinding> {
  const me = await client.me();
  if (me) return { ok: true, what: `notes are written as "${me.username}"` };
  const what = "the token may not read whose it is, so that a note may be written twice after a crash";
  return { ok: false, what, remedy: "give it the scope api" };
}
