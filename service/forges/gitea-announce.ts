/** Says on Gitea what became of a preview: one comment and a commit status. There are no check runs and no deployments. */
import { z } from "zod";
import { type AnnounceInput, type AnnouncePart, announceParts } from "./announce-parts.ts";
import { parseAnswer } from "./answers.ts";
import { statusName, statusState, writeStatus } from "./commit-status.ts";
import type { AnnouncementHandles } from "./forge.ts";
import { type GiteaClient, REFUSED } from "./gitea-client.ts";
import { type CommentPlace, writeStickyComment } from "./sticky-comment.ts";

type Deps = { readonly client: GiteaClient };
type GiteaPart = AnnouncePart<Deps>;

const made = z.object({ id: z.int().positive() });
const comments = z.array(made.extend({ body: z.string().nullish(), user: z.object({ login: z.string() }).nullish() }));

/** Announces everything that changed; see `announceParts`. */
export function announceOnGitea(deps: Deps, input: AnnounceInput): Promise<AnnouncementHandles> {
  return announceParts({ parts: [announceComment, announceStatus], server: "Gitea" }, deps, input);
}

/** The same for a stage's commit, which has no pull request. */
export function announceStageOnGitea(deps: Deps, input: Omit<AnnounceInput, "number">): Promise<AnnouncementHandles> {
  return announceParts({ parts: [announceStatus], server: "Gitea" }, deps, { ...input, number: 0 });
}

const announceComment: GiteaPart = ({ client }, { repository, number, announcement, handles }) => {
  const action = `writing the comment on pull request ${number} of "${repository}"`;
  const place: CommentPlace = {
    async find(marker) {
      // Who we are is asked first: without it no comment is known for ours.
      const login = await client.login();
      if (login === undefined) return undefined;
      const path = `/issues/${number}/comments`;
      const reading = `reading the comments on pull request ${number} of "${repository}"`;
      const { data } = await client.call({ repository, path, action: reading });
      const shown = parseAnswer(comments, data, { action: reading, server: "Gitea" });
      const ours = shown.find(({ user, body }) => user?.login === login && body?.startsWith(marker));
      return ours && String(ours.id);
    },
    async edit(id, body) {
      const path = `/issues/comments/${id}`;
      // 403: of somebody else, whose token the service had before.
      const statuses = [403, 404, 410];
      const edited = await client.call({ repository, method: "PATCH", path, body: { body }, action, statuses });
      return edited.status === 200;
    },
    async make(body) {
      const path = `/issues/${number}/comments`;
      const { status, data } = await client.call({
        repository,
        method: "POST",
        path,
        body: { body },
        action,
        statuses: REFUSED,
      });
      if (status !== 201) return { refused: status };
      return { id: String(parseAnswer(made, data, { action, server: "Gitea" }).id) };
    },
  };
  return writeStickyComment(place, { announcement, handles });
};

const announceStatus: GiteaPart = ({ client }, input) =>
  writeStatus({ client, refused: REFUSED }, input, {
    context: statusName(input),
    state: statusState(input.announcement),
  });
