/**
 * By which key an application knows that it was Stackling who named a user. Each preview has a pair of its own, made
 * from the API's token and kept nowhere, so that every replica has the same. The application is given the public half:
 * whoever reads its environment can check tokens and make none.
 */
import { createECDH, createHmac, createPrivateKey, type KeyObject } from "node:crypto";
import { SignJWT } from "jose";

export interface LoginKeys {
  /** A JSON Web Key on one line. */
  publicOf(stack: string): string;
  /** Names a user to the preview at `audience` (its origin), for a minute. */
  sign(stack: string, told: { readonly user: string; readonly audience: string; readonly id: string }): Promise<string>;
}

export const LOGIN_SECONDS = 60;
const CURVE = "prime256v1";

interface Pair {
  readonly open: { readonly kty: "EC"; readonly crv: "P-256"; readonly x: string; readonly y: string };
  readonly secret: KeyObject;
}

/** `secret` is the API's token: whoever knows it may do everything anyway. */
export function createLoginKeys({ now, secret }: { readonly now: () => Date; readonly secret: string }): LoginKeys {
  const key = createHmac("sha256", secret).update("stackling seeded logins").digest();
  return {
    publicOf: (stack) => JSON.stringify({ ...pairOf(key, stack).open, alg: "ES256", use: "sig" }),
    sign: (stack, { user, audience, id }) => {
      const seconds = Math.floor(now().getTime() / 1000);
      return new SignJWT({})
        .setProtectedHeader({ alg: "ES256", typ: "JWT" })
        .setIssuer("stackling")
        .setSubject(user)
        .setAudience(audience)
        .setJti(id)
        .setIssuedAt(seconds)
        .setExpirationTime(seconds + LOGIN_SECONDS)
        .sign(pairOf(key, stack).secret);
    },
  };
}

function pairOf(key: Buffer, stack: string): Pair {
  const scalar = createHmac("sha256", key).update(stack).digest();
  const curve = createECDH(CURVE);
  // A number that the curve has none for would be thrown here: one name in four thousand million.
  curve.setPrivateKey(scalar);
  const point = curve.getPublicKey();
  const open = {
    kty: "EC",
    crv: "P-256",
    x: point.subarray(1, 33).toString("base64url"),
    y: point.subarray(33).toString("base64url"),
  } as const;
  const secret = createPrivateKey({ key: { ...open, d: scalar.toString("base64url") }, format: "jwk" });
  return { open, secret };
}
