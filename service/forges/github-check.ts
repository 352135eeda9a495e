import { z } from "zod";
import { StacklingError } from "../../components/errors.ts";
import type { ForgeFinding, RepositoryRef } from "./forge.ts";
import { APP_PERMISSIONS } from "./github-app.ts";
import type { GithubClient } from "./github-client.ts";
import type { GithubLimit } from "./github-limit.ts";

type Findings = readonly ForgeFinding[];

const repositoryAnswer = z.object({
  default_branch: z.string(),
  permissions: z.object({ push: z.boolean() }).partial().optional(),
});

interface Wanted {
  /** Type of the event that is sent; undefined: none. */
  readonly readyEvent?: string;
}

/** What `doctor` tells: whether the repository can be reached and what the credential may do there. */
export async function checkGithub(
  { client }: { client: GithubClient },
  { path: repository }: RepositoryRef,
  { readyEvent }: Wanted,
): Promise<Findings> {
  try {
    const { data } = await client.call({ repository, path: "", action: `reading repository "${repository}"` });
    const found = repositoryAnswer.parse(data);
    const reached = {
      ok: true,
      what: `repository "${repository}" is reachable, default branch "${found.default_branch}"`,
    };
    const permissions = await client.permissions(repository);
    return permissions ? [reached, ...checkApp(permissions, readyEvent)] : [reached, checkToken(found)];
  } catch (error) {
    const what = error instanceof StacklingError ? error.userMessage : `reading repository "${repository}" failed`;
    return [{ ok: false, what, remedy: "check the path, the credential and that the App is installed there" }];
  }
}

/** What holds for all repositories: whether GitHub calls, and what is left of its limits. */
export async function checkConnection(
  { client }: { client: GithubClient },
  { webhookSecrets }: { readonly webhookSecrets: () => Promise<readonly string[]> },
): Promise<Findings> {
  const isCalled = (await webhookSecrets()).length > 0;
  const limits = await client.limits().catch((error: unknown) => error);
  if (limits instanceof StacklingError) {
    return [{ ok: false, what: limits.userMessage, remedy: "open the page that it names, or write `app` or `token`" }];
  }
  return [...(isCalled ? [] : [POLLING]), ...(Array.isArray(limits) ? limits.map(limitFinding) : [])];
}

/** No fault: it works, only later. */
const POLLING: ForgeFinding = {
  ok: true,
  what: "GitHub sends no webhooks: polling only, so that a push is seen when `lifecycle.resync` comes round",
  remedy: "with a public address (`url`), make a webhook and name its secret in `webhookSecrets`: see docs/github.md",
};

const FEW_LEFT = 0.1;

function limitFinding({ who, requests, writes }: GithubLimit): ForgeFinding {
  const written = `${writes} of 500 writes in the last hour by this process`;
  if (!requests) return { ok: true, what: `GitHub, ${who}: its limit is not told; ${written}` };
  const { limit, remaining, resetsAt } = requests;
  const what = `GitHub, ${who}: ${remaining} of ${limit} requests are left until ${resetsAt.slice(11, 16)} UTC; ${written}`;
  if (remaining >= limit * FEW_LEFT) return { ok: true, what };
  return { ok: false, what, remedy: "see what else uses this credential, or raise `lifecycle.resync`" };
}

function checkApp(granted: Readonly<Record<string, string>>, readyEvent: string | undefined): Findings {
  const needed = { ...APP_PERMISSIONS, ...(readyEvent === undefined ? {} : { contents: "write" }) };
  return Object.entries(needed).map(([permission, level]) => {
    const ok = granted[permission] === "write" || granted[permission] === level;
    const what = `App permission "${permission}": ${level}`;
    return ok
      ? { ok, what }
      : { ok, what, remedy: `grant it in the App's settings and accept it for the installation` };
  });
}

function checkToken({ permissions }: z.infer<typeof repositoryAnswer>): ForgeFinding {
  const what = "the token may write comments, statuses and deployments";
  if (permissions?.push !== false) return { ok: true, what };
  return { ok: false, what, remedy: "use a token of someone with write access" };
}
