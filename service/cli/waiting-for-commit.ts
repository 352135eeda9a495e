/** What a CI job waits for: that a preview serves one commit, or that it never will. */
import type { PreviewView } from "../api/preview-view.ts";

export type CommitOutcome =
  | { readonly kind: "ready" }
  /** In a few words, with the preview's own. */
  | { readonly kind: "failed"; readonly reason: string; readonly message: string }
  | { readonly kind: "waiting" };

type Seen = Pick<
  PreviewView,
  "stage" | "condition" | "reason" | "message" | "commit" | "headSha" | "rolledBack" | "key"
>;

/**
 * What has come of a commit by now. Pure.
 *
 * @param sha seven digits of its id or more
 * @param wasHead it was the newest at an earlier look
 */
export function outcomeOf(
  { stage, condition, reason, message, commit, headSha, rolledBack }: Seen,
  sha: string,
  wasHead: boolean,
): CommitOutcome {
  if (stage === "Gone") return { kind: "failed", reason: "Gone", message };
  if (!headSha?.startsWith(sha)) {
    // Else what is looked at may be older still, for the push is on its way.
    if (!wasHead && !commit?.startsWith(sha)) return { kind: "waiting" };
    return { kind: "failed", reason: "Superseded", message: `A newer commit was pushed, ${headSha?.slice(0, 7)}.` };
  }
  if (condition === "Stalled" || reason === "Paused") return { kind: "failed", reason, message };
  if (condition !== "Ready") return { kind: "waiting" };
  if (commit !== headSha) {
    if (!rolledBack) return { kind: "waiting" };
    return { kind: "failed", reason: "RolledBack", message: `It was rolled back to ${rolledBack.sha.slice(0, 7)}.` };
  }
  return reason === "Healthy" || reason === "Asleep" ? { kind: "ready" } : { kind: "waiting" };
}
