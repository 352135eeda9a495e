/** How much GitHub lets be written, and what is left of what it lets be asked. */
import { z } from "zod";
import type { LimitClock } from "./rate-limit.ts";

/**
 * What GitHub lets one installation write ("Rate limits for the REST API", "About secondary rate limits"): more is
 * answered by a secondary limit that silences reads, too. Some of it is kept for what people wait for.
 */
const WRITES = [
  { windowMs: 60_000, urgent: 80, routine: 60 },
  { windowMs: 3_600_000, urgent: 500, routine: 400 },
] as const;
const HOUR_MS = 3_600_000;

/** What was written for one credential or installation, by this process. */
export interface Writes {
  /** 0: may be written, and counts as written. Else milliseconds until it may be asked again. */
  take(urgent: boolean): number;
  lastHour(): number;
}

export function createWrites(limited: boolean, clock: LimitClock = { now: Date.now }): Writes {
  /** When each was made, oldest first. */
  let made: number[] = [];
  const forget = (now: number) => {
    made = made.filter((at) => at > now - HOUR_MS);
  };
  return {
    take(urgent) {
      const now = clock.now();
      forget(now);
      for (const { windowMs, ...most } of limited ? WRITES : []) {
        const inWindow = made.filter((at) => at > now - windowMs);
        // The one after whose end there is room for this one.
        const last = inWindow[inWindow.length - (urgent ? most.urgent : most.routine)];
        if (last !== undefined) return last + windowMs - now;
      }
      made.push(now);
      return 0;
    },
    lastHour() {
      forget(clock.now());
      return made.length;
    },
  };
}

export interface GithubLimit {
  /** Whose: `installation 4711` or `the token`. */
  readonly who: string;
  /** Requests; undefined where the server does not tell. */
  readonly requests?: { readonly limit: number; readonly remaining: number; readonly resetsAt: string };
  /** Made by this process in the last hour. */
  readonly writes: number;
}

const rateLimit = z.object({
  resources: z.object({ core: z.object({ limit: z.number(), remaining: z.number(), reset: z.number() }) }),
});

/** Of an answer to `GET /rate_limit`; undefined where there is none. */
export function requestsLeft(data: unknown): GithubLimit["requests"] {
  const core = rateLimit.safeParse(data).data?.resources.core;
  if (!core) return undefined;
  return { limit: core.limit, remaining: core.remaining, resetsAt: new Date(core.reset * 1000).toISOString() };
}
