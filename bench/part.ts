/** What a part of the benchmark is given and gives. */
import type { BenchRow } from "./report.ts";

export interface BenchContext {
  /** Samples a line; five, but for trying it out. */
  readonly samples: number;
  /** Aborts on Ctrl-C; a part then ends what it started and rejects. */
  readonly signal: AbortSignal;
  /** Says what is being measured now. */
  readonly say: (text: string) => void;
}

/** Takes its samples in turns with those of what it is compared with, so that a busy machine slows both. */
export type BenchPart = (context: BenchContext) => Promise<readonly BenchRow[]>;

/** Runs `measure` once per sample, one after the other. */
export async function sample<T>(context: BenchContext, measure: (round: number) => Promise<T>): Promise<T[]> {
  const taken: T[] = [];
  for (let round = 0; round < context.samples; round++) {
    context.signal.throwIfAborted();
    taken.push(await measure(round));
  }
  return taken;
}
