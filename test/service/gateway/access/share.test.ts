/** Share links: who has one gets in, for a while, at one host, and is led nowhere else. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import type { AccessConfig } from "../../../../service/config/access-types.ts";
import type { ShareWish } from "../../../../service/gateway/access/share.ts";
import { aPreview } from "../../../support/previews.ts";
import { ask, type Edge, HOST, startEdge, startUpstream, URLS } from "../edge.ts";

const OTHER = "pr-43-shop.localhost:4000";
const shut: AccessConfig = { kind: "doors", doors: {}, satisfy: "all", shareSeconds: 86_400 };

describe("a share link", () => {
  let edge: Edge;
  let upstream: Awaited<ReturnType<typeof startUpstream>>;
  let now = new Date("2026-11-21T10:00:00.000Z");

  beforeEach(async () => {
    now = new Date("2026-11-21T10:00:00.000Z");
    upstream = await startUpstream((request, response) => response.end(`served ${request.url}`));
  });
  afterEach(async () => {
    await edge.close();
    await upstream.close();
  });

  async function start(access: AccessConfig): Promise<void> {
    edge = await startEdge({ access: { access }, now: () => now });
    for (const number of [42, 43]) {
      edge.addresses.set(`shop-pr-${number}/web`, upstream.address);
      edge.store.put(aPreview({ number, urls: number === 42 ? URLS : { web: `http://${OTHER}` } }));
    }
  }
  const share = (wish: Partial<ShareWish> = {}) => {
    assert.ok(edge.access);
    return edge.access.share(aPreview({ urls: URLS }), { seconds: 3_600, ...wish });
  };
  const follow = (url: string, host = HOST) => {
    const { pathname, search } = new URL(url);
    return ask(edge.port, { host, path: pathname + search });
  };
  const cookieOf = ({ headers }: Awaited<ReturnType<typeof follow>>) =>
    (headers["set-cookie"]?.[0] ?? "").split(";")[0] ?? "";

  it("becomes a cookie, and an address without its token", async () => {
    await start(shut);
    assert.equal((await ask(edge.port)).status, 403);
    const link = await share({ to: "/cart?x=1" });
    assert.equal(link.expiresAt, "2026-11-21T11:00:00.000Z");
    assert.ok(link.url.startsWith(`http://${HOST}/.stackling/share/`));
    const answer = await follow(link.url);
    assert.equal(answer.status, 303);
    assert.equal(answer.headers.location, `http://${HOST}/cart?x=1`);
    assert.equal(answer.headers["referrer-policy"], "no-referrer");
    assert.match(String(answer.headers["set-cookie"]), /Max-Age=3600; HttpOnly; SameSite=Lax/);
    assert.doesNotMatch(String(answer.headers["set-cookie"]), new RegExp(link.token.slice(-20)));
    assert.equal((await ask(edge.port, { headers: { cookie: cookieOf(answer) } })).body, "served /");
  });

  it("opens nothing after its time, nor does its cookie", async () => {
    await start(shut);
    const link = await share();
    const cookie = cookieOf(await follow(link.url));
    now = new Date("2026-11-21T10:59:59.000Z");
    assert.equal((await ask(edge.port, { headers: { cookie } })).status, 200);
    now = new Date("2026-11-21T11:00:00.000Z");
    assert.equal((await ask(edge.port, { headers: { cookie } })).status, 403);
    const late = await follow(link.url);
    assert.equal(late.status, 403);
    assert.equal(late.headers["set-cookie"], undefined);
  });

  it("opens no other preview, and is no cookie by itself", async () => {
    await start(shut);
    const link = await share();
    assert.equal((await follow(link.url, OTHER)).status, 403);
    assert.equal((await follow(`${link.url.slice(0, -2)}AA`)).status, 403);
    const asCookie = { cookie: `stackling-door-4000=${link.token}` };
    assert.equal((await ask(edge.port, { headers: asCookie })).status, 403);
  });

  it("may be sent by a program as it is", async () => {
    await start(shut);
    const { token } = await share();
    const headers = { "x-stackling-bypass": token };
    assert.equal((await ask(edge.port, { headers })).status, 200);
    assert.equal((await ask(edge.port, { headers, host: OTHER })).status, 403);
  });

  it("leads to no other host", async () => {
    await start(shut);
    const { token } = await share();
    const hostile = [
      "//evil.example",
      "/\\evil.example",
      "https://evil.example/",
      "\\\\evil.example",
      "/\t/evil.example",
      "javascript:alert(1)",
      "evil",
      "/.stackling/door",
    ];
    for (const to of hostile) {
      const answer = await follow(`http://${HOST}/.stackling/share/${token}?${new URLSearchParams({ to })}`);
      assert.equal(answer.status, 303, to);
      assert.equal(answer.headers.location, `http://${HOST}/`, to);
    }
    const dotted = await follow(`http://${HOST}/.stackling/share/${token}?to=/..//evil.example`);
    assert.equal(new URL(String(dotted.headers.location)).host, HOST);
  });

  it("is not made to begin at an address that is none of the preview's", async () => {
    await start(shut);
    for (const to of ["//evil.example", "https://evil.example/", "/\\evil.example", "cart", "/.stackling/door"]) {
      await assert.rejects(share({ to }), { reason: "NotAnAddress", userMessage: /no address in it; write one/ }, to);
    }
    assert.match((await share({ to: "/cart?x=1#top" })).url, /\?to=%2Fcart%3Fx%3D1%23top$/);
  });

  it("goes on where the preview has become public", async () => {
    await start(shut);
    const { url } = await share({ to: "/cart" });
    await edge.close();
    await start({ kind: "public" });
    const answer = await follow(url);
    assert.equal(answer.headers.location, `http://${HOST}/cart`);
    assert.equal(answer.headers["set-cookie"], undefined);
  });

  it("is neither made nor taken where they are off, and lasts no longer than it may", async () => {
    await start(shut);
    const link = await share();
    const cookie = cookieOf(await follow(link.url));
    await assert.rejects(share({ seconds: 86_401 }), { reason: "ShareTooLong" });
    await assert.rejects(share({ service: "api" }), { reason: "NoSuchService" });
    await assert.rejects(share({ service: "constructor" }), { reason: "NoSuchService" });
    await edge.close();
    await start({ kind: "doors", doors: {}, satisfy: "all" });
    assert.equal((await follow(link.url)).status, 403);
    assert.equal((await ask(edge.port, { headers: { cookie } })).status, 403);
    assert.equal((await ask(edge.port, { headers: { "x-stackling-bypass": link.token } })).status, 403);
    await assert.rejects(share(), { reason: "ShareLinksOff" });
  });
});
