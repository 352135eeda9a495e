/** Says on GitHub what became of a commit on a stage: a deployment to the stage's environment, and a commit status. */
import { createHash } from "node:crypto";
import { type AnnounceInput, announceParts } from "./announce-parts.ts";
import { checkName, statusState } from "./commit-status.ts";
import type { AnnouncementHandles } from "./forge.ts";
import type { GithubPart, GithubVoice } from "./github-announce.ts";
import { REFUSED } from "./github-client.ts";
import { announceDeployment } from "./github-deployment.ts";

/** None of the parts asks for it. */
const NO_PULL_REQUEST = 0;

/** Announces everything that changed; see `announceParts`. */
export function announceStageOnGithub(
  deps: GithubVoice,
  input: Omit<AnnounceInput, "number">,
): Promise<AnnouncementHandles> {
  const parts = [announceStageStatus, announceDeployment];
  return announceParts({ parts, server: "GitHub" }, deps, { ...input, number: NO_PULL_REQUEST });
}

/** `stackling/shop/production`, on the commit itself: it has no pull request any more. */
const announceStageStatus: GithubPart = async ({ client }, { repository, name, announcement, handles }) => {
  const { headSha, summary, logUrl, environmentUrl, key, stage } = announcement;
  const body = {
    context: `${checkName({ name })}/${stage?.name}`,
    state: statusState(announcement),
    description: summary,
    target_url: environmentUrl ?? logUrl,
  };
  const digest = createHash("sha256")
    .update(JSON.stringify([headSha, body]))
    .digest("hex")
    .slice(0, 16);
  if (handles.statusDigest === digest) return {};
  // Refused for want of a right, it is tried again with the next news.
  await client.call({
    repository,
    method: "POST",
    path: `/statuses/${headSha}`,
    body,
    action: `writing the commit status of "${key}"`,
    statuses: REFUSED,
  });
  return { statusDigest: digest };
};
