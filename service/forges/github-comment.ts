import { createHash } from "node:crypto";
import { z } from "zod";
import type { AnnouncePart } from "./github-announce.ts";
import { type GithubClient, REFUSED } from "./github-client.ts";
import { commentMarker } from "./marker.ts";

const PAGE_SIZE = 100;
const MOST_PAGES = 30;

const comment = z.object({
  id: z.number(),
  body: z.string().nullish(),
  user: z.object({ login: z.string(), type: z.string() }).nullable(),
});

/** The sticky comment: found by its id, else by its marker, else made. A comment deleted by a person is made again. */
export const announceComment: AnnouncePart = async ({ client }, { repository, number, announcement, handles }) => {
  const { comment: body, key } = announcement;
  if (body === undefined) return {};
  const digest = createHash("sha256").update(body).digest("hex").slice(0, 16);
  if (handles.commentDigest === digest) return {};
  const known = handles.comment ?? (await findComment({ client }, { repository, number, marker: commentMarker(key) }));
  const action = `writing the comment on pull request ${number} of "${repository}"`;
  if (known) {
    const edited = await client.call({
      repository,
      method: "PATCH",
      path: `/issues/comments/${known}`,
      body: { body },
      action,
      statuses: [404, 410],
    });
    if (edited.status === 200) return { comment: known, commentDigest: digest, commentRefused: undefined };
  }
  const made = await client.call({
    repository,
    method: "POST",
    path: `/issues/${number}/comments`,
    body: { body },
    action,
    statuses: REFUSED,
  });
  if (made.status !== 201) {
    // Locked, or no permission: said once, tried again when there is something new to say.
    return { comment: undefined, commentDigest: digest, commentRefused: String(made.status) };
  }
  const { id } = z.object({ id: z.number() }).parse(made.data);
  return { comment: String(id), commentDigest: digest, commentRefused: undefined };
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
