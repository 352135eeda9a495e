/** Talks to GitHub's REST API: who we are, how often we may ask, and what its errors mean. */
import { createAppAuth } from "@octokit/auth-app";
import { Octokit, RequestError } from "octokit";
import { z } from "zod";
import { StacklingError } from "../../components/errors.ts";
import { createWrites, type GithubLimit, requestsLeft, type Writes, withinLimit } from "./github-limit.ts";
import { fetchInTime, repositoryUrl, told, unreachable } from "./github-request.ts";
import { HeldBack } from "./held-back.ts";

export type GithubCredential =
  | { readonly kind: "token"; readonly token: string }
  | { readonly kind: "app"; readonly appId: string; readonly privateKey: string };

export interface GithubCall {
  /** `acme/shop` */
  readonly repository: string;
  readonly method?: "GET" | "POST" | "PATCH";
  /** Below `/repos/acme/shop`, already encoded, with its query. */
  readonly path: string;
  /** `path` is the whole one, asked for with what the repository is read with. */
  readonly whole?: boolean;
  readonly body?: Readonly<Record<string, unknown>>;
  readonly accept?: string;
  /** What is asked for, in words, for the error: `reading pull request 42`. */
  readonly action: string;
  /** Statuses that are answers and no errors. */
  readonly statuses?: readonly number[];
  /** A write that people wait for: it goes when others are held back already. */
  readonly urgent?: boolean;
}

/** Of no repository: `path` is the whole one. */
export type OwnCall = Omit<GithubCall, "repository" | "urgent" | "whole">;

export interface GithubAnswer {
  readonly status: number;
  readonly data: unknown;
  /** Of a list that goes on and is read by cursors. */
  readonly nextCursor?: string;
}

export interface GithubClient {
  readonly kind: GithubCredential["kind"];
  /**
   * One call. Throws `StacklingError` "Unreachable" for any status that is neither 2xx nor named, and
   * `HeldBack` for a write that would be more than GitHub wants of one installation.
   */
  call(call: GithubCall): Promise<GithubAnswer>;
  /** A GET that costs nothing of the rate limit while the answer is the same (ETag). */
  get(call: Omit<GithubCall, "method" | "body">): Promise<GithubAnswer>;
  /** A token that git may use for the repository; for an App one that ends within the hour. */
  gitToken(repository: string): Promise<string>;
  /** Login our comments bear; undefined where the server does not tell. */
  login(): Promise<string | undefined>;
  /** Permissions by name as they are now, where they are known (App), else undefined. */
  permissions(repository: string): Promise<Readonly<Record<string, string>> | undefined>;
  /** As the App itself, or as the token's owner. */
  ask(call: OwnCall): Promise<GithubAnswer>;
  /** As one installation of the App; with a token as its owner. */
  asInstallation(id: number, call: OwnCall): Promise<GithubAnswer>;
  /** What is left of each limit that was met so far. */
  limits(): Promise<readonly GithubLimit[]>;
  /** Something about installations changed: nothing that was learned of them counts any more. */
  forget(): void;
}

/** What GitHub answers when it will not do something, however often it is asked. */
export const REFUSED = [403, 404, 409, 410, 422, 501];

/** Longer than this nobody waits for a rate limit to pass; the next resync asks again. */
const LONGEST_RETRY_AFTER_SECONDS = 30;
const REMEMBERED_ANSWERS = 1_000;

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
  const ownFetch = withinLimit(fetchInTime);
  const ourselves =
    credential.kind === "token"
      ? new Octokit({ ...common, request: { fetch: ownFetch }, auth: credential.token })
      : new Octokit({
          ...common,
          request: { fetch: ownFetch },
          authStrategy: createAppAuth,
          auth: { appId: credential.appId, privateKey: credential.privateKey, log: silent },
        });
  const own: Place = { who: "the token", octokit: ourselves, writes: createWrites(rateLimits) };
  const ids = new Map<string, Promise<number>>();
  /** By the id of an installation, all of whose repositories have one token and one limit. */
  const places = new Map<number, Place>();
  const remembered = new Map<string, { etag: string; answer: GithubAnswer }>();
  let login: Promise<string | undefined> | undefined;

  const installationOf = (repository: string) => {
    const known = ids.get(repository);
    if (known) return known;
    const finding = findInstallation(ourselves, repository).then(({ id }) => id);
    ids.set(repository, finding);
    finding.catch(() => ids.delete(repository));
    return finding;
  };
  const placeOf = (installationId: number): Place => {
    if (credential.kind === "token") return own;
    const known = places.get(installationId);
    if (known) return known;
    const { appId, privateKey } = credential;
    const octokit = new Octokit({
      ...common,
      request: { fetch: withinLimit(fetchInTime) },
      throttle: { ...common.throttle, id: `${baseUrl} ${installationId}` },
      authStrategy: createAppAuth,
      auth: { appId, privateKey, installationId, log: silent },
    });
    const place = { who: `installation ${installationId}`, octokit, writes: createWrites(rateLimits) };
    places.set(installationId, place);
    return place;
  };
  const placeFor = async (repository: string) =>
    credential.kind === "app" ? placeOf(await installationOf(repository)) : own;

  const send = async (call: GithubCall, headers: Record<string, string>, tries = 0): Promise<Sent> => {
    const url = repositoryUrl(call.repository);
    const place = await placeFor(call.repository);
    const isWrite = call.method !== undefined && call.method !== "GET";
    const heldMs = isWrite && tries === 0 ? place.writes.take(call.urgent ?? false) : 0;
    if (heldMs > 0) throw new HeldBack(call.action, heldMs);
    try {
      return await requestOn(place.octokit, { ...call, path: call.whole ? call.path : `${url}${call.path}` }, headers);
    } catch (error) {
      const status = statusOf(error);
      // An App that was taken off the repository and put back has another installation.
      if (status === 401 || status === 404) ids.delete(call.repository);
      if (status === 401) renew(place);
      // A token that ended before its time: nothing was done with it.
      if (status === 401 && credential.kind === "app" && tries === 0) return send(call, headers, 1);
      return answerOr(error, call);
    }
  };
  /** The next one asks for a token of its own. */
  const renew = (place: Place) => {
    for (const [id, held] of places) if (held === place) places.delete(id);
  };
  const askOn = async ({ octokit }: Place, call: OwnCall): Promise<GithubAnswer> => {
    const sent: Sent = await requestOn(octokit, call, {}).catch((error: unknown) => answerOr(error, call));
    const { etag: _, ...answer } = sent;
    return answer;
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
      const { octokit } = await placeFor(repository);
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
      return credential.kind === "app" ? (await findInstallation(ourselves, repository)).permissions : undefined;
    },
    ask: (call) => askOn(own, call),
    asInstallation: (id, call) => askOn(placeOf(id), call),
    limits: () => Promise.all((credential.kind === "token" ? [own] : [...places.values()]).map(leftOf)),
    forget() {
      ids.clear();
      places.clear();
    },
  };
}

/** Whom a call is made as, with the limits of that one. */
interface Place {
  readonly who: string;
  readonly octokit: Octokit;
  readonly writes: Writes;
}

type Sent = GithubAnswer & { readonly etag?: string };

async function requestOn(octokit: Octokit, call: OwnCall, headers: Record<string, string>): Promise<Sent> {
  const response = await octokit.request({
    method: call.method ?? "GET",
    url: call.path,
    headers: { accept: call.accept ?? "application/vnd.github+json", ...headers },
    ...(call.body ? { data: call.body } : {}),
  });
  const [, next] = /<([^>]+)>; *rel="next"/.exec(response.headers.link ?? "") ?? [];
  const nextCursor = next ? new URL(next).searchParams.get("cursor") : null;
  const { status, data, headers: got } = response;
  return { status, data, etag: got.etag, ...(nextCursor ? { nextCursor } : {}) };
}

function answerOr(error: unknown, { action, statuses }: Pick<GithubCall, "action" | "statuses">): GithubAnswer {
  const status = statusOf(error);
  if (status !== undefined && !isRateLimit(error) && statuses?.includes(status)) return { status, data: undefined };
  throw describe(action, error);
}

/** Asking costs nothing of the limit. Source: REST API, "Get rate limit status for the authenticated user". */
async function leftOf({ who, octokit, writes }: Place): Promise<GithubLimit> {
  const sent = await requestOn(octokit, { path: "/rate_limit", action: "" }, {}).catch(() => undefined);
  const requests = requestsLeft(sent?.data);
  return { who, writes: writes.lastHour(), ...(requests ? { requests } : {}) };
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

function describe(action: string, error: unknown): StacklingError {
  return error instanceof StacklingError ? error : told(action, statusOf(error), error);
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
