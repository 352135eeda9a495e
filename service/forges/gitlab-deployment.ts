import { z } from "zod";
import { digestOf } from "../digest.ts";
import type { AnnounceInput, AnnouncePart } from "./announce-parts.ts";
import { parseAnswer } from "./answers.ts";
import type { Announcement } from "./forge.ts";
import { type GitlabClient, REFUSED } from "./gitlab-client.ts";

type Deps = { readonly client: GitlabClient };
type State = "running" | "success" | "failed";

const NOT_THERE = [403, 404, 405];

const made = z.object({ id: z.int().positive(), environment: z.object({ id: z.int().positive() }) });

/**
 * An environment per preview, with a deployment per commit; it is stopped when the preview goes. A server or token
 * without that API is asked once (`deployments`).
 */
export const announceGitlabDeployment: AnnouncePart<Deps> = async ({ client }, input) => {
  const { announcement, handles } = input;
  const digest = markOf(announcement);
  if (handles.deployments === "unsupported" || handles.deploymentDigest === digest) return {};
  const isAwaited = announcement.reason === "ApprovalNeeded" || announcement.reason === "OverBudget";
  // An older commit serves on, and its deployment with it.
  if (isAwaited && announcement.environmentUrl !== undefined) return { deploymentDigest: digest };
  if (announcement.condition === "Gone" || announcement.reason === "Blocked" || isAwaited) {
    await stop({ client }, input);
    return { environment: undefined, ...NO_DEPLOYMENT, deploymentDigest: digest };
  }
  const state = stateOf(announcement);
  const isSame = handles.deployment !== undefined && handles.deploymentSha === announcement.headSha;
  // What serves is deployed, whatever is done to it behind that.
  if (isSame && handles.deploymentState === "success" && state === "running") return { deploymentDigest: digest };
  const written = isSame ? await change({ client }, input, state) : await make({ client }, input, state);
  if (written === "refused") return { deploymentDigest: digest };
  if (written === "unsupported") return { deployments: "unsupported" };
  // Deleted by a person, or a state that it cannot come to: made anew with the next announcement.
  if (written === "gone") return { ...NO_DEPLOYMENT };
  const { id, environment } = written;
  if (announcement.environmentUrl) await link({ client }, input, environment);
  return {
    environment,
    deployment: id,
    deploymentSha: announcement.headSha,
    deploymentState: state,
    deploymentDigest: digest,
  };
};

const NO_DEPLOYMENT = { deployment: undefined, deploymentSha: undefined, deploymentState: undefined };

type Written = { readonly id: string; readonly environment: string } | "refused" | "unsupported" | "gone";

async function make({ client }: Deps, input: AnnounceInput, state: State): Promise<Written> {
  const { repository, number, announcement } = input;
  const action = `writing the deployment of "${announcement.key}"`;
  const ref = announcement.stage ? announcement.headSha : `refs/merge-requests/${number}/head`;
  const body = { environment: environmentOf(announcement), sha: announcement.headSha, ref, tag: false, status: state };
  const answer = await client.call({
    repository,
    method: "POST",
    path: "/deployments",
    body,
    action,
    statuses: REFUSED,
  });
  if (answer.status === 201) return identified(answer.data, action);
  return NOT_THERE.includes(answer.status) ? "unsupported" : "refused";
}

async function change({ client }: Deps, input: AnnounceInput, state: State): Promise<Written> {
  const { repository, announcement, handles } = input;
  if (handles.deploymentState === state && handles.deployment && handles.environment) {
    return { id: handles.deployment, environment: handles.environment };
  }
  const action = `writing the deployment of "${announcement.key}"`;
  const path = `/deployments/${handles.deployment}`;
  const answer = await client.call({
    repository,
    method: "PUT",
    path,
    body: { status: state },
    action,
    statuses: REFUSED,
  });
  return answer.status === 200 ? identified(answer.data, action) : "gone";
}

function identified(data: unknown, action: string): Written {
  const { id, environment } = parseAnswer(made, data, { action, server: "GitLab" });
  return { id: String(id), environment: String(environment.id) };
}

/** The button "View app" on the merge request. */
async function link({ client }: Deps, { repository, announcement, handles }: AnnounceInput, environment: string) {
  if (handles.environment === environment && handles.deploymentState === "success") return;
  await client.call({
    repository,
    method: "PUT",
    path: `/environments/${environment}`,
    body: { external_url: announcement.environmentUrl, tier: tierOf(announcement) },
    action: `writing the link of "${announcement.key}"`,
    statuses: REFUSED,
  });
}

async function stop({ client }: Deps, { repository, announcement, handles }: AnnounceInput): Promise<void> {
  if (!handles.environment) return;
  await client.call({
    repository,
    method: "POST",
    path: `/environments/${handles.environment}/stop`,
    body: { force: true },
    action: `stopping the environment of "${announcement.key}"`,
    statuses: REFUSED,
  });
}

function tierOf({ stage }: Announcement): string {
  if (!stage) return "development";
  return stage.production ? "production" : "staging";
}

/** Letters, digits, spaces, `-_/${}` and dots alone (GitLab docs, "Environments"). */
function environmentOf({ key, stage }: Announcement): string {
  return stage?.name ?? `preview/${key.replace(/[^\w./-]+/g, "-")}`;
}

function stateOf({ condition }: Announcement): State {
  if (condition === "Ready") return "success";
  return condition === "Stalled" ? "failed" : "running";
}

function markOf({ condition, reason, headSha, environmentUrl }: Announcement): string {
  return digestOf([condition, reason, headSha, environmentUrl]);
}
