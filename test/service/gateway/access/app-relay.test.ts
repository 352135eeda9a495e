/** The application's own social login on previews, by one callback address for all of them. */
import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { createEmulator, type Emulator } from "emulate";
import * as client from "openid-client";
import { freePort } from "../../../support/free-port.ts";
import { aPreview } from "../../../support/previews.ts";
import { ask, DOMAIN, type Edge, HOST, startEdge, startUpstream, URLS } from "../edge.ts";

const OTHER = "pr-43-shop.localhost:4000";
const ELSEWHERE = "pr-7-blog.localhost:4000";
const CALLBACK = `http://${DOMAIN}/auth/relay/callback`;
const AUTHORIZE = "https://github.com/login/oauth/authorize?prompt=login";
const FORM = { "content-type": "application/x-www-form-urlencoded" };

describe("the relay for logins of applications", () => {
  let edge: Edge;
  let google: Emulator;
  let upstream: Awaited<ReturnType<typeof startUpstream>>;
  let now: Date;
  let seen: IncomingMessage[] = [];

  before(async () => {
    const oauth_clients = [{ client_id: "shop", client_secret: "s3cret", name: "Shop", redirect_uris: [CALLBACK] }];
    const seed = { google: { users: [{ email: "ada@acme.dev" }], oauth_clients } };
    google = await createEmulator({ service: "google", port: await freePort(), seed });
  });
  after(() => google.close());
  beforeEach(async () => {
    now = new Date();
    seen = [];
    upstream = await startUpstream((request, response) => {
      seen.push(request);
      response.end("the application");
    });
    const repository = { forge: "local", path: "/shop", target: "local", branches: [], secrets: {}, tags: {} };
    const shop = {
      ...repository,
      name: "shop",
      oauthRelay: { github: AUTHORIZE, acme: `${google.url}/o/oauth2/v2/auth` },
    };
    const repositories = [shop, { ...repository, name: "blog" }];
    edge = await startEdge({ access: { access: { kind: "public" }, environment: {}, repositories }, now: () => now });
    for (const number of [42, 43]) put(number, number === 42 ? URLS : { web: `http://${OTHER}` });
    edge.store.put(aPreview({ repository: "blog", number: 7, urls: { web: `http://${ELSEWHERE}` } }));
  });
  afterEach(async () => {
    await edge.close();
    await upstream.close();
  });

  function put(number: number, urls: Readonly<Record<string, string>>, live: object = {}): void {
    const preview = aPreview({ number, urls });
    const whole = preview.status.live;
    assert.ok(whole);
    edge.store.put({ ...preview, status: { ...preview.status, live: { ...whole, ...live } } });
    edge.addresses.set(`shop-pr-${number}/web`, upstream.address);
  }
  const begin = (query: Readonly<Record<string, string>>, { host = HOST, name = "github" } = {}) =>
    ask(edge.port, { host, path: `/.stackling/oauth/${name}?${new URLSearchParams(query)}` });
  const locationOf = ({ headers }: Awaited<ReturnType<typeof ask>>) => new URL(String(headers.location));
  const comeBack = (query: Readonly<Record<string, string>>) =>
    ask(edge.port, { host: DOMAIN, path: `/auth/relay/callback?${new URLSearchParams(query)}` });
  const envelope = async (query: Readonly<Record<string, string>> = {}) => {
    const begun = await begin({ return: "/auth/callback?from=x", state: "of the app", ...query });
    return locationOf(begun).searchParams.get("state") ?? assert.fail(begun.body);
  };

  it("takes a login there and back with all that the application and the provider said", async () => {
    const asked = { client_id: "shop", redirect_uri: CALLBACK, state: "a+b &c", code_challenge: "xyz", nonce: "n" };
    const begun = await begin({ ...asked, return: "/auth/callback?from=x" });
    assert.equal(begun.status, 303);
    const away = locationOf(begun);
    assert.equal(away.origin + away.pathname, "https://github.com/login/oauth/authorize");
    const { state = "", ...rest } = Object.fromEntries(away.searchParams);
    const { state: _own, ...others } = asked;
    assert.deepEqual(rest, { prompt: "login", ...others });
    const home = locationOf(await comeBack({ code: "c0de", iss: "https://github.com", state }));
    assert.equal(home.origin + home.pathname, `http://${HOST}/auth/callback`);
    assert.deepEqual(Object.fromEntries(home.searchParams), {
      from: "x",
      code: "c0de",
      iss: "https://github.com",
      state: "a+b &c",
    });
  });

  it("brings an error of the provider home as well, and no state where the application gave none", async () => {
    const begun = await begin({ return: "/callback" });
    const state = locationOf(begun).searchParams.get("state") ?? "";
    assert.equal(locationOf(begun).searchParams.get("redirect_uri"), CALLBACK);
    const home = locationOf(await comeBack({ error: "access_denied", state }));
    assert.equal(home.href, `http://${HOST}/callback?error=access_denied`);
  });

  it("logs in with openid-client, whose checks of state and PKCE hold", async () => {
    const config = await client.discovery(new URL(google.url), "shop", "s3cret", undefined, {
      execute: [client.allowInsecureRequests],
    });
    const [verifier, state] = [client.randomPKCECodeVerifier(), client.randomState()];
    const url = client.buildAuthorizationUrl(config, {
      redirect_uri: CALLBACK,
      scope: "openid email",
      state,
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
    });
    const begun = await begin({ ...Object.fromEntries(url.searchParams), return: "/callback" }, { name: "acme" });
    const fields = new URLSearchParams([...locationOf(begun).searchParams, ["email", "ada@acme.dev"]]);
    const consent = `${google.url}/o/oauth2/v2/auth/callback`;
    const answer = await fetch(consent, { method: "POST", body: fields, redirect: "manual" });
    const back = new URL(answer.headers.get("location") ?? "");
    assert.equal(back.origin + back.pathname, CALLBACK);
    const home = locationOf(await comeBack(Object.fromEntries(back.searchParams)));
    assert.equal(home.host, HOST);
    // What the provider was told is what the code is exchanged with, not the preview's own address.
    const called = new URL(CALLBACK + home.search);
    const tokens = await client.authorizationCodeGrant(config, called, {
      pkceCodeVerifier: verifier,
      expectedState: state,
    });
    assert.equal(tokens.claims()?.email, "ada@acme.dev");
  });

  it("takes the names that libraries append to the callback, and the form that a provider posts", async () => {
    const named = await begin({ return: "/callback", redirect_uri: `${CALLBACK}/github`, state: '"><b>' });
    const state = locationOf(named).searchParams.get("state") ?? "";
    const body = new URLSearchParams({ code: '"><script>', state }).toString();
    const page = await ask(edge.port, {
      host: DOMAIN,
      path: "/auth/relay/callback/github",
      method: "POST",
      headers: FORM,
      body,
    });
    assert.equal(page.status, 200);
    assert.ok(page.body.includes(`<form method="post" action="http://${HOST}/callback">`), page.body);
    assert.ok(page.body.includes('name="state" value="&#34;&#62;&#60;b&#62;"'), page.body);
    assert.doesNotMatch(page.body, /"><(script|b)>/);
    assert.match(String(page.headers["content-security-policy"]), new RegExp(`form-action http://${HOST};`));
  });

  it("is no open redirect: it sends on to no host but that of the preview whose login it was", async () => {
    const state = await envelope();
    const [head, , mac] = state.split(".");
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const claims = {
      iss: "stackling",
      aud: "relay",
      exp: 4e9,
      opened: ["github"],
      kept: { host: "evil.example", path: "/" },
    };
    for (const wrong of [
      `${head}.${part(claims)}.${mac}`,
      `${part({ alg: "none" })}.${part(claims)}.`,
      `${state}x`,
      "evil.example",
      "",
    ]) {
      const answer = await comeBack({ code: "c", state: wrong });
      assert.equal(answer.status, 400, wrong);
      assert.equal(answer.headers.location, undefined);
    }
    for (const path of ["//evil.example", "/\\evil.example", "https://evil.example", "evil", "", "/.stackling/door"]) {
      const answer = await begin({ return: path, state: "s" });
      assert.equal(answer.status, 400, path);
      assert.match(answer.body, /must be a path of the application/);
    }
    for (const host of ["evil.example", `${HOST}@evil.example`]) {
      assert.notEqual((await begin({ return: "/callback" }, { host })).status, 303, host);
    }
  });

  it("leads to no provider that the operator does not name, and back to no other address", async () => {
    for (const name of ["evil", "__proto__", "github/../evil", ""]) {
      const answer = await begin({ return: "/callback" }, { name });
      assert.equal(answer.headers.location, undefined, name);
    }
    assert.equal((await begin({ return: "/callback" }, { host: ELSEWHERE })).status, 400);
    for (const redirect_uri of [
      "https://evil.example",
      `${CALLBACK}.evil`,
      `${CALLBACK}/../../x`,
      `http://${HOST}/callback`,
    ]) {
      const answer = await begin({ return: "/callback", redirect_uri });
      assert.equal(answer.status, 400, redirect_uri);
      assert.match(answer.body, /STACKLING_OAUTH_CALLBACK/);
    }
    assert.match((await begin({ return: "/callback", request_uri: "urn:x" })).body, /cannot be relayed/);
    assert.match((await begin({ return: "/callback", state: "x".repeat(2_000) })).body, /longer than/);
  });

  it("takes nothing back after ten minutes, nor for a preview that went", async () => {
    const state = await envelope();
    assert.equal((await comeBack({ code: "c", state })).status, 303);
    await edge.store.setStatus("shop#42", { live: undefined });
    assert.equal((await comeBack({ code: "c", state })).status, 400);
    put(42, URLS);
    const late = await envelope();
    now = new Date(now.getTime() + 601_000);
    assert.equal((await comeBack({ code: "c", state: late })).status, 400);
  });

  it("is not for a stranger's pull request, approved or not", async () => {
    const state = await envelope();
    put(42, URLS, { untrusted: { isolated: true } });
    assert.match((await begin({ return: "/callback" })).body, /not trusted/);
    assert.equal((await comeBack({ code: "c", state })).status, 400);
  });

  it("takes no envelope for a state of its own doors, nor one of those for an envelope", async () => {
    const state = await envelope();
    const answer = await ask(edge.port, {
      host: DOMAIN,
      path: `/auth/callback?${new URLSearchParams({ code: "c", state })}`,
    });
    assert.equal(answer.status, 400);
  });
});
