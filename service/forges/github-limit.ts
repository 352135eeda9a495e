/**
 * Keeps to GitHub's rate limits: once an answer says that a limit is reached, nothing more is asked until it
 * is past. Whoever asks meanwhile gets such an answer from here. (Best practices for using the REST API.)
 */
import { z } from "zod";

type Fetch = typeof fetch;

export interface LimitClock {
  /** Milliseconds since the epoch. */
  now(): number;
}

/** GitHub's own advice where a secondary limit comes without a time. */
const SECONDARY_MS = 60_000;
/** A primary limit's hour; a server whose clock is elsewhere must not silence us for longer. */
const LONGEST_MS = 3_600_000;

/** A `fetch` for one credential, whose limits are its own. */
export function withinLimit(ask: Fetch, clock: LimitClock = { now: Date.now }): Fetch {
  let until = 0;
  return async (url, init) => {
    const leftMs = until - clock.now();
    if (leftMs > 0) return limited(leftMs);
    const response = await ask(url, init);
    const waitMs = await waitOf(response, clock.now());
    if (waitMs > 0) until = Math.max(until, clock.now() + Math.min(waitMs, LONGEST_MS));
    return response;
  };
}

/** 0 while more may be asked. */
async function waitOf(response: Response, now: number): Promise<number> {
  const { headers, status } = response;
  const refused = status === 403 || status === 429;
  const after = Number(headers.get("retry-after"));
  if (refused && after > 0) return after * 1000;
  const resource = headers.get("x-ratelimit-resource") ?? "core";
  if (headers.get("x-ratelimit-remaining") === "0" && resource === "core") {
    return Number(headers.get("x-ratelimit-reset")) * 1000 - now;
  }
  if (!refused) return 0;
  const isSecondary = status === 429 || /secondary rate limit/i.test(await response.clone().text());
  return isSecondary ? SECONDARY_MS : 0;
}

/** As 403, for the client would try a 429 again. */
function limited(leftMs: number): Response {
  const headers = { "content-type": "application/json", "retry-after": String(Math.ceil(leftMs / 1000)) };
  return new Response(JSON.stringify({ message: "a rate limit is reached; nothing was asked" }), {
    status: 403,
    headers,
  });
}

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
