import { z } from "zod";
import { parseAnswer, unlessUnreachable } from "./answers.ts";
import type { Reviewed } from "./forge.ts";
import type { GithubClient } from "./github-client.ts";
import { githubMakers } from "./github-makers.ts";
import type { Trust } from "./github-trust.ts";
import { approvalsOf, type ReviewSeen, type ReviewsRead, reviewSeen } from "./reviews.ts";

const PAGE_SIZE = 100;
/** Whoever reviews more often than that has to say it in a comment. */
const MOST_PAGES = 10;

const VERDICTS: Readonly<Record<string, ReviewSeen["verdict"]>> = {
  APPROVED: "approved",
  CHANGES_REQUESTED: "refused",
  DISMISSED: "dismissed",
};

const reviews = z.array(
  z.object({
    user: z.object({ login: z.string(), type: z.string() }).nullable(),
    state: z.string(),
    commit_id: z.string().nullish(),
    submitted_at: z.string().nullish(),
    author_association: z.string().default("NONE"),
  }),
);
type Found = z.infer<typeof reviews>[number];

/**
 * Approving reviews of the head by people who may write. "The list of reviews returns in chronological order": REST API,
 * "List reviews for a pull request"; one that was dismissed has that as its state. Bots are no people.
 */
export function githubApprovals(
  { client, mayWrite }: { readonly client: Pick<GithubClient, "get">; readonly mayWrite: Trust },
  repository: string,
  pullRequest: Reviewed,
): Promise<ReviewsRead> {
  const { number, headSha } = pullRequest;
  return unlessUnreachable(async () => {
    const found: Found[] = [];
    for (let page = 1; ; page++) {
      const action = `listing the reviews of pull request ${number} of "${repository}", page ${page}`;
      if (page > MOST_PAGES) return { kind: "unreachable", message: `${action}: there are too many` };
      const path = `/pulls/${number}/reviews?per_page=${PAGE_SIZE}&page=${page}`;
      const { data } = await client.get({ repository, path, action });
      const list = parseAnswer(reviews, data, { action, server: "GitHub" });
      found.push(...list);
      if (list.length < PAGE_SIZE) break;
    }
    const associations = new Map(found.map(({ user, author_association: one }) => [user?.login, one]));
    const approvals = await approvalsOf(found.flatMap(seen), headSha, (login) =>
      mayWrite({ repository, login, association: associations.get(login) ?? "NONE", certain: true }),
    );
    return { kind: "found", approvals, madeBy: await githubMakers(client, repository, pullRequest) };
  });
}

function seen({ user, state, commit_id: sha, submitted_at: at }: Found): readonly ReviewSeen[] {
  const login = user?.type === "Bot" ? undefined : user?.login;
  return reviewSeen({ login, verdict: VERDICTS[state], sha, at });
}
