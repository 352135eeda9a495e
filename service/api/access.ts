/** Who asks: a bearer of the token, a session of the pages, or anyone. */
import type { IncomingMessage } from "node:http";
import { type Session, type Sessions, sameSecret } from "../session.ts";

export type Visitor =
  | { readonly kind: "token" }
  | { readonly kind: "session"; readonly session: Session }
  | { readonly kind: "anyone" };

export interface AccessDeps {
  readonly token: string;
  readonly sessions: Sessions;
  readonly cookieName: string;
}

/** A wrong token is nobody, not a fallback to the cookie. */
export function visitorOf({ token, sessions, cookieName }: AccessDeps, { headers }: IncomingMessage): Visitor {
  const { authorization } = headers;
  if (authorization !== undefined) {
    const given = /^Bearer ([\x21-\x7e]{1,512})$/i.exec(authorization)?.[1];
    return given !== undefined && sameSecret(given, token) ? { kind: "token" } : { kind: "anyone" };
  }
  const cookie = cookieOf(headers.cookie, cookieName);
  const session = cookie === undefined ? undefined : sessions.find(cookie);
  return session ? { kind: "session", session } : { kind: "anyone" };
}

/**
 * True when a browser says that another site's page sent this. Previews are on sibling hosts, so
 * "same site" is not enough.
 */
export function isForeign({ headers }: IncomingMessage): boolean {
  const { origin, host } = headers;
  if (origin !== undefined) return !URL.canParse(origin) || new URL(origin).host !== host?.toLowerCase();
  const site = headers["sec-fetch-site"];
  return site !== undefined && site !== "same-origin" && site !== "none";
}

export function cookieOf(header: string | undefined, name: string): string | undefined {
  for (const part of header?.split(";") ?? []) {
    const at = part.indexOf("=");
    if (at !== -1 && part.slice(0, at).trim() === name) return part.slice(at + 1).trim();
  }
  return undefined;
}
