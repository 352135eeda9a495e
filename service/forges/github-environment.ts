/** The protection rules of an environment: who may let something into it, and how long it waits. */
import { z } from "zod";
import { parseAnswer, unlessUnreachable } from "./answers.ts";
import type { GithubClient } from "./github-client.ts";
import type { EnvironmentRead } from "./reviews.ts";

const PAGE_SIZE = 100;
const MOST_PAGES = 10;

const user = z.object({ login: z.string().min(1) });
const reviewer = z.union([
  z.object({ type: z.literal("User"), reviewer: user }),
  z.object({ type: z.literal("Team"), reviewer: z.object({ slug: z.string().min(1) }) }),
]);
/** Rules of other kinds (`branch_policy`, those of Apps) say nothing about people or time. */
const rule = z.union([
  z.object({ type: z.literal("wait_timer"), wait_timer: z.int().nonnegative() }),
  z.object({
    type: z.literal("required_reviewers"),
    prevent_self_review: z.boolean().default(false),
    reviewers: z.array(reviewer),
  }),
  z.object({ type: z.string().refine((type) => type !== "wait_timer" && type !== "required_reviewers") }),
]);
const environment = z.object({ protection_rules: z.array(rule).default([]) });

/**
 * Costs nothing of the limit while it stays the same. Source: REST API, "Get an environment" (the App needs Actions:
 * read) and "List team members" (Members: read of the organisation).
 */
export function githubEnvironment(
  { client }: { readonly client: Pick<GithubClient, "get"> },
  repository: string,
  name: string,
): Promise<EnvironmentRead> {
  return unlessUnreachable(async () => {
    const action = `reading the environment "${name}" of "${repository}"`;
    const path = `/environments/${encodeURIComponent(name)}`;
    const { status, data } = await client.get({ repository, path, action, statuses: [403, 404] });
    if (status !== 200) {
      const why = status === 404 ? "there is none, or it may not be read" : "it may not be read";
      return { kind: "unreachable", message: `${action}: ${why} (an App needs the permission Actions: read)` };
    }
    const { protection_rules: rules } = parseAnswer(environment, data, { action, server: "GitHub" });
    let [waitSeconds, own]: [number, boolean] = [0, true];
    let reviewers: Set<string> | undefined;
    for (const one of rules) {
      if ("wait_timer" in one) waitSeconds = Math.max(waitSeconds, one.wait_timer * 60);
      if (!("reviewers" in one)) continue;
      own = own && !one.prevent_self_review;
      reviewers ??= new Set();
      for (const asked of one.reviewers) {
        if (asked.type === "User") reviewers.add(`@${asked.reviewer.login}`);
        else
          for (const login of await membersOf({ client }, repository, asked.reviewer.slug)) reviewers.add(`@${login}`);
      }
    }
    return { kind: "found", rule: { own, waitSeconds, ...(reviewers ? { reviewers: [...reviewers] } : {}) } };
  });
}

/** Those of teams below it, too. An environment has teams of the repository's own organisation only. */
async function membersOf(
  { client }: { readonly client: Pick<GithubClient, "get"> },
  repository: string,
  slug: string,
): Promise<readonly string[]> {
  const [organisation = ""] = repository.split("/");
  const members: string[] = [];
  for (let page = 1; page <= MOST_PAGES; page++) {
    const action = `reading the members of the team "${slug}", page ${page} (an App needs the permission Members: read)`;
    const of = `/orgs/${encodeURIComponent(organisation)}/teams/${encodeURIComponent(slug)}/members`;
    const path = `${of}?per_page=${PAGE_SIZE}&page=${page}`;
    const { data } = await client.get({ repository, path, whole: true, action });
    const found = parseAnswer(z.array(user), data, { action, server: "GitHub" });
    members.push(...found.map(({ login }) => login));
    if (found.length < PAGE_SIZE) break;
  }
  return members;
}
