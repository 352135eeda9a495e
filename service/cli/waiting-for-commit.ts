/** What a CI job waits for: that a preview serves one commit, or that it never will. */
import type { PreviewView } from "../api/preview-view.ts";
import { STOPPED } from "../reasons.ts";

export type CommitOutcome =
  | { readonly kind: "ready" }
  /** In a few words, with the preview's own. */
  | { readonly kind: "failed"; readonly reason: string; readonly message: string }
  | { readonly kind: "waiting" };

/** How long a standing condition is not taken for the outcome of a commit that was just pushed. */
const STALE_MS = 15_000;

type Seen = Pick<
  PreviewView,
  "stage" | "condition" | "reason" | "message" | "commit" | "headSha" | "rolledBack" | "since" | "lastPushAt"
>;

/**
 * What has come of a commit by now. Pure.
 *
 * @param sha seven digits of its id or more
 * @param headForMs how long it has been seen as the newest; undefined: not yet
 */
export function outcomeOf(
  { stage, condition, reason, message, commit, headSha, rolledBack, since, lastPushAt }: Seen,
  sha: string,
  headForMs: number | undefined,
): CommitOutcome {
  if (stage === "Gone") return { kind: "failed", reason: "Gone", message };
  if (!headSha?.startsWith(sha)) {
    // Else what is looked at may be older still, for the push is on its way.
    if (headForMs === undefined && !commit?.startsWith(sha)) return { kind: "waiting" };
    return { kind: "failed", reason: "Superseded", message: `A newer commit was pushed, ${headSha?.slice(0, 7)}.` };
  }
  // Just behind a push it may be said of the commit before still.
  if (condition === "Stalled" && since <= lastPushAt && (headForMs ?? 0) < STALE_MS) return { kind: "waiting" };
  if (condition === "Stalled" || STOPPED.has(reason)) return { kind: "failed", reason, message };
  if (condition !== "Ready") return { kind: "waiting" };
  if (commit !== headSha) {
    if (!rolledBack) return { kind: "waiting" };
    return { kind: "failed", reason: "RolledBack", message: `It was rolled back to ${rolledBack.sha.slice(0, 7)}.` };
  }
  return reason === "Healthy" || reason === "Asleep" ? { kind: "ready" } : { kind: "waiting" };
}
