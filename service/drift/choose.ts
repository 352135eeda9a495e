/** Which preview is compared with the world next. Pure. */

import { defaultDrift } from "../config/defaults.ts";
import type { RepositoryConfig } from "../config/repository-types.ts";
import type { DriftPolicy, OperatorConfig } from "../config/types.ts";
import type { Preview } from "../status.ts";
import { latest } from "../times.ts";

/** One that could not be read is tried again sooner, but not at once. */
const UNREAD_AGAIN_MS = 600_000;

/** A repository's own policy goes before the config's. */
export function driftPolicyOf(
  { drift = defaultDrift }: Pick<OperatorConfig, "drift">,
  repository: Pick<RepositoryConfig, "drift"> | undefined,
): DriftPolicy {
  return repository?.drift?.policy ?? drift.policy;
}

/**
 * The due preview that was not looked at for longest; undefined when none is due. One that is being worked
 * on, that waits for its update or that has none live is left alone; a fresh update counts as a look.
 *
 * @param now ISO 8601 UTC
 */
export function nextLook(
  previews: readonly Preview[],
  { everySeconds, isWatched }: { readonly everySeconds: number; readonly isWatched: (preview: Preview) => boolean },
  now: string,
): Preview | undefined {
  const everyMs = everySeconds * 1000;
  const due = previews
    .filter((preview) => isStill(preview, now) && isWatched(preview))
    .map((preview) => ({ preview, seenAt: lastLook(preview) }))
    .filter(({ preview, seenAt }) => {
      const waitMs = preview.status.drift?.unread ? Math.min(everyMs, UNREAD_AGAIN_MS) : everyMs;
      return Date.parse(now) - Date.parse(seenAt) >= waitMs;
    });
  return due.sort((a, b) => (a.seenAt < b.seenAt ? -1 : 1))[0]?.preview;
}

/** ISO 8601 of the last look or try of one. */
function lastLook({ status, createdAt }: Preview): string {
  const { drift, attempted } = status;
  return latest(createdAt, drift?.at, drift?.unread?.at, attempted?.ok ? attempted.at : undefined);
}

function isStill({ status, intents }: Preview, now: string): boolean {
  const { live, goneAt, interrupted, condition, conflictUntil } = status;
  if (!live || goneAt !== undefined || interrupted || intents.removed) return false;
  return condition !== "Reconciling" && (conflictUntil === undefined || conflictUntil <= now);
}
