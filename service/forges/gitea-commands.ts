/** Comments on a pull request as Gitea and Forgejo show them, and reactions to them. */
import { z } from "zod";
import { parseAnswer, unlessUnreachable } from "./answers.ts";
import { commentsRead } from "./comments-read.ts";
import type { ForgeCommands, PullRequestComment } from "./forge.ts";
import { type GiteaClient, REFUSED } from "./gitea-client.ts";
import { giteaUser, isBot, isPerson } from "./gitea-pull.ts";
import type { GiteaTrust } from "./gitea-trust.ts";
import { MARKER_START } from "./marker.ts";

const comments = z.array(
  z.object({
    id: z.int().positive(),
    body: z.string().nullish(),
    user: giteaUser.nullish(),
    /** Of a comment that was brought from another forge, under the name of who brought it. */
    original_author: z.string().nullish(),
    created_at: z.iso.datetime({ offset: true }).transform((time) => new Date(time).toISOString()),
  }),
);
type Comment = z.infer<typeof comments>[number];

/** Those that every server has unless its operator chose others (`[ui] REACTIONS`), which refuses them with 403. */
const REACTIONS = { done: "+1", confused: "confused", refused: "-1" } as const;

export interface GiteaCommandsDeps {
  readonly client: GiteaClient;
  readonly mayWrite: GiteaTrust;
  readonly bots: ReadonlySet<string>;
}

/** Comments come all in one answer; `since` means changed since, so that what was made since is among them. */
export function giteaCommands({ client, mayWrite, bots }: GiteaCommandsDeps): ForgeCommands {
  return {
    comments: ({ path: repository }, number, { since, after }) =>
      unlessUnreachable(async () => {
        const action = `reading the comments on pull request ${number} of "${repository}"`;
        const path = `/issues/${number}/comments?${new URLSearchParams({ since: toSecond(since) })}`;
        const { data } = await client.call({ repository, path, action });
        const shown = parseAnswer(comments, data, { action, server: "Gitea" });
        const news = shown.filter(({ id, created_at: at }) => id > after && at >= toSecond(since));
        const isPersons = ({ user, body }: Comment) => !isBot(user, bots) && !body?.startsWith(MARKER_START);
        return commentsRead(news, { isPersons, present });
      }),

    async mayCommand({ path: repository }, { author: login }, { certain } = { certain: false }) {
      return login !== undefined && (await mayWrite({ repository, login, certain }));
    },

    async acknowledge({ path: repository }, { id }, outcome) {
      await client.call({
        repository,
        method: "POST",
        path: `/issues/comments/${id}/reactions`,
        body: { content: REACTIONS[outcome] },
        action: `reacting to comment ${id} of "${repository}"`,
        statuses: REFUSED,
      });
    },
  };
}

/** The server's times are whole seconds: what was made within the second counts as made since. */
function toSecond(time: string): string {
  const at = new Date(time);
  at.setUTCMilliseconds(0);
  return at.toISOString();
}

function present({ id, body, user, original_author: elsewhere, created_at: createdAt }: Comment): PullRequestComment {
  return { id, author: isPerson(user) && !elsewhere ? user.login : undefined, createdAt, body: body ?? "" };
}
