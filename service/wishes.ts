/** What a person's word changes in what is wished of a preview: the same from CLI, API, page and comment. Pure. */

import type { Generations, Intents } from "./intents.ts";
import { changeStatus, type Preview, type PreviewStatus } from "./status.ts";

type Wished = Partial<Intents>;

interface Asked {
  /** ISO 8601 UTC */
  readonly now: string;
  readonly by: string;
}

/** A push undoes it where there is a pull request; by hand only a person does. */
export function removed({ number, status }: Pick<Preview, "number" | "status">, { now, by }: Asked): Wished {
  return { removed: { at: now, by, ...(number === undefined ? {} : { headSha: status.headSha }) } };
}

/** Without the wait behind a destroy that failed: who asks for it may have mended what it named. */
export function triedAgain(status: PreviewStatus): PreviewStatus {
  return status.failed?.action === "destroy" ? { ...status, failed: undefined } : status;
}

export function notRemoved(): Wished {
  return { removed: undefined };
}

/** A one-shot wish as a level; asks for the preview too, where it was taken down. */
export function raised({ intents: { generations } }: Pick<Preview, "intents">, generation: keyof Generations): Wished {
  return { generations: { ...generations, [generation]: generations[generation] + 1 }, ...notRemoved() };
}

export function asleep({ now }: Pick<Asked, "now">): Wished {
  return { asleep: true, asleepSince: now };
}

/** Counts with a visit, which whoever asks for it notes beside it. */
export function notAsleep(): Wished {
  return { asleep: false };
}

/** Kept for months, it is not to go at once when it is let go. */
export function kept({ intents }: Pick<Preview, "intents">, keep: boolean, { now }: Pick<Asked, "now">): Wished {
  return keep || !intents.keep ? { keep } : { keep, clocksFrom: now };
}

/**
 * The world is looked at first by the next update, which comes though the spec is unchanged. Until then it counts as
 * unsettled, so that who waits for it does not take the old state for the outcome. What is gone or being worked on
 * keeps its words, and so does what failed to wake or to go: they are told nowhere else.
 */
export function repaired(status: PreviewStatus, { now }: Pick<Asked, "now">): PreviewStatus {
  const wished = { ...status, interrupted: true };
  if (status.goneAt !== undefined || status.failed || status.condition === "Reconciling") return wished;
  const unsettled = {
    condition: "Reconciling",
    reason: "Queued",
    message: "Waiting for its turn.",
    excerpt: [],
  } as const;
  return changeStatus(wished, unsettled, now);
}
