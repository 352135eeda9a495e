/** What a merge can wait for, in words that forges share. */
import type { Announcement } from "./forge.ts";

/** Part of branch protection rules: never changes. */
export function checkName({ name }: { readonly name: string }): string {
  return `stackling/${name}`;
}

/** Of a commit status, which knows no "neutral". */
export function statusState({ condition, reason, rolledBack }: Announcement): "pending" | "failure" | "success" {
  if (condition === "Reconciling" || isHeldBack(reason) || (condition === "Ready" && rolledBack)) return "pending";
  return condition === "Stalled" ? "failure" : "success";
}

/** By a rule or for want of an approval: a person moves it on, and the commit is not at fault. */
export function isHeldBack(reason: string): boolean {
  return reason === "Blocked" || reason === "ApprovalNeeded";
}
