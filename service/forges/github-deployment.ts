import { z } from "zod";
import { digestOf } from "../digest.ts";
import type { AnnounceInput } from "./announce-parts.ts";
import type { Announcement } from "./forge.ts";
import type { GithubPart } from "./github-announce.ts";
import { type GithubClient, REFUSED } from "./github-client.ts";

const NOT_THERE = [403, 404, 410, 501];

const identified = z.object({ id: z.number() });

/**
 * A deployment per commit, with its status and link. What served before stays active until the new
 * one does; both end inactive. A server or credential without that API is asked once (`deployments`).
 */
export const announceDeployment: GithubPart = async ({ client }, input) => {
  const { announcement, handles } = input;
  const digest = markOf(announcement);
  if (handles.deployments === "unsupported" || handles.deploymentDigest === digest) return {};
  const isAwaited = announcement.reason === "ApprovalNeeded" || announcement.reason === "OverBudget";
  // An older commit serves on, and its deployment with it; the newest is none yet.
  if (isAwaited && announcement.environmentUrl !== undefined) return { deploymentDigest: digest };
  const isOver = announcement.condition === "Gone" || announcement.reason === "Blocked" || isAwaited;
  if (isOver) {
    await deactivate({ client }, input, [handles.deployment, handles.deploymentServing]);
    return { deployment: undefined, deploymentServing: undefined, deploymentSha: undefined, deploymentDigest: digest };
  }
  const isSame = handles.deployment !== undefined && handles.deploymentSha === announcement.headSha;
  const found = isSame ? { id: handles.deployment } : await findOrCreate({ client }, input);
  if (found.id === undefined) return refusal(found.refused, digest);
  const { id } = found;
  if (!isSame && handles.deployment !== handles.deploymentServing) {
    await deactivate({ client }, input, [handles.deployment]);
  }
  const state = stateOf(announcement);
  const status = await writeStatus({ client }, input, { id, state });
  // Deleted by a person: found or made again with the next announcement.
  if (status === 404) return { deployment: undefined, deploymentSha: undefined };
  if (status >= 400) return refusal(status, digest);
  const kept = { deployment: id, deploymentSha: announcement.headSha, deploymentDigest: digest };
  if (state !== "success") return kept;
  if (handles.deploymentServing !== id) await deactivate({ client }, input, [handles.deploymentServing]);
  return { ...kept, deploymentServing: id };
};

/** Without the API or the right to it nothing is asked again; anything else is tried when there is news. */
function refusal(status: number | undefined, digest: string): Readonly<Record<string, string>> {
  const isFinal = status !== undefined && NOT_THERE.includes(status);
  return isFinal ? { deployments: "unsupported" } : { deploymentDigest: digest };
}

async function findOrCreate(
  { client }: { client: GithubClient },
  input: AnnounceInput,
): Promise<{ id?: string; refused?: number }> {
  const { repository, announcement } = input;
  const environment = environmentOf(announcement);
  const query = `sha=${announcement.headSha}&environment=${encodeURIComponent(environment)}`;
  const action = `writing the deployment of "${announcement.key}"`;
  const found = await client.call({ repository, path: `/deployments?${query}`, action, statuses: REFUSED });
  if (found.status >= 400) return { refused: found.status };
  const before = z.array(identified).parse(found.data)[0];
  if (before) return { id: String(before.id) };
  const made = await client.call({
    repository,
    method: "POST",
    path: "/deployments",
    body: {
      ref: announcement.headSha,
      task: announcement.stage ? "deploy" : "deploy:preview",
      environment,
      description: announcement.summary,
      auto_merge: false,
      // Ours is among the checks: waiting for all of them would wait for ever.
      required_contexts: [],
      transient_environment: announcement.stage === undefined,
      production_environment: announcement.stage?.production ?? false,
    },
    action,
    statuses: REFUSED,
  });
  return made.status === 201 ? { id: String(identified.parse(made.data).id) } : { refused: made.status };
}

async function writeStatus(
  { client }: { client: GithubClient },
  { repository, announcement }: AnnounceInput,
  { id, state }: { id: string; state: string },
): Promise<number> {
  const { environmentUrl, logUrl, summary, key } = announcement;
  const { status } = await client.call({
    repository,
    method: "POST",
    path: `/deployments/${id}/statuses`,
    body: {
      state,
      description: summary,
      auto_inactive: false,
      ...(environmentUrl ? { environment_url: environmentUrl } : {}),
      ...(logUrl ? { log_url: logUrl } : {}),
    },
    action: `writing the deployment status of "${key}"`,
    statuses: REFUSED,
  });
  return status;
}

async function deactivate(
  deps: { client: GithubClient },
  input: AnnounceInput,
  ids: readonly (string | undefined)[],
): Promise<void> {
  for (const id of new Set(ids)) {
    if (id) await writeStatus(deps, input, { id, state: "inactive" });
  }
}

function environmentOf({ key, stage }: Announcement): string {
  return stage?.name ?? `preview/${key}`;
}

function stateOf({ condition }: Announcement): string {
  if (condition === "Ready") return "success";
  return condition === "Stalled" ? "failure" : "in_progress";
}

function markOf({ condition, reason, summary, headSha, environmentUrl, logUrl }: Announcement): string {
  return digestOf([condition, reason, summary, headSha, environmentUrl, logUrl]);
}
