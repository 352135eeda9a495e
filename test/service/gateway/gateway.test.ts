import assert from "node:assert/strict";
import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import { afterEach, beforeEach, describe, it } from "node:test";
import { WebSocket, WebSocketServer } from "ws";
import { eventually } from "../../support/eventually.ts";
import { aPreview } from "../../support/previews.ts";
import { ask, type Edge, HOST, startEdge, startUpstream, URLS } from "./edge.ts";

describe("gateway", () => {
  let edge: Edge;
  let upstream: Awaited<ReturnType<typeof startUpstream>>;
  let seen: IncomingMessage[] = [];

  beforeEach(async () => {
    edge = await startEdge({ holdTimeoutMs: 5_000, holdMax: 2 });
    seen = [];
    upstream = await startUpstream((request, response) => {
      seen.push(request);
      if (request.url === "/events") {
        response.writeHead(200, { "Content-Type": "text/event-stream" });
        response.flushHeaders();
        return;
      }
      if (request.url === "/hang") return;
      if (request.method === "POST") {
        request.pipe(response);
        return;
      }
      response.setHeader("Keep-Alive", "timeout=1");
      response.end(`${request.method} ${request.url}`);
    });
    edge.addresses.set("shop-pr-42/web", upstream.address);
  });
  afterEach(async () => {
    await edge.close();
    await upstream.close();
  });

  it("serves a preview by its host, with and without port, in any case", async () => {
    edge.store.put(aPreview({ urls: URLS }));
    for (const host of [HOST, "pr-42-shop.localhost", "PR-42-Shop.LOCALHOST:4000", "pr-42-shop.localhost.:4000"]) {
      const answer = await eventually(() => ask(edge.port, { host, path: "/a?b=c" }));
      assert.equal(answer.body, "GET /a?b=c", host);
    }
  });

  it("passes the host on and says who asks, whatever the client claims", async () => {
    edge.store.put(aPreview({ urls: URLS }));
    await ask(edge.port, {
      headers: {
        "X-Forwarded-For": "9.9.9.9",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "evil.example",
        Forwarded: "for=9.9.9.9",
        Connection: "close, x-secret-hop",
        "X-Secret-Hop": "1",
        "Proxy-Authorization": "Basic Zm9v",
        TE: "trailers",
      },
    });
    const headers = seen[0]?.headers ?? {};
    assert.equal(headers.host, HOST);
    assert.equal(headers["x-forwarded-host"], HOST);
    assert.equal(headers["x-forwarded-for"], "127.0.0.1");
    assert.equal(headers["x-forwarded-proto"], "http");
    for (const name of ["forwarded", "x-secret-hop", "proxy-authorization", "te"]) {
      assert.equal(headers[name], undefined, name);
    }
  });

  it("keeps the client's connection while the application's hop headers stay behind", async () => {
    edge.store.put(aPreview({ urls: URLS }));
    const kept = await ask(edge.port, { headers: { Connection: "keep-alive" } });
    assert.equal(kept.headers.connection, "keep-alive");
    assert.equal(kept.headers["keep-alive"], undefined);
    assert.match(String(kept.headers["x-robots-tag"]), /noindex/);
    const closed = await ask(edge.port, { headers: { Connection: "close" } });
    assert.equal(closed.headers.connection, "close");
  });

  it("asks the store nothing for a request", async () => {
    edge.store.put(aPreview({ urls: URLS }));
    await ask(edge.port);
    const before = edge.store.questions();
    for (let i = 0; i < 5; i += 1) await ask(edge.port);
    assert.equal(edge.store.questions(), before);
    assert.ok(edge.asked.length < 6);
  });

  it("sends a body through, also after 100-continue and in chunks", async () => {
    edge.store.put(aPreview({ urls: URLS }));
    const plain = await ask(edge.port, { method: "POST", body: "hello" });
    assert.equal(plain.body, "hello");
    const request = httpRequest({
      port: edge.port,
      method: "POST",
      agent: false,
      headers: { host: HOST, expect: "100-continue", "transfer-encoding": "chunked" },
    });
    request.flushHeaders();
    await once(request, "continue");
    request.write("one,");
    request.end("two");
    const [response] = (await once(request, "response")) as [IncomingMessage];
    assert.equal((await response.toArray()).join(""), "one,two");
  });

  it("lets a stream's headers and each of its events through at once", async () => {
    edge.store.put(aPreview({ urls: URLS }));
    const request = httpRequest({ port: edge.port, path: "/events", agent: false, headers: { host: HOST } });
    request.end();
    const [response] = (await once(request, "response")) as [IncomingMessage];
    assert.equal(response.headers["content-type"], "text/event-stream");
    assert.equal(seen.length, 1);
    request.destroy();
  });

  it("ends the application's request when the client goes away", async () => {
    edge.store.put(aPreview({ urls: URLS }));
    const request = httpRequest({ port: edge.port, path: "/hang", agent: false, headers: { host: HOST } });
    request.on("error", () => {});
    request.end();
    const reached = await eventually(() => seen[0]);
    request.destroy();
    await eventually(() => reached.destroyed || reached.socket.destroyed);
  });

  it("carries a WebSocket both ways and counts it as one long visit", async () => {
    const echo = new WebSocketServer({ server: upstream.server });
    echo.on("connection", (socket) => socket.on("message", (data) => socket.send(`echo ${data}`)));
    edge.store.put(aPreview({ urls: URLS }));
    const client = new WebSocket(`ws://127.0.0.1:${edge.port}/chat`, { headers: { host: HOST } });
    await once(client, "open");
    client.send("hi");
    const [message] = await once(client, "message");
    assert.equal(String(message), "echo hi");
    await edge.visits.flush();
    await edge.visits.flush();
    assert.equal(edge.store.visits.filter((batch) => "shop#42" in batch).length, 2);
    client.close();
    await once(client, "close");
    await eventually(async () => {
      const before = edge.store.visits.length;
      await edge.visits.flush();
      return edge.store.visits.length === before;
    });
    echo.close();
  });

  it("ends open WebSockets when it is closed", async () => {
    const echo = new WebSocketServer({ server: upstream.server });
    edge.store.put(aPreview({ urls: URLS }));
    const client = new WebSocket(`ws://127.0.0.1:${edge.port}/`, { headers: { host: HOST } });
    await once(client, "open");
    const closed = once(client, "close");
    await edge.close();
    await closed;
    echo.close();
    edge = await startEdge();
  });

  it("answers an upgrade whose application is gone with 502", async () => {
    edge.store.put(aPreview({ urls: URLS }));
    await upstream.close();
    const client = new WebSocket(`ws://127.0.0.1:${edge.port}/`, { headers: { host: HOST } });
    const [error] = await once(client, "error");
    assert.match(String(error), /502/);
    upstream = await startUpstream(() => {});
  });

  it("serves plain HTTP to a client that offers h2c", async () => {
    edge.store.put(aPreview({ urls: URLS }));
    const answer = await ask(edge.port, {
      headers: { Connection: "Upgrade, HTTP2-Settings", Upgrade: "h2c", "HTTP2-Settings": "AAMAAABkAAQAAP__" },
    });
    assert.equal(answer.body, "GET /");
    assert.equal(seen[0]?.headers.upgrade, undefined);
  });

  it("follows a service that moved, without losing a request", async () => {
    edge.store.put(aPreview({ urls: URLS }));
    assert.equal((await ask(edge.port)).status, 200);
    const moved = await startUpstream((_request, response) => response.end("moved"));
    edge.addresses.set("shop-pr-42/web", moved.address);
    await upstream.close();
    assert.equal((await ask(edge.port)).body, "moved");
    assert.equal((await ask(edge.port, { method: "POST", body: "x" })).body, "moved");
    await moved.close();
    upstream = await startUpstream(() => {});
  });

  it("says so when the application does not answer", async () => {
    edge.store.put(aPreview({ urls: URLS }));
    await upstream.close();
    const page = await ask(edge.port, { headers: { accept: "text/html" } });
    assert.equal(page.status, 502);
    assert.match(page.body, /does not answer/);
    assert.deepEqual(edge.failed, ["shop#42 request"]);
    upstream = await startUpstream(() => {});
  });

  it("keeps the old version up while the new one is stalled", async () => {
    edge.store.put(aPreview({ urls: URLS, status: { condition: "Stalled", reason: "BuildFailed" } }));
    assert.equal((await ask(edge.port)).body, "GET /");
  });

  it("holds a program's request until the preview is awake", async () => {
    edge.store.put(aPreview({ urls: URLS, status: { awake: false, reason: "Asleep" } }));
    const answer = ask(edge.port, { method: "POST", body: "kept" });
    await eventually(() => edge.woken.length);
    await edge.store.setStatus("shop#42", { reason: "Waking" });
    await edge.store.setStatus("shop#42", { reason: "Healthy", awake: true });
    assert.equal((await answer).body, "kept");
    assert.deepEqual(edge.woken, ["shop#42"]);
  });

  it("wakes one that fell asleep again right after it was woken", async () => {
    edge.store.put(aPreview({ urls: URLS, status: { awake: false, reason: "Asleep" } }));
    for (const times of [1, 2]) {
      const answer = ask(edge.port, { path: "/held" });
      await eventually(() => edge.woken.length === times);
      await edge.store.setStatus("shop#42", { reason: "Healthy", awake: true });
      assert.equal((await answer).status, 200);
      await edge.store.setStatus("shop#42", { reason: "Asleep", awake: false });
    }
  });

  it("asks again for a preview to be woken while a request waits and the first wish was lost", async () => {
    edge.store.put(aPreview({ urls: URLS, status: { awake: false, reason: "Asleep" } }));
    edge.failWakes(1);
    const answer = ask(edge.port, { path: "/held" });
    await eventually(() => edge.woken.length, { timeoutMs: 10_000 });
    await edge.store.setStatus("shop#42", { reason: "Healthy", awake: true });
    assert.equal((await answer).status, 200);
    assert.deepEqual(edge.failed, ["shop#42 wake"], "no request of a visitor's");
  });

  it("holds a WebSocket until the preview is awake", async () => {
    const echo = new WebSocketServer({ server: upstream.server });
    edge.store.put(aPreview({ urls: URLS, status: { awake: false, reason: "Asleep" } }));
    const client = new WebSocket(`ws://127.0.0.1:${edge.port}/`, { headers: { host: HOST } });
    await eventually(() => edge.woken.length);
    await edge.store.setStatus("shop#42", { reason: "Healthy", awake: true });
    await once(client, "open");
    client.terminate();
    echo.close();
  });

  it("answers 503 when the preview does not wake, and when too many wait already", async () => {
    edge.store.put(aPreview({ urls: URLS, status: { awake: false, reason: "Asleep" } }));
    const waiting = [ask(edge.port), ask(edge.port)];
    await eventually(() => edge.woken.length);
    const refused = await eventually(async () => {
      const answer = await ask(edge.port, { headers: { accept: "application/json" } });
      return answer.status === 503 && answer;
    });
    assert.equal(refused.headers["retry-after"], "2");
    assert.equal(JSON.parse(refused.body).error.reason, "Asleep");
    await edge.store.setStatus("shop#42", { condition: "Stalled", reason: "StartFailed" });
    for (const answer of await Promise.all(waiting)) assert.equal(answer.status, 503);
  });

  it("does not wake a preview for a link unfurler, a HEAD or a health check", async () => {
    edge.store.put(aPreview({ urls: URLS, healthPath: "/health", status: { awake: false, reason: "Asleep" } }));
    assert.equal((await ask(edge.port, { headers: { "user-agent": "Slackbot-LinkExpanding 1.0" } })).status, 503);
    assert.equal((await ask(edge.port, { method: "HEAD" })).status, 503);
    assert.equal((await ask(edge.port, { path: "/health" })).status, 503);
    assert.deepEqual(edge.woken, []);
    await edge.visits.flush();
    assert.deepEqual(edge.store.visits, []);
  });

  it("shows a page of its own for every state", async () => {
    const states = [
      { status: {}, urls: undefined, code: 503, says: /Building this preview/ },
      {
        status: { condition: "Stalled", reason: "BuildFailed", excerpt: ["npm <b>ERR!</b>"] },
        urls: undefined,
        code: 503,
        says: /could not be built/,
      },
      { status: { condition: "Stalled", reason: "Blocked" }, urls: undefined, code: 503, says: /held back/ },
      { status: { condition: "Stalled", reason: "ApprovalNeeded" }, urls: undefined, code: 503, says: /held back/ },
      { status: { reason: "Paused" }, urls: undefined, code: 503, says: /Previews are stopped/ },
      { status: { awake: false, reason: "Paused" }, urls: URLS, code: 503, says: /Previews are stopped/ },
      { status: { awake: false, reason: "Asleep" }, urls: URLS, code: 503, says: /Waking up/ },
      {
        status: { awake: false, condition: "Stalled", reason: "StartFailed", message: "it exits at once" },
        urls: URLS,
        code: 503,
        says: /It exits at once/,
      },
      { status: { reason: "Destroying" }, urls: URLS, code: 404, says: /being removed/ },
      { status: { goneAt: "2026-11-21T11:00:00.000Z", reason: "Gone" }, urls: URLS, code: 404, says: /is gone/ },
      {
        status: {
          goneAt: "2026-11-21T11:00:00.000Z",
          reason: "Gone",
          goneReason: "Expired",
          message: "A push makes it anew.",
        },
        urls: URLS,
        code: 404,
        says: /A push makes it anew/,
      },
    ] as const;
    for (const { status, urls, code, says } of states) {
      edge.store.put(aPreview({ urls, title: "<script>alert(1)</script>", status }));
      const page = await eventually(async () => {
        const answer = await ask(edge.port, { headers: { accept: "text/html" } });
        return says.test(answer.body) && answer;
      });
      assert.equal(page.status, code);
      assert.equal(page.headers["cache-control"], "no-store");
      assert.match(String(page.headers["x-robots-tag"]), /noindex/);
      assert.doesNotMatch(page.body, /<script|<b>ERR/);
    }
  });

  it("names the place in the queue, and asks again less often", async () => {
    const status = { condition: "Reconciling", reason: "Queued", message: "Third in the queue of shop." } as const;
    for (const wish of [{ status }, { status: { ...status, awake: false }, urls: URLS }]) {
      edge.store.put(aPreview(wish));
      const page = await eventually(async () => {
        const answer = await ask(edge.port, { headers: { accept: "text/html" } });
        return answer.body.includes("Third in the queue of shop.") && answer;
      });
      assert.match(page.body, /Waiting for its turn/);
      assert.equal(page.headers["retry-after"], "10");
      assert.match(page.body, /http-equiv="refresh" content="10"/);
    }
  });

  it("leads to the button that rebuilds, and only where that would help", async () => {
    const pageOf = async (goneReason: string, says: RegExp) => {
      const message = `${goneReason} it was.`;
      edge.store.put(aPreview({ status: { goneAt: "2026-11-21T11:00:00.000Z", reason: "Gone", goneReason, message } }));
      return eventually(async () => {
        const { body } = await ask(edge.port, { headers: { accept: "text/html" } });
        return says.test(body) && body;
      });
    };
    const expired = await pageOf("Expired", /Expired it was/);
    assert.match(expired, /href="http:\/\/localhost:4000\/previews\/shop%2342">Rebuild it</);
    assert.doesNotMatch(expired, /<form|<button/);
    assert.doesNotMatch(await pageOf("Merged", /Merged it was/), /Rebuild/);
    assert.doesNotMatch(await pageOf("Closed", /Reopening the pull request/), /Rebuild/);
  });

  it("says on every page of ours since when all are stopped, and to strangers not by whom", async () => {
    await edge.close();
    const fallbackUrl = "https://staging.acme.dev";
    edge = await startEdge({ fallbackUrl, pause: async () => ({ at: "2026-11-21T09:30:00.000Z", by: "ada" }) });
    edge.store.put(aPreview({ status: { reason: "Provisioning" } }));
    for (const host of [HOST, "pr-9-shop.localhost:4000"]) {
      const { body } = await ask(edge.port, { host, headers: { accept: "text/html" } });
      assert.match(body, /All previews are stopped<\/b> since [\s\S]*2026-11-21 09:30 UTC/);
      assert.doesNotMatch(body, /\bada\b/);
      assert.match(body, /href="https:\/\/staging\.acme\.dev"/);
    }
  });

  it("offers the operator's fallback where waiting helps nobody", async () => {
    await edge.close();
    edge = await startEdge({ fallbackUrl: "https://staging.acme.dev" });
    const offered = async () =>
      JSON.parse((await ask(edge.port, { headers: { accept: "application/json" } })).body).fallbackUrl;
    edge.store.put(aPreview({ status: { reason: "Paused" } }));
    await eventually(async () => (await offered()) === "https://staging.acme.dev");
    edge.store.put(aPreview({ status: { reason: "Provisioning" } }));
    await eventually(async () => (await offered()) === undefined);
    const unknown = await ask(edge.port, { host: "pr-9-shop.localhost:4000", headers: { accept: "text/html" } });
    assert.match(unknown.body, /href="https:\/\/staging\.acme\.dev"/);
  });

  it("answers 404 for a host of no preview, 421 for a foreign one, and its own app at home", async () => {
    assert.equal((await ask(edge.port, { host: "pr-9-shop.localhost:4000" })).status, 404);
    assert.equal((await ask(edge.port, { host: "rebound.example" })).status, 421);
    assert.equal((await ask(edge.port, { host: "localhost.evil.example" })).status, 421);
    assert.equal((await ask(edge.port, { host: "localhost:4000" })).body, "stackling itself");
  });

  it("refuses what is no request for this server", async () => {
    edge.store.put(aPreview({ urls: URLS }));
    for (const head of [
      `GET http://169.254.169.254/ HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`,
      `GET / HTTP/1.1\r\nHost: ${HOST}\r\nX-Big: ${"x".repeat(40_000)}\r\n\r\n`,
      `GET / HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`,
      "GARBAGE\r\n\r\n",
    ]) {
      const socket = connect(edge.port, "127.0.0.1");
      socket.end(head);
      const text = (await socket.toArray()).join("");
      assert.match(text, /^HTTP\/1\.1 4\d\d /, head.slice(0, 40));
    }
    assert.equal(seen.length, 0);
    assert.equal((await ask(edge.port)).status, 200);
  });

  it("records a visit once per flush, whatever the number of requests", async () => {
    edge.store.put(aPreview({ urls: URLS }));
    for (let i = 0; i < 4; i += 1) await ask(edge.port);
    assert.equal(edge.store.visits.length, 0);
    await edge.visits.flush();
    assert.equal(edge.store.visits.length, 1);
    assert.ok(edge.store.visits[0]?.["shop#42"]);
  });

  it("keeps visits that could not be written for the next time", async () => {
    edge.store.put(aPreview({ urls: URLS }));
    await ask(edge.port);
    edge.store.away = true;
    await edge.visits.flush();
    edge.store.away = false;
    await edge.visits.flush();
    assert.ok(edge.store.visits[0]?.["shop#42"]);
  });
});
