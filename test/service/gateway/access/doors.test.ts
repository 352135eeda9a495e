/** Every kind of door before a real upstream, over HTTP and WebSocket. */
import assert from "node:assert/strict";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { afterEach, beforeEach, describe, it } from "node:test";
import { WebSocket, WebSocketServer } from "ws";
import type { AccessConfig } from "../../../../service/config/access-types.ts";
import { eventually } from "../../../support/eventually.ts";
import { aPreview } from "../../../support/previews.ts";
import { type Ask, ask, type Edge, HOST, startEdge, startUpstream, URLS } from "../edge.ts";

const OTHER = "pr-43-shop.localhost:4000";
const HTML = { accept: "text/html" };
const FORM = { "content-type": "application/x-www-form-urlencoded" };
const environment = { PASSWORD: "open sesame", BYPASS: "runner-0123456789" };
const doors = (access: Partial<Exclude<AccessConfig, { kind: "public" }>>): AccessConfig => ({
  kind: "doors",
  doors: {},
  satisfy: "all",
  shareSeconds: 86_400,
  ...access,
});
const password = doors({ doors: { password: { env: "PASSWORD" } }, bypass: { env: "BYPASS" } });

describe("a preview's door", () => {
  let edge: Edge;
  let upstream: Awaited<ReturnType<typeof startUpstream>>;
  let sockets: WebSocketServer;
  let seen: IncomingMessage[] = [];

  beforeEach(async () => {
    seen = [];
    upstream = await startUpstream((request, response) => {
      seen.push(request);
      response.setHeader("Set-Cookie", ["a=1; Domain=localhost; Path=/", "b=2; path=/; DOMAIN = .localhost", "c=3"]);
      response.end(`served ${request.url}`);
    });
    sockets = new WebSocketServer({ server: upstream.server });
    sockets.on("headers", (headers) => headers.push("Set-Cookie: w=1; Domain=localhost; Path=/"));
    sockets.on("connection", (_socket, request) => seen.push(request));
  });
  afterEach(async () => {
    sockets.close();
    await edge.close();
    await upstream.close();
  });

  async function start(access: AccessConfig | undefined, more: Parameters<typeof startEdge>[0] = {}): Promise<void> {
    edge = await startEdge({ ...more, access: { access, environment, ...more.access } });
    for (const number of [42, 43]) {
      edge.addresses.set(`shop-pr-${number}/web`, upstream.address);
      const urls = number === 42 ? URLS : { web: `http://${OTHER}` };
      edge.store.put(aPreview({ number, urls }));
    }
  }

  const post = (fields: Record<string, string>, headers: Record<string, string> = {}) =>
    ask(edge.port, {
      path: "/.stackling/door",
      method: "POST",
      headers: { ...HTML, ...FORM, ...headers },
      body: new URLSearchParams({ door: "password", to: "/", ...fields }).toString(),
    });
  const signIn = async (headers: Record<string, string> = {}) => {
    const answer = await post({ answer: environment.PASSWORD }, headers);
    assert.equal(answer.status, 303, answer.body);
    return cookieIn(answer.headers);
  };
  /** The status that a WebSocket is answered with. */
  async function knock(headers: Record<string, string>): Promise<number> {
    const client = new WebSocket(`ws://127.0.0.1:${edge.port}/chat`, { headers: { host: HOST, ...headers } });
    const { promise, resolve } = Promise.withResolvers<number>();
    client.once("open", () => resolve(101));
    client.once("error", (error) => resolve(Number(/\d{3}/.exec(error.message)?.[0])));
    return promise.finally(() => {
      client.once("error", () => {});
      client.terminate();
    });
  }
  const statusFor = async (headers: Record<string, string>, more: Ask = {}) => [
    (await ask(edge.port, { headers, ...more })).status,
    await knock({ ...headers, ...(more.host ? { host: more.host } : {}) }),
  ];

  it("asks nothing where everybody may come in", async () => {
    await start({ kind: "public" });
    assert.deepEqual(await statusFor({}), [200, 101]);
  });

  it("lets in who knows the password, and nobody else", async () => {
    await start(password);
    assert.deepEqual(await statusFor({}), [401, 403]);
    assert.equal(seen.length, 0);
    const page = await ask(edge.port, { path: "/cart?x=1", headers: HTML });
    assert.equal(page.status, 401);
    assert.match(page.body, /name="to" value="\/cart\?x=1"/);
    assert.match(String(page.headers["x-robots-tag"]), /noindex/);
    assert.doesNotMatch(page.body, /cart total/i);
    const wrong = await post({ answer: "open" });
    assert.equal(wrong.status, 401);
    assert.match(wrong.body, /not the password/);
    assert.equal(wrong.headers["set-cookie"], undefined);
    const right = await post({ answer: environment.PASSWORD, to: "/cart?x=1" });
    assert.equal(right.status, 303);
    assert.equal(right.headers.location, `http://${HOST}/cart?x=1`);
    assert.match(
      String(right.headers["set-cookie"]),
      /^stackling-door-4000=\S+; Path=\/; Max-Age=43\d{3}; HttpOnly; SameSite=Lax$/,
    );
    assert.deepEqual(await statusFor({ cookie: cookieIn(right.headers) }), [200, 101]);
  });

  it("binds its cookie to the host alone where the connection is encrypted", async () => {
    const domain = "preview.acme.dev";
    await start(password, { access: { scheme: "https", domain } });
    const host = `pr-42-shop.${domain}`;
    const body = `door=password&answer=${environment.PASSWORD.replace(" ", "+")}`;
    const answer = await ask(edge.port, { host, path: "/.stackling/door", method: "POST", headers: FORM, body });
    assert.equal(answer.headers.location, `https://${host}/`);
    assert.match(
      String(answer.headers["set-cookie"]),
      /^__Host-stackling-door=\S+; Path=\/; [^,]*HttpOnly; [^,]*Secure$/,
    );
    assert.doesNotMatch(String(answer.headers["set-cookie"]), /domain/i);
    assert.equal((await ask(edge.port, { host, headers: { cookie: cookieIn(answer.headers) } })).status, 200);
  });

  it("takes no cookie of another preview, none that was changed and none after its time", async () => {
    let now = new Date("2026-11-21T10:00:00.000Z");
    await start(password, { now: () => now });
    const cookie = await signIn();
    assert.deepEqual(await statusFor({ cookie }, { host: OTHER }), [401, 403]);
    assert.deepEqual(await statusFor({ cookie: `${cookie.slice(0, -3)}AAA` }), [401, 403]);
    now = new Date("2026-11-21T21:59:00.000Z");
    assert.deepEqual(await statusFor({ cookie }), [200, 101]);
    now = new Date("2026-11-21T22:01:00.000Z");
    assert.deepEqual(await statusFor({ cookie }), [401, 403]);
  });

  it("tells a program what to send, in JSON and in a line", async () => {
    await start(password);
    const json = await ask(edge.port, { headers: { accept: "application/json" } });
    assert.equal(JSON.parse(json.body).error.reason, "Locked");
    assert.match((await ask(edge.port)).body, /x-stackling-bypass/);
  });

  it("lets no more than ten wrong passwords come from one address", async () => {
    await start(password);
    for (let i = 0; i < 10; i += 1) assert.equal((await post({ answer: `wrong ${i}` })).status, 401);
    const late = await post({ answer: environment.PASSWORD });
    assert.equal(late.status, 429);
    assert.ok(Number(late.headers["retry-after"]) > 0);
  });

  it("takes a password from no other site's page", async () => {
    await start(password);
    const foreign: readonly Record<string, string>[] = [
      { origin: "https://evil.example" },
      { origin: `http://${OTHER}` },
      { "sec-fetch-site": "cross-site" },
    ];
    for (const headers of foreign) {
      const answer = await post({ answer: environment.PASSWORD }, headers);
      assert.equal(answer.status, 403);
      assert.equal(answer.headers["set-cookie"], undefined);
    }
    assert.ok(await signIn({ origin: `http://${HOST}` }));
  });

  it("opens to listed addresses and to no others", async () => {
    await start(doors({ doors: { ip: ["127.0.0.0/8"] } }));
    assert.deepEqual(await statusFor({}), [200, 101]);
    await edge.close();
    await start(doors({ doors: { ip: ["10.0.0.0/8"] } }));
    assert.deepEqual(await statusFor({}), [403, 403]);
    assert.deepEqual(await statusFor({ "x-forwarded-for": "10.1.2.3" }), [403, 403]);
  });

  it("believes what a load balancer says of the address, and only what stands nearest to it", async () => {
    await start(doors({ doors: { ip: ["10.0.0.0/8"] } }), { access: { trustForwarded: ["127.0.0.1"] } });
    assert.deepEqual(await statusFor({ "x-forwarded-for": "10.1.2.3" }), [200, 101]);
    assert.equal(seen[0]?.headers["x-forwarded-for"], "10.1.2.3, 127.0.0.1");
    assert.deepEqual(await statusFor({ "x-forwarded-for": "10.1.2.3, 203.0.113.7" }), [403, 403]);
    assert.deepEqual(await statusFor({ "x-forwarded-for": "10.1.2.3, garbage" }), [403, 403]);
  });

  it("wants all of several doors, or any of them, as it is told", async () => {
    const both = { password: { env: "PASSWORD" }, ip: ["10.0.0.0/8"] } as const;
    await start(doors({ doors: both }));
    const page = await ask(edge.port, { headers: HTML });
    assert.equal(page.status, 403);
    assert.doesNotMatch(page.body, /<form/);
    await edge.close();
    await start(doors({ doors: both, satisfy: "any" }));
    assert.deepEqual(await statusFor({}), [401, 403]);
    assert.deepEqual(await statusFor({ cookie: await signIn() }), [200, 101]);
    await edge.close();
    await start(doors({ doors: { ...both, ip: ["127.0.0.1"] } }));
    assert.deepEqual(await statusFor({}), [401, 403]);
    assert.deepEqual(await statusFor({ cookie: await signIn() }), [200, 101]);
  });

  it("opens to a test runner's token in header or cookie, and hands it on to nobody", async () => {
    await start(password);
    const ways: readonly Record<string, string>[] = [
      { "x-stackling-bypass": environment.BYPASS },
      { cookie: `stackling-bypass=${environment.BYPASS}; own=1` },
    ];
    for (const headers of ways) {
      assert.deepEqual(await statusFor(headers), [200, 101]);
    }
    assert.deepEqual(await statusFor({ "x-stackling-bypass": `${environment.BYPASS}x` }), [401, 403]);
    assert.equal(seen.length, 4);
    for (const { headers } of seen) {
      assert.equal(headers["x-stackling-bypass"], undefined);
      assert.doesNotMatch(headers.cookie ?? "", /stackling/);
    }
    assert.equal(seen.at(-1)?.headers.cookie, "own=1");
  });

  it("takes what is its own off a request, also where everybody may come in", async () => {
    for (const access of [password, { kind: "public" } as const]) {
      await start(access);
      const cookie = access === password ? await signIn() : "stackling-door-4000=old";
      seen = [];
      const headers = { cookie: `first=1; ${cookie}; __Host-stackling-door=x; last=2`, forwarded: "for=9.9.9.9" };
      assert.deepEqual(await statusFor({ ...headers, "x-stackling-bypass": "x" }), [200, 101]);
      for (const request of seen) {
        assert.equal(request.headers.cookie, "first=1; last=2");
        assert.equal(request.headers["x-stackling-bypass"], undefined);
        assert.equal(request.headers.forwarded, undefined);
      }
      await edge.close();
    }
    await start(password);
  });

  it("lets an application set cookies for its own host only, and none of the gateway's", async () => {
    await start({ kind: "public" });
    const answer = await ask(edge.port);
    assert.deepEqual(answer.headers["set-cookie"], ["a=1; Path=/", "b=2; path=/", "c=3"]);
    const client = new WebSocket(`ws://127.0.0.1:${edge.port}/`, { headers: { host: HOST } });
    const [response] = (await once(client, "upgrade")) as [IncomingMessage];
    assert.deepEqual(response.headers["set-cookie"], ["w=1; Path=/"]);
    client.terminate();
  });

  it("lets no page of another preview in by its visitor's cookie", async () => {
    await start(password);
    const cookie = await signIn();
    assert.deepEqual(await statusFor({ cookie, origin: `http://${OTHER}` }), [403, 403]);
    assert.deepEqual(await statusFor({ cookie, origin: `http://${HOST}` }), [200, 101]);
  });

  it("tells nothing of a preview that does not serve, and neither wakes nor counts, before somebody is let in", async () => {
    await start(password);
    const cookie = await signIn();
    await edge.store.setStatus("shop#42", { awake: false, reason: "Asleep" });
    const page = await ask(edge.port, { headers: HTML });
    assert.equal(page.status, 401);
    assert.doesNotMatch(page.body, /asleep/i);
    assert.equal(await knock({}), 403);
    await edge.visits.flush();
    assert.deepEqual([edge.woken, edge.store.visits], [[], []]);
    const waking = await ask(edge.port, { headers: { ...HTML, cookie } });
    assert.match(waking.body, /Waking up/);
    assert.deepEqual(edge.woken, ["shop#42"]);
    await edge.visits.flush();
    assert.equal(edge.store.visits.length, 1);
  });

  it("asks again after its visitor logged out, who no other site's page can log out", async () => {
    await start(password);
    const cookie = await signIn();
    const leave = (method: string, headers: Readonly<Record<string, string>>) =>
      ask(edge.port, { path: "/.stackling/logout", method, headers: { ...HTML, cookie, ...headers } });
    const here = { "sec-fetch-site": "same-origin", "sec-fetch-dest": "document" };
    for (const [method, headers] of [
      ["GET", {}],
      ["GET", { ...here, "sec-fetch-site": "cross-site" }],
      ["POST", { origin: "https://evil.example" }],
    ] as const) {
      const page = await leave(method, headers);
      assert.match(page.body, /<form method="post" action="\/\.stackling\/logout"><button class="button">Log out/);
      assert.equal(page.headers["set-cookie"], undefined);
    }
    for (const [method, headers] of [
      ["GET", here],
      ["POST", { origin: `http://${HOST}` }],
    ] as const) {
      const left = await leave(method, headers);
      assert.equal(left.headers.location, `http://${HOST}/`);
      const [taken = ""] = left.headers["set-cookie"] ?? [];
      assert.match(taken, /^stackling-door-4000=; Path=\/; Max-Age=0; HttpOnly; SameSite=Lax$/);
    }
  });

  it("lets nobody in who waited for a preview whose door was shut meanwhile", async () => {
    await start({ kind: "public" });
    await edge.store.setStatus("shop#42", { awake: false, reason: "Asleep" });
    const [request, socket] = [ask(edge.port), knock({})];
    await eventually(() => edge.woken[0]);
    const preview = aPreview({ urls: URLS });
    const { live } = preview.status;
    assert.ok(live);
    edge.store.put({ ...preview, status: { ...preview.status, live: { ...live, access: { ip: ["10.0.0.0/8"] } } } });
    assert.deepEqual([(await request).status, await socket], [403, 403]);
    assert.equal(seen.length, 0);
  });

  it("stays shut while its password cannot be read, and ends sessions when it changes", async () => {
    const given: Record<string, string> = { ...environment };
    await start(password, { access: { environment: given } });
    const cookie = await signIn();
    await edge.close();
    given.PASSWORD = "another";
    await start(password, { access: { environment: given } });
    assert.deepEqual(await statusFor({ cookie }), [401, 403]);
    await edge.close();
    delete given.PASSWORD;
    await start(password, { access: { environment: given } });
    assert.deepEqual(await statusFor({ cookie }), [503, 403]);
    assert.deepEqual(edge.failed, ["shop#42", "shop#42"]);
    assert.equal(seen.length, 0);
  });

  it("stays shut where nobody has said who may see a preview whose host can be guessed", async () => {
    const domain = "preview.acme.dev";
    await start(undefined, { access: { domain } });
    const host = `pr-42-shop.${domain}`;
    const page = await ask(edge.port, { host, headers: HTML });
    assert.equal(page.status, 403);
    assert.match(page.body, /Nobody has said/);
    assert.equal(await knock({ host }), 403);
  });

  it("is shut further by the application, and never opened", async () => {
    await start({ kind: "public" });
    const shut = (number: number, access: object) => {
      const preview = aPreview({ number, urls: number === 42 ? URLS : { web: `http://${OTHER}` } });
      const { live } = preview.status;
      if (live) edge.store.put({ ...preview, status: { ...preview.status, live: { ...live, access } } });
    };
    shut(42, { ip: ["10.0.0.0/8"] });
    shut(43, { ip: ["127.0.0.1"] });
    assert.deepEqual(await statusFor({}), [403, 403]);
    assert.deepEqual(await statusFor({}, { host: OTHER }), [200, 101]);
    await edge.close();
    await start(password);
    shut(42, { ip: ["127.0.0.1"] });
    assert.deepEqual(await statusFor({}), [401, 403]);
    assert.deepEqual(await statusFor({ cookie: await signIn() }), [200, 101]);
  });

  it("stands not before a service that is open, and before every other one of the preview", async () => {
    const host = "pr-42-api-shop.localhost:4000";
    await start(doors({ openServices: ["api"] }));
    edge.addresses.set("shop-pr-42/api", upstream.address);
    edge.store.put(aPreview({ urls: { ...URLS, api: `http://${host}` } }));
    assert.deepEqual(await statusFor({}, { host }), [200, 101]);
    assert.deepEqual(await statusFor({}), [403, 403]);
  });

  it("is another one where a repository says so", async () => {
    const shop = { name: "shop", forge: "local", path: "/shop", target: "local", branches: [], secrets: {}, tags: {} };
    await start(password, { access: { repositories: [{ ...shop, access: { kind: "public" } }] } });
    assert.deepEqual(await statusFor({}), [200, 101]);
  });
});

export function cookieIn(headers: IncomingMessage["headers"]): string {
  return (headers["set-cookie"]?.[0] ?? "").split(";")[0] ?? "";
}
