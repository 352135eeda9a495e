/** Talks to GitHub about repositories: as whom, and how much may be written. */
import type { GithubLimit } from "./github-limit.ts";
import {
  answerOr,
  findInstallation,
  findLogin,
  type GithubServer,
  isWrite,
  leftOf,
  type Place,
  placesOn,
  requestOn,
  SERVER,
  type Sent,
  statusOf,
  tokenOf,
} from "./github-octokit.ts";
import { rememberAnswers } from "./github-remembered.ts";
import { HeldBack } from "./held-back.ts";
import { repositoryUrl } from "./repository-url.ts";

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

/** A client for one credential. */
export function createGithubClient(server: GithubServer): GithubClient {
  const { credential } = server;
  const placeAs = placesOn(server);
  const own = placeAs();
  const ids = new Map<string, Promise<number>>();
  /** By the id of an installation, all of whose repositories have one token and one limit. */
  const places = new Map<number, Place>();
  const remembered = rememberAnswers();
  let login: Promise<string | undefined> | undefined;

  const installationOf = (repository: string) => {
    const known = ids.get(repository);
    if (known) return known;
    const finding = findInstallation(own, repository).then(({ id }) => id);
    ids.set(repository, finding);
    finding.catch(() => ids.delete(repository));
    return finding;
  };
  const placeOf = (installationId: number): Place => {
    if (credential.kind === "token") return own;
    const known = places.get(installationId);
    if (known) return known;
    const place = placeAs(installationId);
    places.set(installationId, place);
    return place;
  };
  const placeFor = async (repository: string) =>
    credential.kind === "app" ? placeOf(await installationOf(repository)) : own;

  const send = async (call: GithubCall, headers: Record<string, string>, tries = 0): Promise<Sent> => {
    const url = repositoryUrl(call.repository, SERVER);
    const place = await placeFor(call.repository);
    const heldMs = isWrite(call) && tries === 0 ? place.writes.take(call.urgent ?? false) : 0;
    if (heldMs > 0) throw new HeldBack(call.action, heldMs);
    try {
      return await requestOn(place, { ...call, path: call.whole ? call.path : `${url}${call.path}` }, headers);
    } catch (error) {
      const status = statusOf(error);
      // An App that was taken off the repository and put back has another installation. A 404 that is an answer says
      // nothing of that: a file, a branch or a person is not there.
      const isUnseen = status === 404 && !call.statuses?.includes(status);
      if (status === 401 || isUnseen) ids.delete(call.repository);
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
  const askOn = async (place: Place, call: OwnCall): Promise<GithubAnswer> => {
    const sent: Sent = await requestOn(place, call, {}).catch((error: unknown) => answerOr(error, call));
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
      const before = remembered.find(id);
      const statuses = [...(call.statuses ?? []), 304];
      const sent = await send({ ...call, statuses }, before ? { "if-none-match": before.etag } : {});
      if (sent.status === 304 && before) return before.answer;
      const answer = { status: sent.status, data: sent.data };
      remembered.keep(id, sent.etag && sent.status === 200 ? { etag: sent.etag, answer } : undefined);
      return answer;
    },
    async gitToken(repository) {
      if (credential.kind === "token") return credential.token;
      return tokenOf(await placeFor(repository), repository);
    },
    login() {
      login ??= findLogin(own, credential.kind);
      login.catch(() => {
        login = undefined;
      });
      return login;
    },
    async permissions(repository) {
      return credential.kind === "app" ? (await findInstallation(own, repository)).permissions : undefined;
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
