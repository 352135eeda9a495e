/** Says on GitHub what became of a preview: one comment, one check run or commit status, and a deployment. */
import { type AnnounceInput, type AnnouncePart, announceParts } from "./announce-parts.ts";
import type { AnnouncementHandles } from "./forge.ts";
import { announceCheck } from "./github-check-run.ts";
import type { GithubClient } from "./github-client.ts";
import { announceComment } from "./github-comment.ts";
import { announceDeployment } from "./github-deployment.ts";

/** A part of it; see `AnnouncePart`. */
export type GithubPart = AnnouncePart<{ readonly client: GithubClient }>;

const PARTS: readonly GithubPart[] = [announceComment, announceCheck, announceDeployment];

/** Announces everything that changed; see `announceParts`. */
export function announceOnGithub(
  deps: { readonly client: GithubClient },
  input: AnnounceInput,
): Promise<AnnouncementHandles> {
  return announceParts({ parts: PARTS, server: "GitHub" }, deps, input);
}
