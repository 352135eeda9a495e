/** Notes on a merge request as GitLab shows them, and emoji under them. */
import { z } from "zod";
import { parseAnswer, unlessUnreachable } from "./answers.ts";
import { commentsRead } from "./comments-read.ts";
import type { ForgeCommands, PullRequestComment } from "./forge.ts";
import { type GitlabClient, gitlabUser, nextPage, REFUSED } from "./gitlab-client.ts";
import { isBot } from "./gitlab-merge-request.ts";
import type { GitlabTrust } from "./gitlab-trust.ts";
import { MARKER_START } from "./marker.ts";
import type { RestAnswer } from "./rest-client.ts";

const PAGE_SIZE = 100;
/** Looked back through at most; a merge request with more notes since the last look is read on at the next. */
const MOST_PAGES = 20;

const notes = z.array(
  z.object({
    id: z.int().positive(),
    body: z.string(),
    system: z.boolean().default(false),
    /** GitLab docs, "Discussions API": `DiffNote` is one on a line of code. */
    type: z.string().nullish(),
    author: gitlabUser.nullish(),
    created_at: z.iso.datetime({ offset: true }).transform((time) => new Date(time).toISOString()),
  }),
);
type Note = z.infer<typeof notes>[number];

const EMOJI = { done: "thumbsup", confused: "confused", refused: "thumbsdown" } as const;

export interface GitlabCommandsDeps {
  readonly client: GitlabClient;
  readonly mayWrite: GitlabTrust;
  readonly bots: ReadonlySet<string>;
}

/** GitLab cannot be asked for notes since a time, so they are read from the newest back. */
export function gitlabCommands({ client, mayWrite, bots }: GitlabCommandsDeps): ForgeCommands {
  return {
    comments: ({ path: repository }, number, { since, after }) =>
      unlessUnreachable(async () => {
        const found: Note[] = [];
        let page: number | undefined = 1;
        while (page !== undefined && page <= MOST_PAGES) {
          const action = `reading the notes on merge request ${number} of "${repository}", page ${page}`;
          const path = `/merge_requests/${number}/notes?sort=desc&order_by=created_at&per_page=${PAGE_SIZE}&page=${page}`;
          const answer: RestAnswer = await client.call({ repository, path, action });
          const shown: readonly Note[] = parseAnswer(notes, answer.data, { action, server: "GitLab" });
          found.push(...shown);
          const isPast = shown.some(({ created_at: at }) => at < since);
          page = isPast ? undefined : nextPage(answer);
        }
        const news = found.filter(({ id, created_at: at }) => id > after && at >= since);
        const isPersons = ({ author, body, system, type }: Note) =>
          !system && type !== "DiffNote" && !isBot(author?.username, bots) && !body.startsWith(MARKER_START);
        return commentsRead(news, { isPersons, present });
      }),

    async mayCommand({ path: repository }, { author: login }) {
      return login !== undefined && (await mayWrite({ repository, login }));
    },

    async acknowledge({ path: repository }, { number, id }, outcome) {
      await client.call({
        repository,
        method: "POST",
        path: `/merge_requests/${number}/notes/${id}/award_emoji`,
        body: { name: EMOJI[outcome] },
        action: `reacting to note ${id} of "${repository}"`,
        // 404 also where it bears this emoji already.
        statuses: REFUSED,
      });
    },
  };
}

function present({ id, body, author, created_at: createdAt }: Note): PullRequestComment {
  // What stands in place of a deleted account.
  const isGhost = author?.username.toLowerCase() === "ghost";
  return { id, author: isGhost ? undefined : author?.username, createdAt, body };
}
