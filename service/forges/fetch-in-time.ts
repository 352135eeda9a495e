const REQUEST_TIMEOUT_MS = 15_000;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 307, 308]);

/** A `fetch` that gives up, and that writes to where a renamed repository is now, on the same server only. */
export async function fetchInTime(url: string | URL | Request, init?: RequestInit): Promise<Response> {
  const limit = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
  const signal = init?.signal ? AbortSignal.any([init.signal, limit]) : limit;
  if (init?.method === undefined || init.method === "GET") return fetch(url, { ...init, signal });
  const response = await fetch(url, { ...init, signal, redirect: "manual" });
  const address = REDIRECTS.has(response.status) ? response.headers.get("location") : null;
  if (address === null) return response;
  // To a renamed repository. A fetch would make a GET of what is sent on by a 301, and lose what was to be written.
  const moved = new URL(address, response.url);
  if (moved.origin !== new URL(response.url).origin) throw new TypeError(`redirected to another origin`);
  return fetch(moved, { ...init, signal, redirect: "error" });
}
