/** Time that does not count: while everything was stopped, nobody could use a preview. Pure. */

/** From `stop-all` to `resume-all`. ISO 8601 UTC. */
export interface PauseSpan {
  readonly from: string;
  /** Absent while it lasts. */
  readonly to?: string;
}

/**
 * ISO 8601 of the moment by which `ms` have passed since `time`, pauses not counted; undefined when they
 * are without end, or everything is stopped before that: it is not known when that ends.
 *
 * @param pauses oldest first
 */
export function afterUnpaused(time: string, ms: number, pauses: readonly PauseSpan[]): string | undefined {
  const start = Date.parse(time);
  let end = start + ms;
  if (end === Number.POSITIVE_INFINITY) return undefined;
  for (const { from, to } of pauses) {
    const begins = Math.max(Date.parse(from), start);
    if (begins >= end) continue;
    if (to === undefined) return undefined;
    end += Math.max(0, Date.parse(to) - begins);
  }
  return new Date(end).toISOString();
}

/** Time that counts in neither, once. Oldest first. */
export function either(one: readonly PauseSpan[], other: readonly PauseSpan[] = []): readonly PauseSpan[] {
  const spans: PauseSpan[] = [];
  for (const span of [...one, ...other].sort((a, b) => (a.from < b.from ? -1 : 1))) {
    const last = spans.at(-1);
    if (!last || (last.to !== undefined && last.to < span.from)) spans.push(span);
    else if (last.to !== undefined && (span.to === undefined || span.to > last.to))
      spans.splice(-1, 1, { ...span, from: last.from });
  }
  return spans;
}

export function isPaused(pauses: readonly PauseSpan[], time: string): boolean {
  return pauses.some(({ from, to }) => from <= time && (to === undefined || time < to));
}
