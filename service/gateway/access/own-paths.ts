/** What is ours of a request to a preview's host: names of cookies and headers, and addresses under `/.stackling/`. */
import type { IncomingMessage } from "node:http";

/** Header of test runners; in lower case, as Node gives it. */
export const BYPASS_HEADER = "x-stackling-bypass";
/** The same as a cookie, for browsers whose headers go to other sites too. */
export const BYPASS_COOKIE = "stackling-bypass";

const OWN = "/.stackling/";
export const DOOR_PATH = `${OWN}door`;
export const SHARE_PATH = `${OWN}share/`;
export const LOGIN_PATH = `${OWN}login`;
export const BACK_PATH = `${OWN}back`;
export const LOGOUT_PATH = `${OWN}logout`;
/** On Stackling's own host; a name may follow, for libraries that append their provider's. */
export const APP_CALLBACK_PATH = "/auth/relay/callback";
/** The name of a provider follows. */
export const OAUTH_PATH = `${OWN}oauth/`;
const EXACT = { door: DOOR_PATH, login: LOGIN_PATH, back: BACK_PATH, logout: LOGOUT_PATH } as const;

/**
 * `door` is asked by a form, `share` and `login` by a link, `back` by the way home from a login elsewhere, `oauth` by the
 * application's own way to one.
 */
export function ownPathOf(url: string | undefined): keyof typeof EXACT | "share" | "oauth" | undefined {
  // The second character decides for nearly all.
  if (url === undefined || url.charCodeAt(1) !== 46 /* "." */) return undefined;
  if (url.startsWith(SHARE_PATH)) return "share";
  if (url.startsWith(OAUTH_PATH)) return "oauth";
  const names = Object.keys(EXACT) as (keyof typeof EXACT)[];
  return names.find((name) => url === EXACT[name] || url.startsWith(`${EXACT[name]}?`));
}

/** One per port on `localhost`, because cookies know none; bound to this very host where the connection is encrypted. */
export function cookieName(which: "door" | "login", scheme: "http" | "https", domain: string): string {
  if (scheme === "https") return `__Host-stackling-${which}`;
  return `stackling-${which}-${/:(\d+)$/.exec(domain)?.[1] ?? "80"}`;
}

/** Takes what was meant for the gateway off a request. */
export function stripOwnRequest({ headers }: Pick<IncomingMessage, "headers">): void {
  if (headers[BYPASS_HEADER] !== undefined) delete headers[BYPASS_HEADER];
  const { cookie } = headers;
  if (cookie === undefined || !cookie.includes("stackling")) return;
  const kept = cookie.split(";").filter((part) => !isOwnCookie(part));
  if (kept.length > 0) headers.cookie = kept.join(";").trim();
  else delete headers.cookie;
}

/**
 * What an application may set of cookies: for its own host and no other (a `Domain` would reach every other
 * preview and the dashboard), and none of ours.
 */
export function allowedCookies(cookies: readonly string[]): string[] {
  return cookies
    .filter((cookie) => !isOwnCookie(cookie))
    .map((cookie) => cookie.replace(/;\s*domain\s*(=[^;]*)?(?=;|$)/gi, ""));
}

function isOwnCookie(text: string): boolean {
  return /^\s*(?:(?:__Host-)?stackling-|__Host-stackling=)/i.test(text);
}
