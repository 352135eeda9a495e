/** Says on GitLab what became of a preview: one note, a commit status, an environment with its deployments. */
import { z } from "zod";
import { HELD_BACK } from "../reasons.ts";
import { type AnnounceInput, type AnnouncePart, announceParts } from "./announce-parts.ts";
import { parseAnswer } from "./answers.ts";
import { statusName, writeStatus } from "./commit-status.ts";
import type { Announcement, AnnouncementHandles } from "./forge.ts";
import { type GitlabClient, gitlabUser, nextPage, REFUSED } from "./gitlab-client.ts";
import { announceGitlabDeployment } from "./gitlab-deployment.ts";
import type { RestAnswer } from "./rest-client.ts";
import { type CommentPlace, writeStickyComment } from "./sticky-comment.ts";

const PAGE_SIZE = 100;
const MOST_PAGES = 30;

type Deps = { readonly client: GitlabClient };
type GitlabPart = AnnouncePart<Deps>;

const made = z.object({ id: z.int().positive() });
const notes = z.array(made.extend({ body: z.string(), author: gitlabUser.nullish() }));

/** Announces everything that changed; see `announceParts`. */
export function announceOnGitlab(deps: Deps, input: AnnounceInput): Promise<AnnouncementHandles> {
  const parts = [announceNote, announceStatus, announceGitlabDeployment];
  return announceParts({ parts, server: "GitLab" }, deps, input);
}

/** The same for a stage's commit, which has no merge request. */
export function announceStageOnGitlab(deps: Deps, input: Omit<AnnounceInput, "number">): Promise<AnnouncementHandles> {
  const parts = [announceStatus, announceGitlabDeployment];
  return announceParts({ parts, server: "GitLab" }, deps, { ...input, number: 0 });
}

const announceNote: GitlabPart = ({ client }, { repository, number, announcement, handles }) => {
  const action = `writing the note on merge request ${number} of "${repository}"`;
  const at = `/merge_requests/${number}/notes`;
  const place: CommentPlace = {
    async find(marker) {
      const me = await client.me();
      if (me === undefined) return undefined;
      const reading = `reading the notes on merge request ${number} of "${repository}"`;
      let page: number | undefined = 1;
      // Ours is among the first, written when the preview is first heard of; GitLab's own words are notes too.
      while (page !== undefined && page <= MOST_PAGES) {
        const path = `${at}?sort=asc&order_by=created_at&per_page=${PAGE_SIZE}&page=${page}`;
        const answer: RestAnswer = await client.call({ repository, path, action: reading });
        const shown = parseAnswer(notes, answer.data, { action: reading, server: "GitLab" });
        const ours = shown.find(({ author, body }) => author?.id === me.id && body.startsWith(marker));
        if (ours) return String(ours.id);
        page = nextPage(answer);
      }
      return undefined;
    },
    async edit(id, body) {
      const statuses = [403, 404, 410];
      const edited = await client.call({
        repository,
        method: "PUT",
        path: `${at}/${id}`,
        body: { body },
        action,
        statuses,
      });
      return edited.status === 200;
    },
    async make(body) {
      const written = await client.call({
        repository,
        method: "POST",
        path: at,
        body: { body },
        action,
        statuses: REFUSED,
      });
      if (written.status !== 201) return { refused: written.status };
      return { id: String(parseAnswer(made, written.data, { action, server: "GitLab" }).id) };
    },
  };
  return writeStickyComment(place, { announcement, handles });
};

/** A merge waits for it where the project says that pipelines must succeed. */
const announceStatus: GitlabPart = ({ client }, input) =>
  // 400 is among what is refused, also where it stands so already: "Cannot transition status via :run from :running".
  writeStatus({ client, refused: REFUSED }, input, { name: statusName(input), state: stateOf(input.announcement) });

/** GitLab's own words; a status is never "neutral", and one that waits for a person is pending. */
function stateOf({ condition, reason, rolledBack }: Announcement): string {
  if ((condition === "Stalled" && HELD_BACK.has(reason)) || (condition === "Ready" && rolledBack)) return "pending";
  if (condition === "Reconciling") return "running";
  if (condition === "Gone") return "canceled";
  return condition === "Stalled" ? "failed" : "success";
}
