/** What many values come to, with how many they are: few say little. Pure. */
import { percentile } from "../trends/sample.ts";

/** By nearest rank, so that each is a value that there was. */
export interface Spread {
  readonly cases: number;
  readonly mean: number;
  readonly median: number;
  readonly p25: number;
  readonly p75: number;
  readonly p95: number;
}

/** Undefined of nothing. */
export function spreadOf(values: readonly number[]): Spread | undefined {
  if (values.length === 0) return undefined;
  const sorted = [...values].sort((one, other) => one - other);
  const at = (share: number) => percentile(sorted, share) ?? 0;
  return {
    cases: values.length,
    mean: values.reduce((sum, value) => sum + value, 0) / values.length,
    median: at(0.5),
    p25: at(0.25),
    p75: at(0.75),
    p95: at(0.95),
  };
}
