/** Says on GitHub what became of a commit on a stage: a deployment to the stage's environment, and a commit status. */
import { type AnnounceInput, announceParts } from "./announce-parts.ts";
import { statusName, statusState, writeStatus } from "./commit-status.ts";
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

const announceStageStatus: GithubPart = ({ client }, input) =>
  writeStatus({ client, refused: REFUSED }, input, {
    context: statusName(input),
    state: statusState(input.announcement),
  });
