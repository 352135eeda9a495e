/** Comments on a pull request as GitHub shows them, and reactions to them. */
import { z } from "zod";
import { parseAnswer, unlessUnreachable } from "./answers.ts";
import { commentsRead } from "./comments-read.ts";
import type { ForgeCommands, PullRequestComment } from "./forge.ts";
import { type GithubClient, REFUSED } from "./github-client.ts";
import type { Trust } from "./github-trust.ts";
import { MARKER_START } from "./marker.ts";

const PAGE_SIZE = 100;
/** In one look; the next one goes on behind them. */
const MOST_PAGES = 5;

const comments = z.array(
  z.object({
    id: z.int().positive(),
    body: z.string().nullish(),
    user: z.object({ login: z.string(), type: z.string() }).nullable(),
    created_at: z.iso.datetime({ offset: true }).transform((time) => new Date(time).toISOString()),
    author_association: z.string().optional(),
  }),
);
type Comment = z.infer<typeof comments>[number];

/** Source: REST API, "Reactions": the same reaction given again is an answer, not an error. */
const REACTIONS = { done: "+1", confused: "confused", refused: "-1" } as const;

/**
 * Source: REST API, "List issue comments": by rising id, `since` means changed since, so that what was
 * made since is among them.
 */
export function githubCommands({ client, mayWrite }: { client: GithubClient; mayWrite: Trust }): ForgeCommands {
  const readPage = async (repository: string, number: number, page: string) => {
    const path = `/issues/${number}/comments?${page}`;
    const action = `reading the comments on pull request ${number} of "${repository}"`;
    const { data } = await client.get({ repository, path, action });
    return parseAnswer(comments, data, { action, server: "GitHub" });
  };

  return {
    comments: ({ path: repository }, number, { since, after }) =>
      unlessUnreachable(async () => {
        const found: Comment[] = [];
        for (let page = 1; page <= MOST_PAGES; page++) {
          const query = new URLSearchParams({ since, per_page: String(PAGE_SIZE), page: String(page) });
          const shown = await readPage(repository, number, String(query));
          found.push(...shown.filter(({ id, created_at: at }) => id > after && at >= since));
          if (shown.length < PAGE_SIZE) return commentsRead(found, { isPersons, present });
        }
        return commentsRead(found, { isPersons, present, more: true });
      }),

    async mayCommand({ path: repository }, { author: login, association = "NONE" }, { certain } = { certain: false }) {
      return login !== undefined && (await mayWrite({ repository, login, association, certain }));
    },

    async acknowledge({ path: repository }, { id }, outcome) {
      await client.call({
        repository,
        method: "POST",
        path: `/issues/comments/${id}/reactions`,
        body: { content: REACTIONS[outcome] },
        urgent: true,
        action: `reacting to comment ${id} of "${repository}"`,
        statuses: REFUSED,
      });
    },
  };
}

/** With a token our own comments are its owner's, who may give commands all the same: the marker tells. */
function isPersons({ user, body }: Comment): boolean {
  const isBot = user?.type === "Bot" || user?.login.endsWith("[bot]");
  return !isBot && !body?.startsWith(MARKER_START);
}

function present({
  id,
  body,
  user,
  created_at: createdAt,
  author_association: association,
}: Comment): PullRequestComment {
  return { id, author: user?.login, createdAt, body: body ?? "", ...(association ? { association } : {}) };
}
