/** Doors that somebody else's login opens, against the emulators of Google (OpenID Connect) and GitHub. */
import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { after, afterEach, before, describe, it } from "node:test";
import { createEmulator, type Emulator } from "emulate";
import type { DoorOptions } from "../../../../service/config/access-types.ts";
import { freePort } from "../../../support/free-port.ts";
import { aPreview } from "../../../support/previews.ts";
import { ask, DOMAIN, type Edge, HOST, startEdge, startUpstream, URLS } from "../edge.ts";

const OTHER = "pr-43-shop.localhost:4000";
const CALLBACK = `http://${DOMAIN}/auth/callback`;
const HTML = { accept: "text/html" };
const client = { clientId: "stackling", clientSecret: { env: "CLIENT_SECRET" } } as const;
const registered = { client_id: "stackling", client_secret: "s3cret", name: "Stackling", redirect_uris: [CALLBACK] };

type Answer = Awaited<ReturnType<typeof ask>>;

describe("a login at a preview's door", () => {
  let edge: Edge;
  let google: Emulator;
  let github: Emulator;
  let upstream: Awaited<ReturnType<typeof startUpstream>>;

  before(async () => {
    google = await createEmulator({
      service: "google",
      port: await freePort(),
      seed: {
        google: {
          users: [{ email: "ada@acme.dev" }, { email: "mallory@evil.example" }, { email: "eve@sub.acme.dev" }],
          oauth_clients: [registered],
        },
      },
    });
    github = await createEmulator({
      service: "github",
      port: await freePort(),
      seed: {
        github: {
          users: [{ login: "acme" }, { login: "mallory" }],
          repos: [{ owner: "acme", name: "shop", private: true, auto_init: false }],
          oauth_apps: [registered],
        },
      },
    });
    upstream = await startUpstream((request, response) => response.end(`served ${request.url}`));
  });
  after(() => Promise.all([google.close(), github.close(), upstream.close()]));
  afterEach(() => edge.close());

  async function start(doors: DoorOptions, environment = { CLIENT_SECRET: "s3cret" }): Promise<void> {
    const shop = {
      name: "shop",
      forge: "hub",
      path: "acme/shop",
      target: "local",
      branches: [],
      secrets: {},
      tags: {},
    };
    const forges = [{ name: "hub", kind: "github" as const, options: { baseUrl: github.url } }];
    const access = { kind: "doors", doors, satisfy: "all" } as const;
    edge = await startEdge({ access: { access, environment, repositories: [shop], forges } });
    for (const number of [42, 43]) {
      edge.addresses.set(`shop-pr-${number}/web`, upstream.address);
      edge.store.put(aPreview({ number, urls: number === 42 ? URLS : { web: `http://${OTHER}` } }));
    }
  }
  const oidc = (allow: NonNullable<DoorOptions["oidc"]>["allow"]) =>
    start({ oidc: { issuer: google.url, ...client, allow, label: "Acme" } });
  const forge = () => start({ forge: { ...client, needs: "read", scope: "repo" } });

  const go = (location: string, cookie = "") => {
    const { host, pathname, search } = new URL(location);
    return ask(edge.port, { host, path: pathname + search, headers: { ...HTML, ...(cookie ? { cookie } : {}) } });
  };
  /** To the login, where somebody says who they are, and back to Stackling's own host. */
  async function signIn(door: string, fields: Record<string, string>): Promise<{ away: Answer; home: Answer }> {
    const away = await go(`http://${HOST}/.stackling/login?door=${door}&to=/cart`);
    assert.equal(away.status, 303);
    const asked = new URL(String(away.headers.location));
    const form = new URLSearchParams([...asked.searchParams, ...Object.entries(fields)]);
    const consent = door === "oidc" ? "/o/oauth2/v2/auth/callback" : "/login/oauth/callback";
    const answer = await fetch(asked.origin + consent, { method: "POST", body: form, redirect: "manual" });
    const back = answer.headers.get("location") ?? "";
    assert.ok(back.startsWith(`${CALLBACK}?`), back);
    return { away, home: await go(back) };
  }
  async function comeBack(door: string, fields: Record<string, string>): Promise<Answer> {
    const { away, home } = await signIn(door, fields);
    assert.equal(home.status, 303);
    return go(String(home.headers.location), cookieNamed("stackling-login-4000", away));
  }

  it("lets in who has an address of a domain that is allowed", async () => {
    await oidc({ domains: ["acme.dev"] });
    const page = await go(`http://${HOST}/cart`);
    assert.equal(page.status, 401);
    assert.match(page.body, /href="\/\.stackling\/login\?door=oidc&#38;to=%2Fcart">Sign in with Acme</);
    const back = await comeBack("oidc", { email: "ada@acme.dev" });
    assert.equal(back.headers.location, `http://${HOST}/cart`);
    const cookie = cookieNamed("stackling-door-4000", back);
    assert.equal((await go(`http://${HOST}/cart`, cookie)).body, "served /cart");
    assert.equal((await go(`http://${OTHER}/cart`, cookie)).status, 401);
  });

  it("lets in nobody else whom the provider knows", async () => {
    for (const allow of [{ domains: ["acme.dev"] }, { emails: ["ada@acme.dev"] }]) {
      await oidc(allow);
      for (const email of ["mallory@evil.example", "eve@sub.acme.dev"]) {
        const back = await comeBack("oidc", { email });
        assert.equal(back.status, 401, email);
        assert.match(back.body, /not open to you/);
        assert.equal(cookieNamed("stackling-door-4000", back), "");
      }
      await edge.close();
    }
    await oidc("everyone");
    assert.equal((await comeBack("oidc", { email: "mallory@evil.example" })).status, 303);
  });

  it("lets in who can see the repository, and nobody else", async () => {
    await forge();
    assert.match((await go(`http://${HOST}/`)).body, /Sign in with GitHub/);
    const back = await comeBack("forge", { login: "acme" });
    assert.equal(back.headers.location, `http://${HOST}/cart`);
    assert.equal((await go(`http://${HOST}/`, cookieNamed("stackling-door-4000", back))).status, 200);
    const stranger = await comeBack("forge", { login: "mallory" });
    assert.equal(stranger.status, 401);
    assert.match(stranger.body, /not open to you/);
  });

  it("comes home to the browser that began it, and to no other", async () => {
    await oidc("everyone");
    const { away, home } = await signIn("oidc", { email: "ada@acme.dev" });
    const location = String(home.headers.location);
    const begun = cookieNamed("stackling-login-4000", away);
    const again = cookieNamed("stackling-login-4000", (await signIn("oidc", { email: "ada@acme.dev" })).away);
    for (const cookie of ["", again, begun.replace("login", "door")]) {
      const answer = await go(location, cookie);
      assert.equal(answer.status, 401);
      assert.match(answer.body, /not begun here/);
    }
    assert.equal((await go(location.replace(HOST, OTHER), begun)).status, 401);
    assert.equal((await go(location, begun)).status, 303);
    // Its code was used.
    assert.equal((await go(location, begun)).status, 503);
  });

  it("is sent on to no host that no preview of ours began it at", async () => {
    await oidc("everyone");
    const { away } = await signIn("oidc", { email: "ada@acme.dev" });
    const state = new URL(String(away.headers.location)).searchParams.get("state") ?? "";
    const [head, , mac] = state.split(".");
    const claims = { iss: "stackling", aud: "relay", exp: 4_000_000_000, opened: [], kept: { host: "evil.example" } };
    const forged = `${head}.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.${mac}`;
    const unsigned = `${Buffer.from('{"alg":"none"}').toString("base64url")}.${forged.split(".")[1]}.`;
    for (const wrong of [forged, unsigned, "", "evil.example", `${state}x`]) {
      const answer = await go(`${CALLBACK}?${new URLSearchParams({ code: "c", state: wrong })}`);
      assert.equal(answer.status, 400, wrong);
      assert.equal(answer.headers.location, undefined);
    }
  });

  it("says so when it was broken off, and stays shut when the provider refuses us", async () => {
    await oidc("everyone");
    const { away, home } = await signIn("oidc", { email: "ada@acme.dev" });
    const cancelled = String(home.headers.location).replace(/code=[^&]*/, "error=access_denied");
    assert.match((await go(cancelled, cookieNamed("stackling-login-4000", away))).body, /not finished/);
    await edge.close();
    await start({ oidc: { issuer: google.url, ...client, allow: "everyone" } }, { CLIENT_SECRET: "wrong" });
    const back = await comeBack("oidc", { email: "ada@acme.dev" });
    assert.equal(back.status, 503);
    assert.equal(cookieNamed("stackling-door-4000", back), "");
    assert.equal(edge.errors.length, 1);
  });
});

/** `name=value` as a browser would send it; empty when it was not set, or taken back. */
function cookieNamed(name: string, { headers }: { readonly headers: IncomingMessage["headers"] }): string {
  const set = headers["set-cookie"]?.find((cookie) => cookie.startsWith(`${name}=`) && !cookie.startsWith(`${name}=;`));
  return set?.split(";")[0] ?? "";
}
