/** Who wrote a commit and who pushed it: nobody of them may approve it. */
import { z } from "zod";
import type { Reviewed } from "./forge.ts";
import type { GithubClient } from "./github-client.ts";

/** Of a branch, newest first; who pushes more than that meanwhile has pushed the newest as well. */
const ACTIVITIES = 30;
/** Who commits what is done on its pages: no person. */
const PAGES = "web-flow";
/** Not there, not allowed, or a server that is older than it. */
const UNTOLD = [403, 404, 409, 422];

const person = z.object({ login: z.string() }).nullish();
const commit = z.object({ author: person, committer: person });
const activities = z.array(z.object({ after: z.string(), actor: person }));

/**
 * Its author and committer are what the commit says by their e-mail addresses; who pushed it is what GitHub saw
 * (REST API, "List repository activities"), and is not told of a branch in a fork. Rejects when GitHub does not answer.
 */
export async function githubMakers(
  client: Pick<GithubClient, "get">,
  repository: string,
  { number, headSha, headRef, fork }: Reviewed,
): Promise<readonly string[]> {
  const action = `reading who made the head of pull request ${number} of "${repository}"`;
  const read = async (path: string) => {
    const { status, data } = await client.get({ repository, path, action, statuses: UNTOLD });
    return status === 200 ? data : undefined;
  };
  const ref = encodeURIComponent(`refs/heads/${headRef}`);
  const [wrote, pushed] = await Promise.all([
    read(`/commits/${headSha}`),
    fork ? undefined : read(`/activity?ref=${ref}&per_page=${ACTIVITIES}`),
  ]);
  const { author, committer } = commit.safeParse(wrote).data ?? {};
  const pushes = (activities.safeParse(pushed).data ?? []).filter(({ after }) => after === headSha);
  const found = [author, committer, ...pushes.map(({ actor }) => actor)].flatMap((one) => one?.login ?? []);
  return [...new Set(found)].filter((login) => login !== PAGES);
}
