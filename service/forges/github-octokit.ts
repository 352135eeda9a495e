/** The only file that names GitHub's client library: as whom a call is made, the call, and how its failure is told. */
import { createAppAuth } from "@octokit/auth-app";
import { Octokit, RequestError } from "octokit";
import { z } from "zod";
import { StacklingError } from "../../components/errors.ts";
import { noAnswer, refusal, unreachable } from "./answers.ts";
import { fetchInTime } from "./fetch-in-time.ts";
import type { WatchFetch } from "./forge.ts";
import type { GithubAnswer, GithubCall, GithubCredential, OwnCall } from "./github-client.ts";
import { createWrites, type GithubLimit, requestsLeft, type Writes } from "./github-limit.ts";
import { unwatched, withinLimit } from "./rate-limit.ts";
import { repositoryUrl } from "./repository-url.ts";

export const SERVER = "GitHub";

/** Longer than this nobody waits for a rate limit to pass; the next resync asks again. */
const LONGEST_RETRY_AFTER_SECONDS = 30;

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const installation = z.object({ id: z.number(), permissions: z.record(z.string(), z.string()) });

export interface GithubServer {
  readonly baseUrl: string;
  readonly credential: GithubCredential;
  /**
   * False for Enterprise servers that have none: writes are then not spaced out (GitHub asks for a second between
   * writes: Best practices for using the REST API).
   */
  readonly rateLimits: boolean;
  readonly watch?: WatchFetch;
}

/** Whom a call is made as, with the limits of that one. */
export interface Place {
  readonly who: string;
  readonly octokit: Octokit;
  readonly writes: Writes;
}

export type Sent = GithubAnswer & { readonly etag?: string };

/** Makes the places of one credential: its own, or, for an App, that of one of its installations. */
export function placesOn({
  baseUrl,
  credential,
  rateLimits,
  watch = unwatched,
}: GithubServer): (installationId?: number) => Place {
  const mayWait = (seconds: number, _options: unknown, _octokit: unknown, retryCount: number) =>
    seconds <= LONGEST_RETRY_AFTER_SECONDS && retryCount < 1;
  return (installationId) => {
    const isInstallation = credential.kind === "app" && installationId !== undefined;
    const octokit = new Octokit({
      baseUrl,
      log: silent,
      userAgent: "stackling",
      retry: { retries: 1 },
      throttle: {
        enabled: rateLimits,
        id: isInstallation ? `${baseUrl} ${installationId}` : baseUrl,
        onRateLimit: mayWait,
        onSecondaryRateLimit: mayWait,
      },
      request: { fetch: withinLimit(watch(fetchInTime)) },
      ...authOf(credential, installationId),
    });
    const who = isInstallation ? `installation ${installationId}` : "the token";
    return { who, octokit, writes: createWrites(rateLimits) };
  };
}

function authOf(credential: GithubCredential, installationId: number | undefined) {
  if (credential.kind === "token") return { auth: credential.token };
  const { appId, privateKey } = credential;
  const auth = { appId, privateKey, log: silent, ...(installationId === undefined ? {} : { installationId }) };
  return { authStrategy: createAppAuth, auth };
}

export async function tokenOf({ octokit }: Place, repository: string): Promise<string> {
  try {
    return z.object({ token: z.string() }).parse(await octokit.auth({ type: "installation" })).token;
  } catch (error) {
    throw describe(`asking for a token for "${repository}"`, error);
  }
}

export function isWrite({ method = "GET" }: Pick<OwnCall, "method">): boolean {
  return method !== "GET";
}

/**
 * Reads are tried once more. A write without an answer may have been done: whoever wished for it looks before it is
 * asked for again.
 */
export async function requestOn({ octokit }: Place, call: OwnCall, headers: Record<string, string>): Promise<Sent> {
  const response = await octokit.request({
    method: call.method ?? "GET",
    url: call.path,
    headers: { accept: call.accept ?? "application/vnd.github+json", ...headers },
    ...(call.body ? { data: call.body } : {}),
    ...(isWrite(call) ? { request: { retries: 0 } } : {}),
  });
  const [, next] = /<([^>]+)>; *rel="next"/.exec(response.headers.link ?? "") ?? [];
  const nextCursor = next ? new URL(next).searchParams.get("cursor") : null;
  const { status, data, headers: got } = response;
  return { status, data, etag: got.etag, ...(nextCursor ? { nextCursor } : {}) };
}

export function answerOr(error: unknown, { action, statuses }: Pick<GithubCall, "action" | "statuses">): GithubAnswer {
  const status = statusOf(error);
  if (status !== undefined && !isRateLimit(error) && statuses?.includes(status)) return { status, data: undefined };
  throw describe(action, error);
}

/** Asking costs nothing of the limit. Source: REST API, "Get rate limit status for the authenticated user". */
export async function leftOf(place: Place): Promise<GithubLimit> {
  const { who, writes } = place;
  const sent = await requestOn(place, { path: "/rate_limit", action: "" }, {}).catch(() => undefined);
  const requests = requestsLeft(sent?.data);
  return { who, writes: writes.lastHour(), ...(requests ? { requests } : {}) };
}

export async function findInstallation({ octokit }: Place, repository: string): Promise<z.infer<typeof installation>> {
  try {
    const { data } = await octokit.request({ method: "GET", url: `${repositoryUrl(repository, SERVER)}/installation` });
    return installation.parse(data);
  } catch (error) {
    if (statusOf(error) !== 404) throw describe(`finding the App's installation on "${repository}"`, error);
    throw unreachable(`finding the App's installation on "${repository}": it is not installed there`, error);
  }
}

export async function findLogin({ octokit }: Place, kind: GithubCredential["kind"]): Promise<string | undefined> {
  try {
    if (kind === "app") {
      const { data } = await octokit.request({ method: "GET", url: "/app" });
      return `${z.object({ slug: z.string() }).parse(data).slug}[bot]`;
    }
    const { data } = await octokit.request({ method: "GET", url: "/user" });
    return z.object({ login: z.string() }).parse(data).login;
  } catch (error) {
    const status = statusOf(error);
    // A workflow's own token is nobody's: `GET /user` answers 403 to it.
    if (status === 403 || status === 404) return undefined;
    throw describe("asking who we are", error);
  }
}

function describe(action: string, error: unknown): StacklingError {
  if (error instanceof StacklingError) return error;
  const [asked, status] = [{ action, server: SERVER }, statusOf(error)];
  return status === undefined ? noAnswer(asked, error) : refusal({ ...asked, status, as: "credential" }, error);
}

/** A 403 of the rate limit passes by itself and says nothing about rights. */
function isRateLimit(error: unknown): boolean {
  if (!(error instanceof RequestError) || !error.response) return false;
  const { headers } = error.response;
  return headers["retry-after"] !== undefined || String(headers["x-ratelimit-remaining"]) === "0";
}

export function statusOf(error: unknown): number | undefined {
  return error instanceof RequestError && error.response ? error.status : undefined;
}
