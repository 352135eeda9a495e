/** Opens to whom a provider of OpenID Connect knows, as far as the operator lets them. The only file that knows the client library. */
import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  type Configuration,
  calculatePKCECodeChallenge,
  discovery,
  type IDToken,
  randomNonce,
  randomPKCECodeVerifier,
} from "openid-client";
import type { OidcOptions } from "../../config/access-types.ts";
import type { DoorMaker } from "./door.ts";

const TIMEOUT_SECONDS = 10;

export const oidcDoor: DoorMaker<"oidc"> = ({ secret, digest }, options) => {
  const { issuer, clientId, clientSecret, allow, emailVerified } = options;
  const mark = `oidc:${digest(JSON.stringify(["oidc", issuer, clientId, allow, emailVerified]))}`;
  let known: { readonly value: string; readonly provider: Promise<Configuration> } | undefined;

  /** Found once for each secret, and again after it could not be found. */
  async function find(): Promise<Configuration> {
    const value = await secret(clientSecret);
    if (known?.value !== value) {
      const execute = issuer.startsWith("http:") ? [allowInsecureRequests] : [];
      const found = discovery(new URL(issuer), clientId, value, undefined, { timeout: TIMEOUT_SECONDS, execute });
      known = { value, provider: found };
      found.catch(() => {
        known = undefined;
      });
    }
    return known.provider;
  }

  return {
    mark: async () => mark,
    signsIn: {
      label: options.label ?? new URL(issuer).hostname,
      async begin({ callback, state }) {
        const [verifier, nonce] = [randomPKCECodeVerifier(), randomNonce()];
        const url = buildAuthorizationUrl(await find(), {
          redirect_uri: callback,
          scope: "openid email profile",
          state,
          nonce,
          code_challenge: await calculatePKCECodeChallenge(verifier),
          code_challenge_method: "S256",
        });
        return { url: url.href, kept: { verifier, nonce } };
      },
      async finish(answered, { verifier, nonce, state }) {
        const tokens = await authorizationCodeGrant(await find(), answered, {
          pkceCodeVerifier: verifier,
          expectedNonce: nonce,
          expectedState: state,
          idTokenExpected: true,
        });
        return isAllowed(tokens.claims(), options);
      },
    },
  };
};

/**
 * An address proves nothing that the provider has not checked: at many anybody may write down whose they like. Of one
 * that says nothing of it, the operator may know better.
 */
function isAllowed(claims: IDToken | undefined, { allow, emailVerified }: OidcOptions): boolean {
  if (claims === undefined) return false;
  if (allow === "everyone") return true;
  const { email, email_verified: said } = claims;
  const isVerified = said === true || (said === undefined && emailVerified === "assume");
  if (typeof email !== "string" || !isVerified) return false;
  const address = email.toLowerCase();
  const domain = address.slice(address.lastIndexOf("@") + 1);
  const is = (one: string) => one.toLowerCase() === address;
  return (allow.emails?.some(is) ?? false) || (allow.domains?.some((one) => one.toLowerCase() === domain) ?? false);
}
