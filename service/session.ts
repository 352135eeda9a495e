/**
 * Who may act on the pages: a one-time login link, then a cookie. Both are signed with the API's token and
 * not kept, so that every replica takes what another gave out; a new token ends them all.
 */
import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";

export interface Session {
  /** Goes into every form and is compared when it comes back. */
  readonly csrf: string;
}

export interface Sessions {
  /** A code for `/login/<code>`: 10 minutes, once (by one replica, which knows what it redeemed). */
  mint(): string;
  /** Value of the session's cookie; undefined when the code is unknown, used or too old. */
  redeem(code: string): string | undefined;
  find(cookie: string): Session | undefined;
  /** Here at once; another replica takes the cookie, which the browser has forgotten, until its time is over. */
  end(cookie: string): void;
}

const LIFE_MS = { login: 10 * 60_000, session: 12 * 3_600_000 } as const;
const SPENT_MAX = 10_000;

type Kind = keyof typeof LIFE_MS;

/** `secret` signs; whoever knows it may do everything anyway. */
export function createSessions({ now, secret }: { readonly now: () => Date; readonly secret: string }): Sessions {
  const key = createHmac("sha256", secret).update("stackling sessions").digest();
  const sign = (text: string) => createHmac("sha256", key).update(text).digest("base64url");
  /** Digests of redeemed codes and ended cookies, with the time at which they would end by themselves. */
  const spent = new Map<string, number>();

  function issue(kind: Kind): string {
    const until = (now().getTime() + LIFE_MS[kind]).toString(36);
    const body = `${until}.${randomBytes(24).toString("base64url")}`;
    return `${body}.${sign(`${kind}.${body}`)}`;
  }

  /** When it ends; undefined unless it is of this kind, ours, not over and not spent. */
  function endOf(kind: Kind, given: string): number | undefined {
    const [, body = "", until = "", mac = ""] = /^(([0-9a-z]{1,11})\.[\w-]{32})\.([\w-]{43})$/.exec(given) ?? [];
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
    find: (cookie) => (endOf("session", cookie) === undefined ? undefined : { csrf: sign(`csrf.${cookie}`) }),
    end(cookie) {
      const end = endOf("session", cookie);
      if (end !== undefined) spend(cookie, end);
    },
  };
}

/** Compares in a time that tells nothing of where two texts differ, nor of their lengths. */
export function sameSecret(given: string, expected: string): boolean {
  return timingSafeEqual(createHash("sha256").update(given).digest(), createHash("sha256").update(expected).digest());
}

/** Only digests are kept and looked up, so that the lookup's time tells nothing of a secret. */
function digest(secret: string): string {
  return createHash("sha256").update(secret).digest("base64url");
}
