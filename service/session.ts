/** Who may act on the pages: a one-time login link, then a cookie. Kept in memory; a restart asks again. */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

export interface Session {
  /** Goes into every form and is compared when it comes back. */
  readonly csrf: string;
}

export interface Sessions {
  /** A code for `/login/<code>`: 10 minutes, once. */
  mint(): string;
  /** Value of the session's cookie; undefined when the code is unknown, used or too old. */
  redeem(code: string): string | undefined;
  find(cookie: string): Session | undefined;
  end(cookie: string): void;
}

const CODE_MS = 10 * 60_000;
const SESSION_MS = 12 * 3_600_000;
const CODES_MAX = 100;
const SESSIONS_MAX = 1_000;

export function createSessions({ now }: { readonly now: () => Date }): Sessions {
  const codes = new Map<string, number>();
  const sessions = new Map<string, { readonly csrf: string; readonly until: number }>();
  const random = () => randomBytes(32).toString("base64url");

  return {
    mint() {
      const code = random();
      codes.set(digest(code), now().getTime() + CODE_MS);
      dropOldest(codes, CODES_MAX);
      return code;
    },
    redeem(code) {
      const id = digest(code);
      const until = codes.get(id);
      codes.delete(id);
      if (until === undefined || until < now().getTime()) return undefined;
      const cookie = random();
      sessions.set(digest(cookie), { csrf: random(), until: now().getTime() + SESSION_MS });
      dropOldest(sessions, SESSIONS_MAX);
      return cookie;
    },
    find(cookie) {
      const id = digest(cookie);
      const session = sessions.get(id);
      if (session && session.until >= now().getTime()) return session;
      sessions.delete(id);
      return undefined;
    },
    end: (cookie) => void sessions.delete(digest(cookie)),
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

function dropOldest(map: Map<string, unknown>, max: number): void {
  for (const key of map.keys()) {
    if (map.size <= max) return;
    map.delete(key);
  }
}
