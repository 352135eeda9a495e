/** Who wrote a commit, as its e-mail addresses say: nobody of them may approve it. Who pushed it Gitea does not tell. */
import { z } from "zod";
import type { Reviewed } from "./forge.ts";
import type { GiteaClient } from "./gitea-client.ts";

const person = z.object({ login: z.string() }).nullish();
const commit = z.object({ author: person, committer: person });

/** Rejects when the server does not answer. */
export async function giteaMakers(
  client: Pick<GiteaClient, "call">,
  repository: string,
  { number, headSha }: Pick<Reviewed, "number" | "headSha">,
): Promise<readonly string[]> {
  const action = `reading who made the head of pull request ${number} of "${repository}"`;
  const path = `/git/commits/${headSha}?stat=false&verification=false&files=false`;
  const { data } = await client.call({ repository, path, action, statuses: [404, 422] });
  const { author, committer } = commit.safeParse(data).data ?? {};
  return [...new Set([author, committer].flatMap((one) => one?.login ?? []))].filter((login) => login !== "");
}
