/** What a person's word changes in what is wished of a preview: the same from CLI, API, page and comment. Pure. */
import type { Generations, Intents, Preview } from "./status.ts";

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
