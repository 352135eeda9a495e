/** Who asks: a bearer of a token, a session of the pages, or anyone. Found out once for each request. */
import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { RequestHandler } from "express";
import { createAttempts, neighbourhood } from "../attempts.ts";
import { whenLeft } from "../leaving.ts";
import type { Caller, Rights } from "../roles.ts";
import { type LoggedIn, type Session, type Sessions, sameSecret } from "../session.ts";
import type { Tokens } from "../tokens/token.ts";

export type Visitor =
  | { readonly kind: "token"; readonly caller: Caller }
  | { readonly kind: "session"; readonly session: Session }
  /** With the seconds to wait where too many wrong tokens came from. */
  | { readonly kind: "anyone"; readonly retryAfterSeconds?: number };

export interface Visitors {
  /** Before every route of API and pages. */
  readonly identify: RequestHandler;
  /** Of a request that was identified. */
  of(request: IncomingMessage): Visitor;
  /** Seconds until wrong tokens from that address are looked at again; undefined while they are. */
  waitOf(request: IncomingMessage): Promise<number | undefined>;
  /** Who that is by now, where the answer goes on: the token may be revoked, and a role taken away. */
  again(request: IncomingMessage): Promise<Visitor>;
}

export interface AccessDeps {
  readonly visitors: Pick<Visitors, "of">;
  readonly sessions: Sessions;
  readonly cookieName: string;
}

export interface VisitorsDeps {
  /** The instance's own; secret. */
  readonly token: string;
  readonly tokens: Pick<Tokens, "callerOf">;
  readonly sessions: Pick<Sessions, "find">;
  readonly cookieName: string;
  readonly addressOf: (request: IncomingMessage) => string;
  /** What somebody may do who logged in elsewhere; undefined: nothing any more. Absent: nobody can. */
  readonly rightsOf?: (who: LoggedIn) => Promise<Rights | undefined>;
}

/** Wrong tokens that an address may send in a while; who sends more is not looked up any more. */
const WRONG = { most: 30, seconds: 60 } as const;
const RIGHT_MAX = 10_000;
/** How long an answer goes on at most once the right to it was taken away. */
const LOOK_EVERY_MS = 30_000;
const ANYONE: Visitor = { kind: "anyone" };

export function createVisitors(deps: VisitorsDeps): Visitors {
  const { token, tokens, sessions, cookieName, addressOf } = deps;
  const known = new WeakMap<IncomingMessage, Visitor>();
  const wrong = createAttempts(WRONG);
  /** Digests of those that were right the last time: they wait for nobody who has the same address. */
  const right = new Set<string>();

  /** A wrong token is nobody, not a fallback to the cookie. */
  async function bearerOf(request: IncomingMessage, authorization: string): Promise<Visitor> {
    const given = /^Bearer ([\x21-\x7e]{1,512})$/i.exec(authorization)?.[1] ?? "";
    if (given !== "" && sameSecret(given, token)) return { kind: "token", caller: { name: "api", role: "admin" } };
    const from = neighbourhood(addressOf(request));
    const digest = createHash("sha256").update(given).digest("base64");
    const retryAfterSeconds = right.has(digest) ? undefined : await wrong.waitOf(from);
    if (retryAfterSeconds !== undefined) return { kind: "anyone", retryAfterSeconds };
    const caller = await tokens.callerOf(given);
    if (caller) {
      if (right.size >= RIGHT_MAX) right.clear();
      right.add(digest);
      return { kind: "token", caller };
    }
    right.delete(digest);
    await wrong.spend(from);
    return ANYONE;
  }

  async function sessionOf(cookie: string): Promise<Visitor> {
    const found = sessions.find(cookie);
    if (!found) return ANYONE;
    const { csrf, who } = found;
    if (who === undefined) return { kind: "session", session: { csrf, name: "page", role: "admin" } };
    const rights = await deps.rightsOf?.(who);
    return rights ? { kind: "session", session: { csrf, name: who.name, ...rights } } : ANYONE;
  }

  const find = async (request: IncomingMessage): Promise<Visitor> => {
    const { authorization, cookie: header } = request.headers;
    if (authorization !== undefined) return bearerOf(request, authorization);
    const cookie = cookieOf(header, cookieName);
    return cookie === undefined ? ANYONE : sessionOf(cookie);
  };

  return {
    async identify(request, _response, next) {
      known.set(request, await find(request));
      next();
    },
    of: (request) => known.get(request) ?? ANYONE,
    waitOf: (request) => wrong.waitOf(neighbourhood(addressOf(request))),
    again: find,
  };
}

export function visitorOf({ visitors }: Pick<AccessDeps, "visitors">, request: IncomingMessage): Visitor {
  return visitors.of(request);
}

export function callerOf({ visitors }: Pick<AccessDeps, "visitors">, request: IncomingMessage): Caller | undefined {
  return callerIn(visitors.of(request));
}

export function callerIn(visitor: Visitor): Caller | undefined {
  if (visitor.kind === "session") return visitor.session;
  return visitor.kind === "token" ? visitor.caller : undefined;
}

/** One who was let in for as long as it goes on may be let in no more. */
export function endWithRight(response: ServerResponse, isStill: () => Promise<boolean>): void {
  const left = whenLeft(response);
  if (left.aborted) return;
  const looking = setInterval(async () => {
    // While the store does not answer, nobody's right is known to have ended.
    if (!(await isStill().catch(() => true))) response.destroy();
  }, LOOK_EVERY_MS);
  looking.unref();
  left.addEventListener("abort", () => clearInterval(looking));
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
