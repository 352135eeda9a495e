/** Logins at a provider of OpenID Connect, and the door that opens to those whom the operator lets in. The only file that knows the client library. */
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
import type { DoorDeps, DoorMaker, SignIn } from "./door.ts";

const TIMEOUT_SECONDS = 10;

export const oidcDoor: DoorMaker<"oidc"> = (deps, options) => {
  const { issuer, clientId, allow, emailVerified } = options;
  const mark = `oidc:${deps.digest(JSON.stringify(["oidc", issuer, clientId, allow, emailVerified]))}`;
  const login = oidcLogin(deps, options);
  return {
    mark: async () => mark,
    signsIn: {
      ...login,
      finish: async (answered, way, visitor) => isAllowed(await login.finish(answered, way, visitor), options),
    },
  };
};

export type OidcClient = Pick<OidcOptions, "issuer" | "clientId" | "clientSecret" | "label">;

/** Ends with what the provider says of who came, which it has signed. */
export function oidcLogin(
  { secret }: Pick<DoorDeps, "secret">,
  { issuer, clientId, clientSecret, label }: OidcClient,
): SignIn<IDToken | undefined> {
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
    label: label ?? new URL(issuer).hostname,
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
      return tokens.claims();
    },
  };
}

/**
 * An address proves nothing that the provider has not checked: at many anybody may write down whose they like. Of one
 * that says nothing of it, the operator may know better. In lower case.
 */
export function addressOf(
  { email, email_verified: said }: IDToken,
  emailVerified: OidcOptions["emailVerified"],
): string | undefined {
  const isVerified = said === true || (said === undefined && emailVerified === "assume");
  return typeof email === "string" && isVerified ? email.toLowerCase() : undefined;
}

function isAllowed(claims: IDToken | undefined, { allow, emailVerified }: OidcOptions): boolean {
  if (claims === undefined) return false;
  if (allow === "everyone") return true;
  const address = addressOf(claims, emailVerified);
  if (address === undefined) return false;
  const domain = address.slice(address.lastIndexOf("@") + 1);
  const is = (one: string) => one.toLowerCase() === address;
  return (allow.emails?.some(is) ?? false) || (allow.domains?.some((one) => one.toLowerCase() === domain) ?? false);
}
