import { z } from "zod";
import { parseAnswer, unlessUnreachable } from "./answers.ts";
import type { PullRequest } from "./forge.ts";
import type { GiteaClient } from "./gitea-client.ts";
import { PAGE_SIZE } from "./gitea-files.ts";
import { giteaUser, isBot, isPerson } from "./gitea-pull.ts";
import type { GiteaTrust } from "./gitea-trust.ts";
import { approvalsOf, type ReviewSeen, type ReviewsRead } from "./reviews.ts";

/** Whoever reviews more often than that has to say it in a comment. */
const MOST_REVIEWS = 1_000;

const reviews = z.array(
  z.object({
    user: giteaUser.nullish(),
    state: z.string(),
    commit_id: z.string().nullish(),
    dismissed: z.boolean().default(false),
    submitted_at: z.string().nullish(),
  }),
);
type Found = z.infer<typeof reviews>[number];

export interface GiteaReviewDeps {
  readonly client: Pick<GiteaClient, "call">;
  readonly mayWrite: GiteaTrust;
  readonly bots: ReadonlySet<string>;
}

/** Approving reviews of the head, oldest first as the server lists them, by people who may write. */
export function giteaApprovals(
  { client, mayWrite, bots }: GiteaReviewDeps,
  repository: string,
  { number, headSha }: Pick<PullRequest, "number" | "headSha">,
): Promise<ReviewsRead> {
  return unlessUnreachable(async () => {
    const found: Found[] = [];
    for (let page = 1; ; page++) {
      const action = `listing the reviews of pull request ${number} of "${repository}", page ${page}`;
      if (found.length > MOST_REVIEWS) return { kind: "unreachable", message: `${action}: there are too many` };
      const path = `/pulls/${number}/reviews?limit=${PAGE_SIZE}&page=${page}`;
      const { data, total } = await client.call({ repository, path, action });
      const list = parseAnswer(reviews, data, { action, server: "Gitea" });
      found.push(...list);
      if (list.length === 0 || found.length === total) break;
    }
    const people = found.filter(({ user }) => !isBot(user, bots));
    const approvals: { login: string; at: string }[] = [];
    for (const { login, at } of approvalsOf(people.flatMap(seen), headSha)) {
      if (await mayWrite({ repository, login, certain: true })) approvals.push({ login, at });
    }
    return { kind: "found", approvals };
  });
}

/** One that only comments, is asked for or not sent yet changes nothing. */
function seen({ user, state, dismissed, commit_id: sha, submitted_at: at }: Found): readonly ReviewSeen[] {
  if (!isPerson(user) || !at || Number.isNaN(Date.parse(at))) return [];
  const verdict = state === "APPROVED" ? "approved" : state === "REQUEST_CHANGES" ? "refused" : undefined;
  if (!verdict) return [];
  const said = dismissed ? "dismissed" : verdict;
  return [{ login: user.login, verdict: said, sha: sha ?? undefined, at: new Date(at).toISOString() }];
}
