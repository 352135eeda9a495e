/**
 * Who may act on the pages: a one-time login link, then a cookie. Both are signed with the API's token and
 * not kept, so that every replica takes what another gave out; a new token ends them all.
 */
import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import type { Caller } from "./roles.ts";

export interface Session extends Caller {
  /** Goes into every form and is compared when it comes back. */
  readonly csrf: string;
}

/** Who logged in elsewhere. What they may do is asked anew with each request, for it may have been taken. */
export interface LoggedIn {
  /** Mark of the login as it was configured: with another one all sessions end. */
  readonly provider: string;
  /** As people know them: `@login`, or an e-mail address. */
  readonly name: string;
  /** Of the names in `dashboard.roles` those that were theirs. */
  readonly ids: readonly string[];
  /** When they logged in, ISO 8601 UTC. */
  readonly at: string;
  /** Repositories that they could read, */
  readonly reads?: readonly string[];
  /** and write to. */
  readonly writes?: readonly string[];
}

/** What a cookie tells. Without `who` it is of a printed login link. */
export interface FoundSession {
  readonly csrf: string;
  readonly who?: LoggedIn;
}

export interface Sessions {
  /** A code for `/login/<code>`: 10 minutes, once (by one replica, which knows what it redeemed). */
  mint(): string;
  /** Value of the session's cookie; undefined when the code is unknown, used or too old. */
  redeem(code: string): string | undefined;
  /** Value of the cookie of somebody who logged in elsewhere; undefined where too much is to be remembered. */
  open(who: LoggedIn): string | undefined;
  find(cookie: string): FoundSession | undefined;
  /** Here at once; another replica takes the cookie, which the browser has forgotten, until its time is over. */
  end(cookie: string): void;
}

const LIFE_MS = { login: 10 * 60_000, session: 12 * 3_600_000 } as const;
const SPENT_MAX = 10_000;
/** Browsers take 4 KiB a cookie, its name and attributes among them (RFC 6265, 6.1). */
const WHO_MAX = 3_400;

const strings = z.array(z.string());
const loggedIn = z.object({
  provider: z.string(),
  name: z.string(),
  ids: strings,
  at: z.string(),
  reads: strings.optional(),
  writes: strings.optional(),
});

type Kind = keyof typeof LIFE_MS;
const SHAPE = /^(([0-9a-z]{1,11})\.[\w-]{32}(?:\.(?<who>[\w-]{1,3400}))?)\.([\w-]{43})$/;

/** `secret` signs; whoever knows it may do everything anyway. */
export function createSessions({ now, secret }: { readonly now: () => Date; readonly secret: string }): Sessions {
  const key = createHmac("sha256", secret).update("stackling sessions").digest();
  const sign = (text: string) => createHmac("sha256", key).update(text).digest("base64url");
  /** Digests of redeemed codes and ended cookies, with the time at which they would end by themselves. */
  const spent = new Map<string, number>();

  function issue(kind: Kind, who = ""): string {
    const until = (now().getTime() + LIFE_MS[kind]).toString(36);
    const body = `${until}.${randomBytes(24).toString("base64url")}${who && `.${who}`}`;
    return `${body}.${sign(`${kind}.${body}`)}`;
  }

  /** When it ends; undefined unless it is of this kind, ours, not over and not spent. */
  function endOf(kind: Kind, given: string): number | undefined {
    const [, body = "", until = "", _who, mac = ""] = SHAPE.exec(given) ?? [];
    if (!sameSecret(mac, sign(`${kind}.${body}`))) return undefined;
    const end = Number.parseInt(until, 36);
    return end >= now().getTime() && !spent.has(digest(given)) ? end : undefined;
  }

  function spend(given: string, end: number): void {
    for (const [id, over] of spent) if (over < now().getTime()) spent.delete(id);
    if (spent.size < SPENT_MAX) spent.set(digest(given), end);
  }

  return {
    mint: () => issue("login"),
    redeem(code) {
      const end = endOf("login", code);
      if (end === undefined || spent.size >= SPENT_MAX) return undefined;
      spend(code, end);
      return issue("session");
    },
    open(who) {
      const text = Buffer.from(JSON.stringify(who)).toString("base64url");
      return text.length > WHO_MAX ? undefined : issue("session", text);
    },
    find(cookie) {
      if (endOf("session", cookie) === undefined) return undefined;
      const csrf = sign(`csrf.${cookie}`);
      const text = SHAPE.exec(cookie)?.groups?.who;
      if (text === undefined) return { csrf };
      const who = readWho(text);
      return who && { csrf, who };
    },
    end(cookie) {
      const end = endOf("session", cookie);
      if (end !== undefined) spend(cookie, end);
    },
  };
}

/** Signed by us, and maybe by a version that wrote it otherwise. */
function readWho(text: string): LoggedIn | undefined {
  const { data } = loggedIn.safeParse(JSON.parse(Buffer.from(text, "base64url").toString("utf8")));
  if (!data) return undefined;
  const { provider, name, ids, at, reads, writes } = data;
  return { provider, name, ids, at, ...(reads ? { reads } : {}), ...(writes ? { writes } : {}) };
}

/** Compares in a time that tells nothing of where two texts differ, nor of their lengths. */
export function sameSecret(given: string, expected: string): boolean {
  return timingSafeEqual(createHash("sha256").update(given).digest(), createHash("sha256").update(expected).digest());
}

/** Only digests are kept and looked up, so that the lookup's time tells nothing of a secret. */
function digest(secret: string): string {
  return createHash("sha256").update(secret).digest("base64url");
}
