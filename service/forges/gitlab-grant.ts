/** What GitLab gave to an OAuth application: a token for two hours, and one that renews it, once (docs, "OAuth 2.0 identity provider API"). */
import { z } from "zod";
import { StacklingError, TerminalError } from "../../components/errors.ts";
import type { ForgeGround } from "./forge.ts";
import { NotConnected } from "./not-connected.ts";

export interface GitlabApplication {
  /** Where people find the server, without a slash at its end. */
  readonly url: string;
  readonly id: string;
  readonly secret: string;
}

/** As it is kept; secret but for the address. */
export const gitlabGrant = z.object({
  url: z.string(),
  accessToken: z.string().min(1),
  refreshToken: z.string().min(1),
  /** ISO 8601 UTC */
  until: z.string(),
});
export type GitlabGrant = z.infer<typeof gitlabGrant>;

const answer = z.object({
  access_token: z.string().min(1),
  refresh_token: z.string().min(1),
  expires_in: z.int().positive().default(7_200),
});

const ANSWER_WITHIN_MS = 15_000;
const ANSWER_MAX_CHARS = 64 * 1024;
/** Renewed before it ends, so that no call is begun with one that ends under way. */
const SPARE_MS = 5 * 60_000;
/** What was read counts for so long: another replica may have renewed it. */
const FRESH_MS = 60_000;

/**
 * Exchanges a code or a token for a grant. Throws `TerminalError` (`GrantRefused`) when GitLab does not take it,
 * `StacklingError` when it does not answer; neither repeats what it said.
 */
export async function takeGrant(
  { url, id, secret }: GitlabApplication,
  given: Readonly<Record<string, string>>,
  now: () => Date,
): Promise<GitlabGrant> {
  const action = `asking "${url}" for a token`;
  const response = await fetch(`${url}/oauth/token`, {
    method: "POST",
    headers: { accept: "application/json", "user-agent": "stackling" },
    body: new URLSearchParams({ client_id: id, client_secret: secret, ...given }),
    redirect: "error",
    signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
  }).catch((cause: unknown) => {
    throw new StacklingError({ reason: "Unreachable", userMessage: `${action}: it does not answer`, cause });
  });
  const text = await response.text().catch(() => "");
  if (response.status === 400 || response.status === 401) {
    const userMessage = `${action}: refused; connect it anew, and look whether the application's id and secret are right`;
    throw new TerminalError({ reason: "GrantRefused", userMessage });
  }
  const found = response.ok && text.length <= ANSWER_MAX_CHARS ? answer.safeParse(jsonOf(text)).data : undefined;
  if (!found) {
    const userMessage = `${action}: it answered ${response.status}, which is not what GitLab answers`;
    throw new StacklingError({ reason: "Unreachable", userMessage });
  }
  const until = new Date(now().getTime() + found.expires_in * 1000).toISOString();
  return { url, accessToken: found.access_token, refreshToken: found.refresh_token, until };
}

/** The token to ask with now, renewed in time by one replica for all. Rejects with `StacklingError` while there is none. */
export function grantedToken(
  application: GitlabApplication,
  { kept, change, homeUrl }: Pick<ForgeGround, "kept" | "change" | "homeUrl">,
  now: () => Date = () => new Date(),
): () => Promise<string> {
  const connectUrl = `${homeUrl}/gitlab`;
  let held: { readonly grant: GitlabGrant; readonly readAtMs: number } | undefined;
  let asking: Promise<string> | undefined;

  const isGood = ({ until }: GitlabGrant) => Date.parse(until) - now().getTime() > SPARE_MS;
  const read = (text: string | undefined): GitlabGrant => {
    const grant = text === undefined ? undefined : gitlabGrant.parse(JSON.parse(text));
    if (!grant)
      throw new NotConnected(
        "GitLab",
        `it is not connected yet, or was with another API token; an admin does so at ${connectUrl}`,
      );
    if (grant.url === application.url) return grant;
    throw new NotConnected(
      "GitLab",
      `it was connected at "${grant.url}" and the config names "${application.url}"; connect it anew at ${connectUrl}`,
    );
  };
  const renew = async (): Promise<GitlabGrant> => {
    let newest: GitlabGrant | undefined;
    await change(async (text) => {
      const before = read(text);
      // Another replica was faster.
      newest = isGood(before) ? before : await refresh(before);
      return JSON.stringify(newest);
    });
    return newest ?? read(undefined);
  };
  const refresh = ({ refreshToken }: GitlabGrant) =>
    takeGrant(
      application,
      { grant_type: "refresh_token", refresh_token: refreshToken, redirect_uri: redirectUri(homeUrl) },
      now,
    );
  const ask = async () => {
    const found = read(await kept());
    const grant = isGood(found) ? found : await renew();
    held = { grant, readAtMs: now().getTime() };
    return grant.accessToken;
  };

  return async () => {
    if (held && isGood(held.grant) && now().getTime() - held.readAtMs < FRESH_MS) return held.grant.accessToken;
    asking ??= ask().finally(() => {
      asking = undefined;
    });
    return asking;
  };
}

/** To be named in the application's settings. */
export function redirectUri(homeUrl: string): string {
  return `${homeUrl}/gitlab/connected`;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
