import { z } from "zod";
import { parseAnswer, unlessUnreachable } from "./answers.ts";
import type { Reviewed } from "./forge.ts";
import type { GiteaClient } from "./gitea-client.ts";
import { PAGE_SIZE } from "./gitea-files.ts";
import { giteaMakers } from "./gitea-makers.ts";
import { giteaUser, isBot, isPerson } from "./gitea-pull.ts";
import type { GiteaTrust } from "./gitea-trust.ts";
import { approvalsOf, type ReviewSeen, type ReviewsRead, reviewSeen } from "./reviews.ts";

/** Whoever reviews more often than that has to say it in a comment. */
const MOST_REVIEWS = 1_000;

const VERDICTS: Readonly<Record<string, ReviewSeen["verdict"]>> = {
  APPROVED: "approved",
  REQUEST_CHANGES: "refused",
};

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
  { number, headSha }: Reviewed,
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
    const approvals = await approvalsOf(people.flatMap(seen), headSha, (login) =>
      mayWrite({ repository, login, certain: true }),
    );
    return { kind: "found", approvals, madeBy: await giteaMakers(client, repository, { number, headSha }) };
  });
}

function seen({ user, state, dismissed, commit_id: sha, submitted_at: at }: Found): readonly ReviewSeen[] {
  const said = VERDICTS[state];
  const login = isPerson(user) ? user.login : undefined;
  return reviewSeen({ login, verdict: said && dismissed ? "dismissed" : said, sha, at });
}
