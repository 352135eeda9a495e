import { within } from "./within.ts";

export interface Fresh {
  /** For so many milliseconds an answer counts before it is asked for anew: a good one, */
  readonly good: number;
  /** and a failure. */
  readonly bad: number;
}

/** So long a good answer counts on while the next one is awaited; a part that is only slow is not away. */
const PATIENCE_MS = 30_000;
const IMPATIENCE_MS = 1_000;

/** The last answer while it is fresh; one question at a time. */
export function remembering(fresh: Fresh, ask: () => Promise<void>): () => Promise<void> {
  let asked: Promise<void> | undefined;
  let askedAt = 0;
  let until = Number.POSITIVE_INFINITY;
  let wasGood = false;
  const answered = (isGood: boolean) => {
    wasGood = isGood;
    until = performance.now() + (isGood ? fresh.good : fresh.bad);
  };
  return () => {
    const now = performance.now();
    if (!asked || now >= until) {
      until = Number.POSITIVE_INFINITY;
      askedAt = now;
      asked = ask();
      asked.then(
        () => answered(true),
        () => answered(false),
      );
    }
    return wasGood && now - askedAt < PATIENCE_MS ? within(IMPATIENCE_MS, asked, undefined) : asked;
  };
}
