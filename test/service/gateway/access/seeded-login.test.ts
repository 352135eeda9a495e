/** Logging in as a user of the application's seeds, by what the application itself checks. */
import assert from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
import { afterEach, beforeEach, describe, it } from "node:test";
import { decodeJwt, importJWK, jwtVerify } from "jose";
import type { AccessConfig } from "../../../../service/config/access-types.ts";
import { createLoginKeys } from "../../../../service/login-keys.ts";
import { aPreview } from "../../../support/previews.ts";
import { ask, type Edge, HOST, startEdge, startUpstream, URLS } from "../edge.ts";

const HTML = { accept: "text/html" };
const FORM = { "content-type": "application/x-www-form-urlencoded" };
const CLICKED = { ...HTML, "sec-fetch-site": "same-origin", "sec-fetch-dest": "document" };
const API_HOST = "pr-42-api-shop.localhost:4000";
const USERS = [
  { name: "ada", title: "Shop owner" },
  { name: "grace", title: "grace" },
];
const PASSWORD = "open sesame";
const locked: AccessConfig = {
  kind: "doors",
  doors: { password: { env: "PASSWORD" } },
  satisfy: "all",
  openServices: ["api"],
};

describe("a login as a user of the seeds", () => {
  let edge: Edge;
  let upstream: Awaited<ReturnType<typeof startUpstream>>;
  let now: Date;
  const seen: string[] = [];
  const keys = createLoginKeys({ now: () => now, secret: "t0k3n" });

  beforeEach(async () => {
    now = new Date("2026-11-21T10:00:00.000Z");
    seen.length = 0;
    upstream = await startUpstream((request: IncomingMessage, response: ServerResponse) => {
      seen.push(request.url ?? "");
      response.end("served");
    });
    await start({ kind: "public" });
  });
  afterEach(async () => {
    await edge.close();
    await upstream.close();
  });

  async function start(access: AccessConfig): Promise<void> {
    await edge?.close();
    edge = await startEdge({ access: { access, environment: { PASSWORD } }, now: () => now });
    put({ key: keys.publicOf("shop-pr-42") });
  }
  function put(login: { readonly key: string } | undefined): void {
    const preview = aPreview({ urls: { api: `http://${API_HOST}`, ...URLS } });
    const { live } = preview.status;
    assert.ok(live);
    const stands = login ? { login: { path: "/stackling-login", users: USERS, ...login } } : {};
    edge.store.put({ ...preview, status: { ...preview.status, live: { ...live, ...stands } } });
    for (const name of ["web", "api"]) edge.addresses.set(`shop-pr-42/${name}`, upstream.address);
  }
  /** The routes follow the store a moment later. */
  const routed = () => new Promise<void>((resolve) => setImmediate(resolve));
  const click = (path: string, headers: Readonly<Record<string, string>> = CLICKED) =>
    ask(edge.port, { path, headers });
  const choose = (name: string, headers: Readonly<Record<string, string>> = { origin: `http://${HOST}` }) =>
    ask(edge.port, {
      path: "/.stackling/login",
      method: "POST",
      headers: { ...HTML, ...FORM, ...headers },
      body: new URLSearchParams({ as: name }).toString(),
    });
  const tokenIn = ({ headers }: Awaited<ReturnType<typeof click>>) => {
    const url = new URL(String(headers.location));
    assert.equal(url.origin + url.pathname, `http://${HOST}/stackling-login`);
    return url.searchParams.get("token") ?? "";
  };
  /** As the documentation has applications do it. */
  const verify = async (token: string, publicKey = keys.publicOf("shop-pr-42"), audience = `http://${HOST}`) =>
    jwtVerify(token, await importJWK(JSON.parse(publicKey), "ES256"), {
      issuer: "stackling",
      audience,
      algorithms: ["ES256"],
      currentDate: now,
    });

  it("hands the application a token that names the user, this preview, and a minute", async () => {
    const answer = await click("/.stackling/login?as=ada");
    assert.equal(answer.status, 303);
    assert.equal(answer.headers["referrer-policy"], "no-referrer");
    assert.equal(answer.headers["cache-control"], "no-store");
    const { payload } = await verify(tokenIn(answer));
    assert.equal(payload.sub, "ada");
    assert.equal(payload.aud, `http://${HOST}`);
    assert.equal((payload.exp ?? 0) - (payload.iat ?? 0), 60);
    const again = decodeJwt(tokenIn(await click("/.stackling/login?as=ada")));
    assert.notEqual(again.jti, payload.jti);
    assert.deepEqual(seen, []);
  });

  it("is nothing to another preview, nor after its minute", async () => {
    const token = tokenIn(await choose("grace"));
    await assert.rejects(verify(token, keys.publicOf("shop-pr-43")), /signature/);
    await assert.rejects(verify(token, keys.publicOf("shop-pr-42"), "http://pr-43-shop.localhost:4000"), /aud/);
    now = new Date("2026-11-21T10:01:01.000Z");
    await assert.rejects(verify(token), /exp/);
  });

  it("cannot be made by what the application is given", () => {
    const given = JSON.parse(keys.publicOf("shop-pr-42"));
    assert.deepEqual(Object.keys(given).sort(), ["alg", "crv", "kty", "use", "x", "y"]);
  });

  it("is confirmed by its visitor where another site's page or a typed address asks for it", async () => {
    const ways = [HTML, { ...CLICKED, "sec-fetch-site": "cross-site" }, { ...CLICKED, "sec-fetch-site": "none" }];
    for (const headers of [...ways, { ...CLICKED, "sec-fetch-dest": "image" }]) {
      const page = await click("/.stackling/login?as=ada", headers);
      assert.equal(page.status, 200);
      assert.match(page.body, /<button class="button" name="as" value="ada">Log in as Shop owner/);
      assert.doesNotMatch(page.body, /grace/);
      assert.match(String(page.headers["content-security-policy"]), /frame-ancestors 'none'/);
    }
    assert.equal((await choose("ada")).status, 303);
    const foreign: readonly Record<string, string>[] = [
      { origin: "https://evil.example" },
      { origin: "null" },
      { "sec-fetch-site": "same-site" },
    ];
    for (const headers of foreign) {
      const refused = await choose("ada", headers);
      assert.equal(refused.status, 403);
      assert.equal(refused.headers.location, undefined);
    }
  });

  it("offers all users where none is named, to programs in JSON", async () => {
    const page = await click("/.stackling/login");
    assert.match(page.body, /Shop owner[\s\S]*grace/);
    const told = await ask(edge.port, { path: "/.stackling/login" });
    assert.deepEqual(JSON.parse(told.body), { key: "shop#42", users: USERS });
  });

  it("is of the seeds' users and no others", async () => {
    for (const name of ["root", "__proto__", ""]) {
      const answer = await choose(name);
      assert.equal(answer.status, 404, name);
      assert.match(answer.body, /no such user/);
    }
  });

  it("is begun on the main service's host, whichever it is asked for at", async () => {
    const answer = await ask(edge.port, { host: API_HOST, path: "/.stackling/login?as=ada", headers: CLICKED });
    assert.equal(answer.headers.location, `http://${HOST}/.stackling/login?as=ada`);
  });

  it("stays behind the preview's door, and comes up once that is passed", async () => {
    await start(locked);
    assert.equal((await click("/.stackling/login?as=ada")).status, 401);
    assert.equal((await choose("ada")).status, 401);
    const body = new URLSearchParams({ door: "password", to: "/.stackling/login?as=ada", answer: PASSWORD }).toString();
    const opened = await ask(edge.port, {
      path: "/.stackling/door",
      method: "POST",
      headers: { ...HTML, ...FORM },
      body,
    });
    assert.equal(opened.headers.location, `http://${HOST}/.stackling/login?as=ada`);
    const cookie = (opened.headers["set-cookie"]?.[0] ?? "").split(";")[0] ?? "";
    assert.equal((await click("/.stackling/login?as=ada", { ...CLICKED, cookie })).status, 303);
  });

  it("wakes a preview first that sleeps", async () => {
    await edge.store.setStatus("shop#42", { awake: false, reason: "Asleep" });
    const page = await click("/.stackling/login?as=ada");
    assert.match(page.body, /Waking up/);
    assert.deepEqual(edge.woken, ["shop#42"]);
    assert.equal((await choose("ada")).headers.location, `http://${HOST}/.stackling/login?as=ada`);
  });

  it("is confirmed before a preview is woken, whose waiting page would ask again in the visitor's name", async () => {
    await edge.store.setStatus("shop#42", { awake: false, reason: "Asleep" });
    const page = await click("/.stackling/login?as=ada", { ...CLICKED, "sec-fetch-site": "cross-site" });
    assert.equal(page.status, 200);
    assert.match(page.body, /Log in as Shop owner/);
    assert.doesNotMatch(page.body, /http-equiv="refresh"/);
    assert.deepEqual(edge.woken, []);
  });

  it("is not offered where the application has none, or was built with another key", async () => {
    put(undefined);
    await routed();
    assert.equal((await choose("ada")).status, 404);
    put({ key: keys.publicOf("shop-pr-43") });
    await routed();
    const stale = await choose("ada");
    assert.equal(stale.status, 409);
    assert.match(stale.body, /redeploy/);
  });
});
