/** Arithmetic on times as text: ISO 8601 UTC, which sorts as it passes. Pure. */

/** The moment `ms` behind `time`, or before it when negative. */
export function after(time: string, ms: number): string {
  return new Date(Date.parse(time) + ms).toISOString();
}

export function latest(first: string, ...others: readonly (string | undefined)[]): string {
  return others.reduce<string>((found, time) => (time !== undefined && time > found ? time : found), first);
}

/** Undefined when none of them is a time. */
export function earliest(...times: readonly (string | undefined)[]): string | undefined {
  return times.filter((time) => time !== undefined).sort()[0];
}
