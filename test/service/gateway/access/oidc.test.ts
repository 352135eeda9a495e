/** Whose e-mail addresses the door believes, by a provider that says of them what it is told to. */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from "jose";
import type { OidcOptions } from "../../../../service/config/access-types.ts";
import { oidcDoor } from "../../../../service/gateway/access/oidc.ts";
import { startUpstream } from "../edge.ts";

const CALLBACK = "http://localhost:4000/auth/callback";
const visitor = { address: "127.0.0.1", host: "pr-42-shop.localhost", repository: "shop" };
const deps = { secret: async () => "s3cret", digest: (text: string) => text, placeOf: () => undefined, forgeLabel: "" };

describe("an address that a provider tells", () => {
  let provider: Awaited<ReturnType<typeof startUpstream>>;
  let keys: Awaited<ReturnType<typeof generateKeyPair>>;
  let claims: JWTPayload = {};

  before(async () => {
    keys = await generateKeyPair("RS256", { extractable: true });
    const jwk = { ...(await exportJWK(keys.publicKey)), alg: "RS256", kid: "1" };
    provider = await startUpstream(async (request, response) => {
      response.setHeader("Content-Type", "application/json");
      const issuer = `http://${provider.address}`;
      if (request.url === "/jwks") return response.end(JSON.stringify({ keys: [jwk] }));
      if (request.url !== "/token") {
        const endpoints = { authorization_endpoint: `${issuer}/authorize`, token_endpoint: `${issuer}/token` };
        return response.end(JSON.stringify({ issuer, ...endpoints, jwks_uri: `${issuer}/jwks` }));
      }
      const token = new SignJWT(claims).setProtectedHeader({ alg: "RS256", kid: "1" }).setIssuer(issuer);
      const id_token = await token
        .setAudience("stackling")
        .setSubject("1")
        .setIssuedAt()
        .setExpirationTime("1m")
        .sign(keys.privateKey);
      response.end(JSON.stringify({ access_token: "a", token_type: "bearer", id_token }));
    });
  });
  after(() => provider.close());
  afterEach(() => {
    claims = {};
  });

  async function opensTo(told: JWTPayload, more: Partial<OidcOptions> = {}): Promise<boolean> {
    const allow = { domains: ["acme.dev"] };
    const options = { issuer: `http://${provider.address}`, clientId: "stackling", clientSecret: { env: "S" }, allow };
    const { signsIn } = oidcDoor(deps, { ...options, ...more });
    assert.ok(signsIn);
    const { url, kept } = await signsIn.begin({ callback: CALLBACK, state: "s" }, visitor);
    claims = { ...told, nonce: new URL(url).searchParams.get("nonce") ?? "" };
    return signsIn.finish(new URL(`${CALLBACK}?code=c&state=s`), { ...kept, state: "s" }, visitor);
  }

  it("opens the door once the provider has checked it", async () => {
    assert.equal(await opensTo({ email: "ada@acme.dev", email_verified: true }), true);
    assert.equal(await opensTo({ email: "ada@evil.example", email_verified: true }), false);
  });

  it("opens nothing where the provider has not, or does not say", async () => {
    for (const said of [{ email_verified: false }, {}, { email_verified: "false" }, { email_verified: "true" }]) {
      assert.equal(await opensTo({ email: "ada@acme.dev", ...said }), false, JSON.stringify(said));
    }
  });

  it("is believed unsaid where the operator knows better, and never against the provider's word", async () => {
    const assumed = { emailVerified: "assume" } as const;
    assert.equal(await opensTo({ email: "ada@acme.dev" }, assumed), true);
    assert.equal(await opensTo({ email: "ada@acme.dev", email_verified: false }, assumed), false);
    assert.equal(await opensTo({ email: "ada@evil.example" }, assumed), false);
  });

  it("does not matter where everyone may come in whom the provider knows", async () => {
    assert.equal(await opensTo({}, { allow: "everyone" }), true);
  });
});
