/**
 * Keeps to a forge's rate limits as GitHub tells them, and others after it: once an answer says that a limit is reached,
 * nothing more is asked until it is past. Whoever asks meanwhile gets such an answer from here. (GitHub, "Best practices
 * for using the REST API".)
 */
import type { WatchFetch } from "./forge.ts";

type Fetch = typeof fetch;

/** GitHub's own advice where a secondary limit comes without a time. */
const SECONDARY_MS = 60_000;
/** A primary limit's hour; a server whose clock is elsewhere must not silence us for longer. */
const LONGEST_MS = 3_600_000;

export interface LimitClock {
  /** Milliseconds since the epoch. */
  now(): number;
}

/** The `fetch` itself, where nobody counts. */
export const unwatched: WatchFetch = (ask) => ask;

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
