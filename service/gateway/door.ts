import { HELD_BACK } from "../reasons.ts";
import type { Preview } from "../status.ts";

/** What a visitor meets at a preview's address. Only `serve` reaches the application. */
export type Door = "serve" | "asleep" | "waking" | "building" | "failed" | "blocked" | "closing" | "gone" | "paused";

/**
 * Decides from what is known, so that a request costs no question. A version that serves goes on
 * serving whatever became of the next one.
 */
export function doorOf({ status }: Pick<Preview, "status">): Door {
  if (status.goneAt || status.reason === "Gone") return "gone";
  if (status.reason === "Destroying" || status.reason === "DestroyFailed") return "closing";
  if (status.reason === "Paused" && !(status.live && status.awake)) return "paused";
  if (status.reason === "OverBudget" && !status.awake) return "paused";
  if (status.live) {
    if (status.awake) return "serve";
    return status.reason === "Waking" ? "waking" : "asleep";
  }
  if (HELD_BACK.has(status.reason)) return "blocked";
  return status.condition === "Stalled" ? "failed" : "building";
}
