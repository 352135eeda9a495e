import { z } from "zod";
import { parseAnswer } from "./answers.ts";
import type { ForgeFinding, RepositoryRef } from "./forge.ts";
import type { GiteaClient } from "./gitea-client.ts";
import { giteaHook } from "./gitea-hook.ts";
import type { HookPlace } from "./hook-place.ts";
import { findingsOf, versionFinding } from "./rest-check.ts";
import { checkHook } from "./rest-hook.ts";

/** Gitea 1.20, and Forgejo that answers as it or newer: what is older lacks parts of the API. */
const OLDEST = [1, 20] as const;

const repositoryAnswer = z.object({
  default_branch: z.string(),
  permissions: z.object({ admin: z.boolean(), push: z.boolean() }).partial().optional(),
});

/** What `doctor` tells: server, repository, what the token may do there, and the webhook. */
export async function checkGitea(
  { client }: { readonly client: GiteaClient },
  { path: repository }: RepositoryRef,
  place: HookPlace,
): Promise<readonly ForgeFinding[]> {
  return findingsOf(repository, async () => {
    const version = await client.version();
    const action = `reading repository "${repository}"`;
    const { data } = await client.call({ repository, path: "", action });
    const found = parseAnswer(repositoryAnswer, data, { action, server: "Gitea" });
    const reached = `repository "${repository}" is reachable, default branch "${found.default_branch}"`;
    return [
      serverFinding(version, place.serverUrl),
      { ok: true, what: reached },
      tokenFinding(repository, found),
      await loginFinding(client),
      await checkHook({ client, ways: giteaHook }, repository, place),
    ];
  });
}

/** `11.0.3+gitea-1.22.0` is Forgejo's way. */
function serverFinding(version: string, url: string): ForgeFinding {
  const [, forgejo, gitea = version] = /^(.*)\+gitea-(.*)$/.exec(version) ?? [];
  const what = forgejo === undefined ? `${url} is Gitea ${version}` : `${url} is Forgejo ${forgejo}`;
  return versionFinding({ what, name: "Gitea", version: gitea, oldest: OLDEST });
}

function tokenFinding(repository: string, { permissions }: z.infer<typeof repositoryAnswer>): ForgeFinding {
  if (permissions?.push === false) {
    const what = `the token may not write commit statuses in "${repository}"`;
    return { ok: false, what, remedy: "give its account write access, or better make it an administrator" };
  }
  if (permissions?.admin !== false) return { ok: true, what: `the token may do all that is needed in "${repository}"` };
  return {
    ok: true,
    what: `the token may not ask who may write to "${repository}": who can be assigned there counts as likely to`,
    remedy: "make its account an administrator of the repository; approvals count from its owner alone until then",
  };
}

async function loginFinding(client: GiteaClient): Promise<ForgeFinding> {
  const login = await client.login();
  if (login !== undefined) return { ok: true, what: `comments are written as "${login}"` };
  const what = "the token may not read whose it is, so that a comment may be written twice after a crash";
  return { ok: false, what, remedy: "give it the scope read:user" };
}
