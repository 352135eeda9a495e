const DAY_MS = 86_400_000;
/** Clocks differ, and Neon refuses more than 30 days. */
const MARGIN_MS = 60_000;

/**
 * ISO 8601 of the moment at which Neon may remove a branch by itself: `days` from now (at most 30: Neon docs,
 * "Branch expiration"), but no later than a day after the preview's hard stop, by which Stackling removed it.
 * A hard stop that has passed bounds nothing: the preview is kept. Undefined: never. Pure.
 */
export function expiryAfter(days: number | false, now: number, hardStop?: string): string | undefined {
  if (days === false) return undefined;
  const latest = now + days * DAY_MS - MARGIN_MS;
  const stop = hardStop === undefined ? Number.NaN : Date.parse(hardStop);
  const bounded = stop > now ? Math.min(latest, stop + DAY_MS) : latest;
  return new Date(bounded).toISOString();
}
