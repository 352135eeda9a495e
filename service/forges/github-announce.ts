/** Says on GitHub what became of a preview: one comment, one check run or commit status, a deployment and an event. */
import { type AnnounceInput, type AnnouncePart, announceParts } from "./announce-parts.ts";
import type { AnnouncementHandles } from "./forge.ts";
import { announceCheck } from "./github-check-run.ts";
import type { GithubClient } from "./github-client.ts";
import { announceComment } from "./github-comment.ts";
import { announceDeployment } from "./github-deployment.ts";
import { announceEvent } from "./github-dispatch.ts";

/** A part of it; see `AnnouncePart`. */
export type GithubPart = AnnouncePart<GithubVoice>;

export interface GithubVoice {
  readonly client: GithubClient;
  /** Type of the event `repository_dispatch`; undefined: none is sent. */
  readonly readyEvent?: string;
}

const PARTS: readonly GithubPart[] = [announceComment, announceCheck, announceDeployment, announceEvent];

/** Announces everything that changed; see `announceParts`. */
export function announceOnGithub(deps: GithubVoice, input: AnnounceInput): Promise<AnnouncementHandles> {
  const voice = input.announcement.urgent ? { ...deps, client: urgent(deps.client) } : deps;
  return announceParts({ parts: PARTS, server: "GitHub" }, voice, input);
}

function urgent(client: GithubClient): GithubClient {
  return { ...client, call: (call) => client.call({ ...call, urgent: true }) };
}
