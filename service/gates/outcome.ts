/** What the checks of a version leave in status and intents, and what is shown of them. Pure. */
import type { PreviewSpec } from "../../infra/spec.ts";
import type { Intents } from "../intents.ts";
import { GATES, rolledBackTo, servedWith } from "../rollback.ts";
import type { Preview, PreviewStatus } from "../status.ts";
import { type CheckResult, type FailedChecks, failedOne, failureWords, reasonOf } from "./results.ts";

export const CHECKING = {
  condition: "Reconciling",
  reason: "Checking",
  message: "Smoke tests and gates come next.",
  excerpt: [],
} as const;

const NO_BETTER = "an older one would be no better";

/** True while what serves was brought up and not checked since. */
export function areChecksDue({
  live,
  attempted,
  checks,
}: Pick<PreviewStatus, "live" | "attempted" | "checks">): boolean {
  return live?.checks !== undefined && checks === undefined && attempted?.ok === true;
}

/** Served first, then checked: only what passed is offered to go back to. */
export function afterChecks(
  preview: Pick<Preview, "status" | "intents" | "pullRequest">,
  results: readonly CheckResult[],
  { now }: { readonly now: string },
): { readonly status: PreviewStatus; readonly intents: Intents } {
  const { status, intents } = preview;
  const { live, headSha } = status;
  if (!live) return { status, intents };
  const { commit } = live.source;
  const checks = { commit, at: now, results };
  const failed = failedOne(results);
  const before = status.failedChecks;
  // Of the head, in whose place another commit serves: that stands whatever this one comes to.
  const standing = before?.commit !== commit && before?.commit === headSha ? before : undefined;
  if (!failed) {
    const served = servedWith(status, live, { outputs: status.outputs, now });
    return { status: { ...status, checks, served, failedChecks: standing, failed: undefined }, intents };
  }
  if (standing && isGood(status, commit)) return { status: { ...status, checks, failed: undefined }, intents };
  const { stays, wentBackTo, wishes } = wayBack(preview, live, now);
  const failedChecks: FailedChecks = {
    ...checks,
    reason: reasonOf(failed),
    message: failureWords(failed),
    ...(wentBackTo === undefined ? {} : { wentBackTo }),
    ...(stays === undefined ? {} : { stays }),
  };
  return { status: { ...status, checks, failedChecks, failed: undefined }, intents: { ...intents, ...wishes } };
}

/**
 * Fields of the status while a failure stands; undefined where none does.
 *
 * @param again what has it checked anew, as a sentence
 */
export function failedChecksShown(
  { failedChecks, checks, live, headSha }: PreviewStatus,
  again: string,
): Pick<PreviewStatus, "reason" | "message" | "excerpt"> | undefined {
  if (!failedChecks || !live) return undefined;
  const { commit, reason, message, stays, results } = failedChecks;
  const serves = live.source.commit;
  if (commit !== serves && commit !== headSha) return undefined;
  const one = failedOne(results);
  const why = stays === undefined ? "" : `, for ${stays}`;
  const too = checks && failedOne(checks.results) ? `, and fails now, too; ${NO_BETTER}` : "";
  const what =
    commit === serves
      ? `Commit ${short(commit)} serves on${why}.`
      : `Commit ${short(serves)} serves in place of ${short(commit)}${too}.`;
  return { reason, message: `${message}. ${what} ${again}`, excerpt: one?.excerpt ?? [] };
}

interface WayBack {
  readonly wentBackTo?: string;
  readonly stays?: string;
  readonly wishes?: Partial<Intents>;
}

function wayBack(
  preview: Pick<Preview, "status" | "intents" | "pullRequest">,
  live: PreviewSpec,
  now: string,
): WayBack {
  if (live.checks?.onFailure !== "rollback") return {};
  // Else what is no fault of any commit, as a server that does not answer, takes it back through all of them.
  if (isGood(preview.status, live.source.commit)) return { stays: `it was good before, and ${NO_BETTER}` };
  const back = rolledBackTo(preview, {}, { by: GATES, now });
  if (back.problem !== undefined) return { stays: back.problem };
  return { wentBackTo: back.sha, wishes: back.intents };
}

function isGood({ served = [] }: Pick<PreviewStatus, "served">, commit: string): boolean {
  return served.some(({ sha }) => sha === commit);
}

function short(sha: string): string {
  return `\`${sha.slice(0, 7)}\``;
}
