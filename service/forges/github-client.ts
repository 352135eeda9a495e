/** Talks to GitHub's REST API: who we are, how often we may ask, and what its errors mean. */
import { createAppAuth } from "@octokit/auth-app";
import { Octokit, RequestError } from "octokit";
import { z } from "zod";
import { StacklingError } from "../../components/errors.ts";
import { withinLimit } from "./github-limit.ts";

export type GithubCredential =
  | { readonly kind: "token"; readonly token: string }
  | { readonly kind: "app"; readonly appId: string; readonly privateKey: string };

export interface GithubCall {
  /** `acme/shop` */
  readonly repository: string;
  readonly method?: "GET" | "POST" | "PATCH";
  /** Below `/repos/acme/shop`, already encoded, with its query. */
  readonly path: string;
  readonly body?: Readonly<Record<string, unknown>>;
  readonly accept?: string;
  /** What is asked for, in words, for the error: `reading pull request 42`. */
  readonly action: string;
  /** Statuses that are answers and no errors. */
  readonly statuses?: readonly number[];
}

export interface GithubAnswer {
  readonly status: number;
  readonly data: unknown;
}

export interface GithubClient {
  readonly kind: GithubCredential["kind"];
  /** One call. Throws `StacklingError` "Unreachable" for any status that is neither 2xx nor named. */
  call(call: GithubCall): Promise<GithubAnswer>;
  /** A GET that costs nothing of the rate limit while the answer is the same (ETag). */
  get(call: Omit<GithubCall, "method" | "body">): Promise<GithubAnswer>;
  /** A token that git may use for the repository; for an App one that ends within the hour. */
  gitToken(repository: string): Promise<string>;
  /** Login our comments bear; undefined where the server does not tell. */
  login(): Promise<string | undefined>;
  /** Permissions by name where they are known (App), else undefined. */
  permissions(repository: string): Promise<Readonly<Record<string, string>> | undefined>;
}

/** What GitHub answers when it will not do something, however often it is asked. */
export const REFUSED = [403, 404, 409, 410, 422, 501];

const REQUEST_TIMEOUT_MS = 15_000;
/** Longer than this nobody waits for a rate limit to pass; the next resync asks again. */
const LONGEST_RETRY_AFTER_SECONDS = 30;
const REMEMBERED_ANSWERS = 1_000;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 307, 308]);

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const installation = z.object({ id: z.number(), permissions: z.record(z.string(), z.string()) });

/**
 * A client for one credential. `rateLimits: false` is for Enterprise servers that have none: writes
 * are then not spaced out (GitHub asks for a second between writes: Best practices for using the REST API).
 */
export function createGithubClient({
  baseUrl,
  credential,
  rateLimits,
}: {
  baseUrl: string;
  credential: GithubCredential;
  rateLimits: boolean;
}): GithubClient {
  const mayWait = (seconds: number, _options: unknown, _octokit: unknown, retryCount: number) =>
    seconds <= LONGEST_RETRY_AFTER_SECONDS && retryCount < 1;
  const common = {
    baseUrl,
    log: silent,
    userAgent: "stackling",
    retry: { retries: 1 },
    throttle: { enabled: rateLimits, id: baseUrl, onRateLimit: mayWait, onSecondaryRateLimit: mayWait },
  };
  const ourselves =
    credential.kind === "token"
      ? new Octokit({ ...common, request: { fetch: withinLimit(fetchInTime) }, auth: credential.token })
      : new Octokit({
          ...common,
          request: { fetch: withinLimit(fetchInTime) },
          authStrategy: createAppAuth,
          auth: { appId: credential.appId, privateKey: credential.privateKey, log: silent },
        });
  const installations = new Map<string, Promise<{ octokit: Octokit; permissions: Record<string, string> }>>();
  /** By the id of an installation, all of whose repositories have one limit. */
  const limits = new Map<number, typeof fetch>();
  const remembered = new Map<string, { etag: string; answer: GithubAnswer }>();
  let login: Promise<string | undefined> | undefined;

  const installed = (repository: string, appCredential: Extract<GithubCredential, { kind: "app" }>) => {
    const known = installations.get(repository);
    if (known) return known;
    const finding = findInstallation(ourselves, repository).then(({ id, permissions }) => ({
      permissions,
      octokit: new Octokit({
        ...common,
        request: { fetch: limitOf(id) },
        throttle: { ...common.throttle, id: `${baseUrl} ${id}` },
        authStrategy: createAppAuth,
        auth: {
          appId: appCredential.appId,
          privateKey: appCredential.privateKey,
          installationId: id,
          log: silent,
        },
      }),
    }));
    installations.set(repository, finding);
    finding.catch(() => installations.delete(repository));
    return finding;
  };
  const limitOf = (id: number) => {
    const limit = limits.get(id) ?? withinLimit(fetchInTime);
    limits.set(id, limit);
    return limit;
  };
  const octokitFor = async (repository: string) =>
    credential.kind === "app" ? (await installed(repository, credential)).octokit : ourselves;

  const send = async (call: GithubCall, headers: Record<string, string>): Promise<GithubAnswer & { etag?: string }> => {
    const octokit = await octokitFor(call.repository);
    try {
      const response = await octokit.request({
        method: call.method ?? "GET",
        url: `${repositoryUrl(call.repository)}${call.path}`,
        headers: { accept: call.accept ?? "application/vnd.github+json", ...headers },
        ...(call.body ? { data: call.body } : {}),
      });
      return { status: response.status, data: response.data, etag: response.headers.etag };
    } catch (error) {
      const status = statusOf(error);
      // An App that was taken off the repository and put back has another installation.
      if (status === 401 || status === 404) installations.delete(call.repository);
      if (status !== undefined && !isRateLimit(error) && call.statuses?.includes(status))
        return { status, data: undefined };
      throw describe(call.action, error);
    }
  };

  return {
    kind: credential.kind,
    async call(call) {
      const { status, data } = await send(call, {});
      return { status, data };
    },
    async get(call) {
      const id = `${call.repository} ${call.path} ${call.accept ?? ""}`;
      const before = remembered.get(id);
      const statuses = [...(call.statuses ?? []), 304];
      const sent = await send({ ...call, statuses }, before ? { "if-none-match": before.etag } : {});
      if (sent.status === 304 && before) return before.answer;
      const answer = { status: sent.status, data: sent.data };
      remembered.delete(id);
      if (sent.etag && sent.status === 200) remembered.set(id, { etag: sent.etag, answer });
      const oldest = remembered.keys().next().value;
      if (remembered.size > REMEMBERED_ANSWERS && oldest !== undefined) remembered.delete(oldest);
      return answer;
    },
    async gitToken(repository) {
      if (credential.kind === "token") return credential.token;
      const { octokit } = await installed(repository, credential);
      try {
        return z.object({ token: z.string() }).parse(await octokit.auth({ type: "installation" })).token;
      } catch (error) {
        throw describe(`asking for a token for "${repository}"`, error);
      }
    },
    login() {
      login ??= findLogin(ourselves, credential.kind);
      login.catch(() => {
        login = undefined;
      });
      return login;
    },
    async permissions(repository) {
      return credential.kind === "app" ? (await installed(repository, credential)).permissions : undefined;
    },
  };
}

async function findInstallation(octokit: Octokit, repository: string): Promise<z.infer<typeof installation>> {
  try {
    const { data } = await octokit.request({ method: "GET", url: `${repositoryUrl(repository)}/installation` });
    return installation.parse(data);
  } catch (error) {
    if (statusOf(error) !== 404) throw describe(`finding the App's installation on "${repository}"`, error);
    throw unreachable(`finding the App's installation on "${repository}": it is not installed there`, error);
  }
}

async function findLogin(octokit: Octokit, kind: GithubCredential["kind"]): Promise<string | undefined> {
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

/** Errors are told by status alone: bodies and headers of a stranger's server do not belong in messages. */
function describe(action: string, error: unknown): StacklingError {
  if (error instanceof StacklingError) return error;
  const status = statusOf(error);
  if (status === undefined || !(error instanceof RequestError) || !error.response) {
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
function unreachable(userMessage: string, error: unknown): StacklingError {
  const cause = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return new StacklingError({ reason: "Unreachable", userMessage, cause });
}

/** A 403 of the rate limit passes by itself and says nothing about rights. */
function isRateLimit(error: unknown): boolean {
  if (!(error instanceof RequestError) || !error.response) return false;
  const { headers } = error.response;
  return headers["retry-after"] !== undefined || String(headers["x-ratelimit-remaining"]) === "0";
}

function statusOf(error: unknown): number | undefined {
  return error instanceof RequestError && error.response ? error.status : undefined;
}

function repositoryUrl(repository: string): string {
  const [owner, name, rest] = repository.split("/");
  const isName = (part: string | undefined) => part !== undefined && /^[\w.-]*[\w-][\w.-]*$/.test(part);
  if (rest === undefined && isName(owner) && isName(name)) return `/repos/${owner}/${name}`;
  throw new StacklingError({
    reason: "Unreachable",
    userMessage: `reading repository "${repository}": a GitHub repository is written as "owner/name"`,
  });
}

async function fetchInTime(url: string | URL | Request, init?: RequestInit): Promise<Response> {
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
