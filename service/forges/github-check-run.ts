import { z } from "zod";
import { digestOf } from "../digest.ts";
import { HELD_BACK } from "../reasons.ts";
import type { AnnounceInput } from "./announce-parts.ts";
import { checkName, statusState } from "./commit-status.ts";
import type { Announcement } from "./forge.ts";
import type { GithubPart } from "./github-announce.ts";
import { type GithubClient, REFUSED } from "./github-client.ts";

type Way = "run" | "status";

/** A button on the check run's page, beside GitHub's own to run it again. Texts of 20 and 40 characters at most. */
const REDEPLOY = { label: "Redeploy", description: "Build and start this preview again", identifier: "redeploy" };
const SUMMARY_MAX_BYTES = 65_535;

/**
 * What a merge can wait for. An App writes check runs, a token commit statuses (GitHub gives check
 * runs to Apps only: docs, "REST API endpoints for check runs"); each falls back to the other once.
 */
export const announceCheck: GithubPart = async ({ client }, input) => {
  const { announcement, handles } = input;
  const digest = markOf(announcement);
  if (handles.checkDigest === digest) return {};
  const preferred: readonly Way[] = client.kind === "app" ? ["run", "status"] : ["status", "run"];
  const known = preferred.find((way) => way === handles.checkWay);
  for (const way of known ? [known] : preferred) {
    const written = way === "run" ? await writeRun({ client }, input) : await writeStatus({ client }, input);
    if (written) return { ...written, checkWay: way, checkDigest: digest, checkSha: announcement.headSha };
  }
  return { checkDigest: digest, checkWay: undefined, check: undefined, checkSha: undefined };
};

type Written = Readonly<Record<string, string | undefined>> | undefined;

async function writeRun({ client }: { client: GithubClient }, input: AnnounceInput): Promise<Written> {
  const { repository, announcement, handles } = input;
  const { headSha, reason, logUrl, environmentUrl, key } = announcement;
  if (handles.check && handles.checkSha !== headSha && handles.checkState === "in_progress") {
    await endRun({ client }, { repository, id: handles.check });
  }
  const state = runState(announcement);
  const body = {
    name: checkName(input),
    external_id: key,
    ...state,
    details_url: environmentUrl ?? logUrl,
    output: { title: reason, summary: cut(toldOf(announcement)) },
    actions: announcement.condition === "Ready" || announcement.condition === "Stalled" ? [REDEPLOY] : [],
  };
  const id = handles.checkSha === headSha ? handles.check : await findRun({ client }, input);
  const written = await client.call({
    repository,
    method: id ? "PATCH" : "POST",
    path: id ? `/check-runs/${id}` : "/check-runs",
    body: id ? body : { ...body, head_sha: headSha },
    action: `writing the check run of "${key}"`,
    statuses: REFUSED,
  });
  if (written.status >= 400) return undefined;
  const made = z.object({ id: z.number() }).parse(written.data);
  return { check: String(made.id), checkState: state.status };
}

async function writeStatus({ client }: { client: GithubClient }, input: AnnounceInput): Promise<Written> {
  const { repository, announcement } = input;
  const { headSha, summary, logUrl, environmentUrl, key } = announcement;
  const written = await client.call({
    repository,
    method: "POST",
    path: `/statuses/${headSha}`,
    body: {
      context: checkName(input),
      state: statusState(announcement),
      description: summary,
      target_url: environmentUrl ?? logUrl,
    },
    action: `writing the commit status of "${key}"`,
    statuses: REFUSED,
  });
  return written.status >= 400 ? undefined : { check: undefined, checkState: undefined };
}

/** A kill may have come between making the run and remembering it. */
async function findRun({ client }: { client: GithubClient }, input: AnnounceInput): Promise<string | undefined> {
  const { repository, announcement } = input;
  const { status, data } = await client.call({
    repository,
    path: `/commits/${announcement.headSha}/check-runs?check_name=${encodeURIComponent(checkName(input))}`,
    action: `reading the check runs of "${announcement.key}"`,
    statuses: REFUSED,
  });
  if (status >= 400) return undefined;
  const runs = z.object({ check_runs: z.array(z.object({ id: z.number(), external_id: z.string().nullish() })) });
  const ours = runs.parse(data).check_runs.find((run) => run.external_id === announcement.key);
  return ours ? String(ours.id) : undefined;
}

/** The run of a commit that was pushed over would spin for ever. */
async function endRun({ client }: { client: GithubClient }, { repository, id }: { repository: string; id: string }) {
  await client.call({
    repository,
    method: "PATCH",
    path: `/check-runs/${id}`,
    body: {
      status: "completed",
      conclusion: "cancelled",
      output: { title: "Superseded", summary: "A newer commit was pushed." },
    },
    action: "ending the check run of an older commit",
    statuses: REFUSED,
  });
}

function runState({ condition, reason, rolledBack }: Announcement): { status: string; conclusion?: string } {
  if (condition === "Reconciling") return { status: "in_progress" };
  if (condition === "Ready") return { status: "completed", conclusion: rolledBack ? "neutral" : "success" };
  if (condition === "Gone") return { status: "completed", conclusion: "neutral" };
  return { status: "completed", conclusion: HELD_BACK.has(reason) ? "action_required" : "failure" };
}

function toldOf({ details, checks, summary }: Announcement): string {
  return [details ?? summary, ...(checks === undefined ? [] : [checks])].join("\n\n");
}

/** Of characters that may take four bytes each. */
function cut(text: string): string {
  return Buffer.byteLength(text) <= SUMMARY_MAX_BYTES ? text : `${text.slice(0, SUMMARY_MAX_BYTES / 4)}…`;
}

function markOf(announcement: Announcement): string {
  const { condition, reason, summary, headSha, environmentUrl, logUrl } = announcement;
  return digestOf([condition, reason, summary, headSha, environmentUrl, logUrl, toldOf(announcement)]);
}
