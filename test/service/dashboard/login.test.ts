/** Login to the pages, against the emulators of GitHub and Google (OpenID Connect). */
import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { after, afterEach, before, describe, it } from "node:test";
import { createEmulator, type Emulator } from "emulate";
import type { DashboardConfig } from "../../../service/config/dashboard.ts";
import type { ForgePeople, Right } from "../../../service/forges/people.ts";
import { createPasses } from "../../../service/gateway/access/passes.ts";
import { createRelay } from "../../../service/gateway/access/relay.ts";
import { createPageLogin } from "../../../service/login/login.ts";
import { freePort } from "../../support/free-port.ts";
import { aPreview } from "../../support/previews.ts";
import { type AppEdge, startApp, TOKEN } from "../app/app-edge.ts";

const DOMAIN = "localhost:4000";
const CALLBACK = `http://${DOMAIN}/auth/callback`;
const client = { clientId: "stackling", clientSecret: { env: "CLIENT_SECRET" } } as const;
const registered = { client_id: "stackling", client_secret: "s3cret", name: "Stackling", redirect_uris: [CALLBACK] };

describe("a login to the pages", () => {
  let edge: AppEdge;
  let google: Emulator;
  let github: Emulator;
  /** What the forge says now; of whom it is silent nobody may ask. */
  const rights = new Map<string, Right>();
  let laterMs = 0;
  let isForgeAway = false;

  before(async () => {
    google = await createEmulator({
      service: "google",
      port: await freePort(),
      seed: {
        google: {
          users: [
            { email: "ada@acme.dev" },
            { email: "mallory@evil.example" },
            { email: "grace@acme.dev", email_verified: false },
          ],
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
          repos: [
            { owner: "acme", name: "shop", private: true, auto_init: false },
            { owner: "acme", name: "site", private: false, auto_init: false },
          ],
          oauth_apps: [registered],
        },
      },
    });
  });
  after(() => Promise.all([google.close(), github.close()]));
  afterEach(() => edge.close());

  async function start(dashboard: DashboardConfig) {
    rights.clear();
    rights.set("acme", "write");
    rights.set("mallory", "public");
    laterMs = 0;
    isForgeAway = false;
    const base = { forge: "hub", target: "local", branches: [], secrets: {}, tags: {} };
    const repositories = [
      { ...base, name: "shop", path: "acme/shop" },
      { ...base, name: "site", path: "acme/site" },
    ];
    const forges = [{ name: "hub", kind: "github" as const, options: { baseUrl: github.url } }];
    const people: ForgePeople = {
      rightOf: async (_repository, login) => {
        if (isForgeAway) throw new Error("away");
        return rights.get(login);
      },
    };
    const login = await createPageLogin({
      config: { dashboard, forges, repositories, scheme: "http", domain: DOMAIN },
      forge: () => ({ people }),
      token: TOKEN,
      now: () => new Date(Date.now() + laterMs),
      onError: () => {},
      environment: { CLIENT_SECRET: "s3cret" },
    });
    assert.ok(login);
    const relay = createRelay({ passes: createPasses({ now: () => new Date(), secret: TOKEN }), scheme: "http" });
    edge = await startApp({ login, rightsOf: login.rightsOf, relay });
    edge.store.put(aPreview({ urls: { web: "http://pr-42-shop.localhost:4000" } }));
    edge.store.put({ ...aPreview({ number: 3 }), key: "till#3", stack: "till-pr-3", repository: "till" });
  }
  const byForge = (roles: DashboardConfig["roles"] = {}) =>
    start({ login: { kind: "forge", forge: "hub", ...client, scope: "repo" }, roles });
  const byOidc = (roles: DashboardConfig["roles"]) =>
    start({ login: { kind: "oidc", issuer: google.url, ...client, label: "Acme" }, roles });

  const go = (location: string, cookie = "") => {
    const { pathname, search } = new URL(location, `http://${DOMAIN}`);
    return edge.ask({ path: pathname + search, headers: cookie ? { cookie } : {} });
  };
  /** There, where somebody says who they are, and back; `to` as an address of a page has it. */
  async function signIn(fields: Readonly<Record<string, string>>, { to = "/", more = "" } = {}) {
    const away = await go(`/login/start?${new URLSearchParams({ to })}`);
    assert.equal(away.status, 303);
    const asked = new URL(String(away.headers.location));
    const form = new URLSearchParams([...asked.searchParams, ...Object.entries(fields)]);
    const consent = asked.pathname.startsWith("/o/") ? "/o/oauth2/v2/auth/callback" : "/login/oauth/callback";
    const answer = await fetch(asked.origin + consent, { method: "POST", body: form, redirect: "manual" });
    const home = await go(answer.headers.get("location") ?? "");
    assert.equal(home.status, 303);
    const back = await go(
      String(home.headers.location),
      [cookieNamed("stackling-login-4000", away), more].filter(Boolean).join("; "),
    );
    return { away, home, back, session: cookieNamed("stackling-4000", back) };
  }

  it("shows a stranger nothing but where to sign in, and the API's own words", async () => {
    await byForge();
    for (const path of ["/", "/previews/shop%2342", "/services", "/rows?key=shop%2342"]) {
      const { status, headers, body } = await go(path);
      assert.equal(status, 303, path);
      assert.match(String(headers.location), /^\/login(\?to=|$)/);
      assert.doesNotMatch(body, /shop#42/);
    }
    const page = await go("/login?to=/services");
    assert.match(page.body, /href="\/login\/start\?to=%2Fservices">Sign in with GitHub</);
    assert.doesNotMatch(page.body, /shop/);
    assert.equal((await go("/api/v1/previews")).status, 401);
  });

  it("makes who may write to a repository an operator of it, and of nothing else", async () => {
    await byForge();
    const { back, session } = await signIn({ login: "acme" }, { to: "/previews/shop%2342" });
    assert.deepEqual([back.status, back.headers.location], [303, "/previews/shop%2342"]);
    const list = await go("/", session);
    assert.match(list.body, /@acme/);
    assert.match(list.body, /shop#42/);
    assert.doesNotMatch(list.body, /till#3|href="\/audit"/);
    assert.match((await go("/previews/shop%2342", session)).body, /Take down/);
    assert.equal((await go("/audit", session)).status, 403);
    assert.deepEqual(
      edge.audit.entries.map(({ actor, action, outcome, detail }) => [actor, action, outcome, detail]),
      [
        ["@acme", "login", "done", "with GitHub, as operator"],
        ["@acme", "get /audit", "refused", undefined],
      ],
    );
  });

  it("ends when the right to write is taken, and lasts while the forge is away", async () => {
    await byForge();
    const { session } = await signIn({ login: "acme" });
    isForgeAway = true;
    assert.equal((await go("/", session)).status, 200);
    isForgeAway = false;
    rights.set("acme", "public");
    assert.equal((await go("/", session)).status, 303);
  });

  it("is lowered to a look when the right to write alone is taken, and ends with the right to read", async () => {
    await byForge();
    const { session } = await signIn({ login: "acme" });
    rights.set("acme", "read");
    const { body, status } = await go("/previews/shop%2342", session);
    assert.equal(status, 200);
    assert.doesNotMatch(body, /Take down/);
    rights.set("acme", "none");
    assert.equal((await go("/previews/shop%2342", session)).status, 303);
  });

  it("asks who came once more for what nobody else can tell, and comes back to the page", async () => {
    await byForge();
    rights.clear();
    const { session } = await signIn({ login: "acme" });
    laterMs = 14 * 60_000;
    assert.equal((await go("/", session)).status, 200);
    laterMs = 16 * 60_000;
    const away = await go("/services", session);
    assert.deepEqual([away.status, away.headers.location], [303, "/login/start?to=%2Fservices"]);
    // An open page cannot follow there, and must not begin logins that nobody sees.
    const scripts: readonly Readonly<Record<string, string>>[] = [
      { "sec-fetch-dest": "empty" },
      { "hx-request": "true", accept: "text/html, */*" },
      { accept: "text/event-stream" },
    ];
    for (const headers of scripts) {
      for (const path of ["/", "/rows?key=shop%2342", "/live"]) {
        const asked = await edge.ask({ path, headers: { cookie: session, ...headers } });
        assert.deepEqual([asked.status, asked.headers.location], [401, undefined], JSON.stringify([path, headers]));
      }
    }
    laterMs = 0;
    const again = await signIn({ login: "acme" }, { more: session });
    assert.equal((await go("/", again.session)).status, 200);
  });

  it("lets in nobody for a public repository, or for what another site made of the way", async () => {
    await byForge();
    const { back, session } = await signIn({ login: "mallory" });
    assert.equal(back.status, 403);
    assert.match(back.body, /You are @mallory\. You may not do anything here/);
    assert.equal(session, "");
    await signIn({ login: "mallory" });
    const inAudit = edge.audit.entries.map(({ actor, action, outcome }) => [actor, action, outcome]);
    assert.deepEqual(inAudit, [["@mallory", "login", "refused"]], "and who tries on does not fill the audit");
    const { home, away } = await signIn({ login: "acme" });
    assert.match((await go(String(home.headers.location))).body, /did not begin in this browser/);
    const other = cookieNamed("stackling-login-4000", await go("/login/start"));
    assert.match((await go(String(home.headers.location), other)).body, /did not begin in this browser/);
    assert.ok(away);
  });

  it("leads to no other host afterwards, whatever the address said", async () => {
    await byForge();
    for (const to of ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"]) {
      assert.equal((await signIn({ login: "acme" }, { to })).back.headers.location, "/", to);
    }
  });

  it("gives another session than the one that was brought, and ends that", async () => {
    await byForge();
    const planted = `stackling-4000=${edge.sessions.redeem(edge.sessions.mint())}`;
    const { session } = await signIn({ login: "acme" }, { more: planted });
    assert.notEqual(session, planted);
    assert.equal((await go("/", planted)).status, 303);
    assert.equal((await go("/", session)).status, 200);
  });

  it("knows admins by name, whatever they may write to", async () => {
    await byForge({ admin: ["Mallory"] });
    rights.clear();
    const { session } = await signIn({ login: "mallory" });
    laterMs = 60 * 60_000;
    assert.equal((await go("/audit", session)).status, 200);
  });

  it("takes names of a provider as roles, and nobody else", async () => {
    await byOidc({ operator: ["@acme.dev"] });
    const { session } = await signIn({ email: "ada@acme.dev" });
    const { body } = await go("/", session);
    assert.ok(body.includes("till#3") && body.includes("ada@acme.dev"));
    assert.equal((await go("/sweep", session)).status, 200);
    assert.equal((await go("/audit", session)).status, 403);
    assert.equal((await signIn({ email: "mallory@evil.example" })).session, "");
  });

  it("takes no name of a provider's for an address that it has not verified, nor for one of ours", async () => {
    await byOidc({ operator: ["@acme.dev"] });
    assert.equal((await signIn({ email: "grace@acme.dev" })).session, "");
    const [{ actor, outcome } = assert.fail()] = (await edge.audit.list({ limit: 1 })).entries;
    assert.match(actor, /^subject ./);
    assert.equal(outcome, "refused");
  });

  it("signs out to the page where one signs in", async () => {
    await byForge();
    const { session } = await signIn({ login: "acme" });
    const csrf = edge.sessions.find(session.slice("stackling-4000=".length))?.csrf ?? "";
    const left = await edge.ask({
      path: "/logout",
      method: "POST",
      headers: { cookie: session, "content-type": "application/x-www-form-urlencoded" },
      body: `csrf=${csrf}`,
    });
    assert.deepEqual([left.status, left.headers.location], [303, "/login"]);
    const last = edge.audit.entries.at(-1);
    assert.deepEqual([last?.actor, last?.action, last?.outcome], ["@acme", "logout", "done"]);
    assert.equal((await go("/", session)).status, 303);
  });
});

function cookieNamed(name: string, { headers }: { readonly headers: IncomingMessage["headers"] }): string {
  const set = headers["set-cookie"]?.findLast((one) => one.startsWith(`${name}=`));
  const value = set?.split(";")[0] ?? "";
  return value === `${name}=` ? "" : value;
}
