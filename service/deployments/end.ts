/** How a deployment ended, in words. Pure. */
import type { Actuation } from "../actuate.ts";
import type { PreviewStatus } from "../status.ts";
import type { DeployLog } from "./deployment.ts";

/** @param failure what the status says of one that failed */
export function endOf(
  { action, spec }: Pick<Actuation, "action" | "spec">,
  failure?: Partial<Pick<PreviewStatus, "reason" | "message">>,
): Parameters<DeployLog["end"]>[0] {
  if (failure) {
    const { reason, message } = failure;
    const said = { ...(reason ? { reason } : {}), ...(message ? { message } : {}) };
    // Where the status says nothing it was ended from outside: that says nothing about it.
    const isBrokenOff = reason === undefined || reason === "EngineInterrupted";
    return { outcome: isBrokenOff ? "interrupted" : "failed", ...said };
  }
  const commit = spec?.source.commit.slice(0, 7);
  const message = action.kind === "destroy" ? "Gone: nothing of it was found any more" : `Commit ${commit} serves`;
  return { outcome: "done", message };
}
