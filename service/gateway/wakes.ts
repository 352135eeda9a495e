/** How often a preview is asked to wake, however many knock. */
import type { Route } from "./routes.ts";

/** Counted anew for each time that a preview falls asleep: the wish of the time before says nothing. */
export function atMostEvery(intervalMs: number, call: (route: Route) => void) {
  const last = new Map<string, number>();
  return (route: Route): void => {
    const nap = `${route.key} ${route.preview.status.since}`;
    const now = performance.now();
    if (now - (last.get(nap) ?? Number.NEGATIVE_INFINITY) < intervalMs) return;
    for (const [other, at] of last) if (now - at >= intervalMs) last.delete(other);
    last.set(nap, now);
    call(route);
  };
}
