import { z } from "zod";
import type { GithubPart } from "./github-announce.ts";
import { type GithubClient, REFUSED } from "./github-client.ts";
import { type CommentPlace, writeStickyComment } from "./sticky-comment.ts";

const PAGE_SIZE = 100;
const MOST_PAGES = 30;

const comment = z.object({
  id: z.number(),
  body: z.string().nullish(),
  user: z.object({ login: z.string(), type: z.string() }).nullable(),
});

/** The sticky comment; see `writeStickyComment`. */
export const announceComment: GithubPart = ({ client }, { repository, number, announcement, handles }) => {
  const action = `writing the comment on pull request ${number} of "${repository}"`;
  const place: CommentPlace = {
    find: (marker) => findComment({ client }, { repository, number, marker }),
    async edit(id, body) {
      const path = `/issues/comments/${id}`;
      const edited = await client.call({
        repository,
        method: "PATCH",
        path,
        body: { body },
        action,
        statuses: [404, 410],
      });
      return edited.status === 200;
    },
    async make(body) {
      const path = `/issues/${number}/comments`;
      const made = await client.call({ repository, method: "POST", path, body: { body }, action, statuses: REFUSED });
      if (made.status !== 201) return { refused: made.status };
      return { id: String(z.object({ id: z.number() }).parse(made.data).id) };
    },
  };
  return writeStickyComment(place, { announcement, handles });
};

/** Only a comment of our own counts: anybody can write the marker. */
async function findComment(
  { client }: { client: GithubClient },
  { repository, number, marker }: { repository: string; number: number; marker: string },
): Promise<string | undefined> {
  const login = await client.login();
  for (let page = 1; page <= MOST_PAGES; page++) {
    const { data } = await client.call({
      repository,
      path: `/issues/${number}/comments?per_page=${PAGE_SIZE}&page=${page}`,
      action: `reading the comments on pull request ${number} of "${repository}"`,
    });
    const comments = z.array(comment).parse(data);
    const isOurs = ({ user }: z.infer<typeof comment>) =>
      login === undefined ? user?.type === "Bot" : user?.login === login;
    const found = comments.find((candidate) => isOurs(candidate) && candidate.body?.startsWith(marker));
    if (found) return String(found.id);
    if (comments.length < PAGE_SIZE) return undefined;
  }
  return undefined;
}
