/** What goes to GitHub, as it is sent: addresses below a repository, patience, redirects, and what a failure is told as. */
import { StacklingError } from "../../components/errors.ts";

const REQUEST_TIMEOUT_MS = 15_000;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 307, 308]);

/** Errors are told by status alone: bodies and headers of a stranger's server do not belong in messages. */
export function told(action: string, status: number | undefined, error: unknown): StacklingError {
  if (status === undefined) {
    const timedOut = error instanceof Error && /timeout|aborted/i.test(error.message);
    return unreachable(`${action}: GitHub ${timedOut ? "did not answer in time" : "cannot be reached"}`, error);
  }
  const meanings: Readonly<Record<number, string>> = {
    401: "the credential is not accepted",
    403: "the credential has not the right, or a rate limit is reached",
    404: "it does not exist, or the credential may not see it",
    429: "a rate limit is reached",
  };
  const meaning = meanings[status];
  return unreachable(`${action}: GitHub answered ${status}${meaning ? ` (${meaning})` : ""}`, error);
}

/** The request that failed is left out of the cause: it holds the credential. */
export function unreachable(userMessage: string, error: unknown): StacklingError {
  const cause = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return new StacklingError({ reason: "Unreachable", userMessage, cause });
}

export function repositoryUrl(repository: string): string {
  const [owner, name, rest] = repository.split("/");
  const isName = (part: string | undefined) => part !== undefined && /^[\w.-]*[\w-][\w.-]*$/.test(part);
  if (rest === undefined && isName(owner) && isName(name)) return `/repos/${owner}/${name}`;
  throw new StacklingError({
    reason: "Unreachable",
    userMessage: `reading repository "${repository}": a GitHub repository is written as "owner/name"`,
  });
}

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
