/**
 * What shows that somebody was let through: signed, not kept, so that every replica takes what another
 * gave out. Each is of one kind and for one host; a new token of the API ends them all.
 */
import { createHmac } from "node:crypto";
import { jwtVerify, SignJWT } from "jose";
import { z } from "zod";

/**
 * `door`: the cookie. `share`: in a link, and what a test runner may send. `login`: a cookie while its bearer is at
 * a login elsewhere, and `state`, what that one sends back, by which the way home is known; `oauth`, the same for logins
 * of applications.
 */
export type PassKind = "door" | "share" | "login" | "state" | "oauth";

export interface Pass {
  /** Marks of the doors that its bearer went through. */
  readonly opened: readonly string[];
  readonly until: Date;
  /** Of a login. */
  readonly kept?: Readonly<Record<string, string>>;
}

export interface Passes {
  issue(kind: PassKind, host: string, pass: Pass): Promise<string>;
  /** Undefined unless it is ours, of this kind, for this host and not over. */
  read(kind: PassKind, host: string, token: string): Promise<Pass | undefined>;
}

const claims = z.object({
  exp: z.number(),
  opened: z.array(z.string()),
  kept: z.record(z.string(), z.string()).optional(),
});
const ISSUER = "stackling";
const LENGTH_MAX = 3_072;
/** A page asks for a hundred things: its pass is checked once. */
const KNOWN_MAX = 10_000;

/** `secret` is the API's token: whoever knows it may do everything anyway. */
export function createPasses({ now, secret }: { readonly now: () => Date; readonly secret: string }): Passes {
  const key = createHmac("sha256", secret).update("stackling passes").digest();
  const known = new Map<string, Pass>();
  const isOver = ({ until }: Pass) => until.getTime() <= now().getTime();

  async function verify(kind: PassKind, host: string, token: string): Promise<Pass | undefined> {
    const options = { issuer: ISSUER, audience: host, typ: typeOf(kind), algorithms: ["HS256"], currentDate: now() };
    const verified = await jwtVerify(token, key, { ...options, requiredClaims: ["exp"] }).catch(() => undefined);
    const found = claims.safeParse(verified?.payload);
    if (!found.success) return undefined;
    const { exp, opened, kept } = found.data;
    return { opened, until: new Date(exp * 1000), ...(kept ? { kept } : {}) };
  }

  return {
    issue: (kind, host, { opened, until, kept }) =>
      new SignJWT({ opened: [...opened], ...(kept ? { kept: { ...kept } } : {}) })
        .setProtectedHeader({ alg: "HS256", typ: typeOf(kind) })
        .setIssuer(ISSUER)
        .setAudience(host)
        .setExpirationTime(Math.floor(until.getTime() / 1000))
        .sign(key),
    async read(kind, host, token) {
      if (token.length > LENGTH_MAX) return undefined;
      const id = `${kind} ${host} ${token}`;
      const pass = known.get(id) ?? (await verify(kind, host, token));
      if (!pass || isOver(pass)) {
        known.delete(id);
        return undefined;
      }
      if (known.size >= KNOWN_MAX) known.clear();
      known.set(id, pass);
      return pass;
    },
  };
}

function typeOf(kind: PassKind): string {
  return `stackling-${kind}+jwt`;
}
