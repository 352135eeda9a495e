import { z } from "zod";
import { StacklingError } from "../../components/errors.ts";
import type { Forge, RepositoryRef } from "./forge.ts";
import type { GithubClient } from "./github-client.ts";

type Findings = Awaited<ReturnType<NonNullable<Forge["check"]>>>;

const repositoryAnswer = z.object({
  default_branch: z.string(),
  permissions: z.object({ push: z.boolean() }).partial().optional(),
});

/** What `doctor` tells: whether the repository can be reached and what the credential may do there. */
export async function checkGithub(
  { client }: { client: GithubClient },
  { path: repository }: RepositoryRef,
): Promise<Findings> {
  try {
    const { data } = await client.call({ repository, path: "", action: `reading repository "${repository}"` });
    const found = repositoryAnswer.parse(data);
    const reached = {
      ok: true,
      what: `repository "${repository}" is reachable, default branch "${found.default_branch}"`,
    };
    const permissions = await client.permissions(repository);
    return permissions ? [reached, ...checkApp(permissions)] : [reached, checkToken(found)];
  } catch (error) {
    const what = error instanceof StacklingError ? error.userMessage : `reading repository "${repository}" failed`;
    return [{ ok: false, what, remedy: "check the path, the credential and that the App is installed there" }];
  }
}

function checkApp(granted: Readonly<Record<string, string>>): Findings {
  const needed = { contents: "read", pull_requests: "write", checks: "write", deployments: "write" };
  return Object.entries(needed).map(([permission, level]) => {
    const ok = granted[permission] === "write" || granted[permission] === level;
    const what = `App permission "${permission}": ${level}`;
    return ok
      ? { ok, what }
      : { ok, what, remedy: `grant it in the App's settings and accept it for the installation` };
  });
}

function checkToken({ permissions }: z.infer<typeof repositoryAnswer>): Findings[number] {
  const what = "the token may write comments, statuses and deployments";
  if (permissions?.push !== false) return { ok: true, what };
  return { ok: false, what, remedy: "use a token of someone with write access" };
}
