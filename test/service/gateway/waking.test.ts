/** What wakes a preview and keeps it awake, and what does not. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import { afterEach, beforeEach, describe, it } from "node:test";
import { setImmediate } from "node:timers/promises";
import { WebSocket } from "ws";
import { createWaitingRoom } from "../../../service/gateway/waiting.ts";
import { eventually } from "../../support/eventually.ts";
import { aPreview } from "../../support/previews.ts";
import { ask, type Edge, HOST, startEdge, startUpstream, URLS } from "./edge.ts";

const ASLEEP = { awake: false, reason: "Asleep" } as const;
const BOT = { "user-agent": "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)" };

describe("waking", () => {
  let edge: Edge;
  let upstream: Awaited<ReturnType<typeof startUpstream>>;

  beforeEach(async () => {
    edge = await startEdge({ holdTimeoutMs: 5_000 });
    upstream = await startUpstream((request, response) => {
      const type = request.url === "/events" ? "text/event-stream" : "application/x-ndjson";
      response.writeHead(200, { "Content-Type": type });
      response.write("one\n");
    });
    edge.addresses.set("shop-pr-42/web", upstream.address);
  });
  afterEach(async () => {
    await edge.close();
    await upstream.close();
  });

  it("comes of the front page, also where it is what health checks ask for", async () => {
    edge.store.put(aPreview({ urls: URLS, healthPath: "/", status: ASLEEP }));
    await ask(edge.port, { headers: { accept: "text/html" } });
    assert.deepEqual(edge.woken, ["shop#42"]);
  });

  it("comes of a path that only another service's health checks ask for", async () => {
    const preview = aPreview({ urls: { ...URLS, api: "http://pr-42-api-shop.localhost:4000" }, status: ASLEEP });
    const { live } = preview.status;
    assert.ok(live);
    const services = live.services.map((one) => (one.name === "api" ? { ...one, healthPath: "/cart" } : one));
    edge.store.put({ ...preview, status: { ...preview.status, live: { ...live, services } } });
    await ask(edge.port, { path: "/cart", headers: { accept: "text/html" } });
    assert.deepEqual(edge.woken, ["shop#42"]);
  });

  it("does not come of a machine's WebSocket, which is told when to come again", async () => {
    edge.store.put(aPreview({ urls: URLS, status: ASLEEP }));
    const client = new WebSocket(`ws://127.0.0.1:${edge.port}/`, { headers: { host: HOST, ...BOT } });
    client.on("error", () => {});
    const [, response] = (await once(client, "unexpected-response")) as [unknown, IncomingMessage];
    assert.deepEqual([response.statusCode, response.headers["retry-after"]], [503, "30"]);
    assert.deepEqual(edge.woken, []);
    client.terminate();
  });

  it("is put off by a stream for as long as it is open, whatever its type", async () => {
    edge.store.put(aPreview({ urls: URLS }));
    const stream = await open("/rows");
    await flushUntil((visits) => visits >= 3);
    stream.destroy();
    await eventually(async () => !(await flushed()));
  });

  it("is not put off by a machine's stream", async () => {
    edge.store.put(aPreview({ urls: URLS }));
    const stream = await open("/events", BOT);
    await once(stream, "data");
    assert.equal(await flushed(), false);
    stream.destroy();
  });

  it("is waited for no longer in all than a request may be held", async () => {
    const room = createWaitingRoom({ max: 1 });
    const outcome = room.wait("shop#42", { signal: new AbortController().signal, withinMs: 1 });
    assert.equal(await outcome, "late");
    assert.equal(room.size, 0);
  });

  async function open(path: string, headers = {}): Promise<IncomingMessage> {
    const request = httpRequest({ port: edge.port, path, agent: false, headers: { host: HOST, ...headers } });
    request.on("error", () => {}).end();
    const [response] = (await once(request, "response")) as [IncomingMessage];
    response.on("error", () => {});
    return response;
  }

  /** True when a visit was written. */
  async function flushed(): Promise<boolean> {
    const before = edge.store.visits.length;
    await edge.visits.flush();
    return edge.store.visits.length > before;
  }

  async function flushUntil(enough: (visits: number) => boolean): Promise<void> {
    let visits = 0;
    await eventually(async () => {
      if (await flushed()) visits += 1;
      return enough(visits);
    });
  }
});

describe("who leaves while it is found out what to do with them", () => {
  it("keeps no place among those who wait", async () => {
    const upstream = await startUpstream((_request, response) => response.end("awake"));
    const edge = await startEdge({ holdTimeoutMs: 5_000, holdMax: 1 });
    edge.addresses.set("shop-pr-42/web", upstream.address);
    edge.store.put(aPreview({ urls: URLS, status: ASLEEP }));
    const visited = async () => {
      const before = edge.store.visits.length;
      await edge.visits.flush();
      return edge.store.visits.length > before;
    };
    const [asked, answers] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const { find } = edge.store;
    Object.assign(edge.store, {
      async find(key: string) {
        asked.resolve();
        await answers.promise;
        return find(key);
      },
    });
    try {
      const leaver = httpRequest({ port: edge.port, path: "/held", agent: false, headers: { host: HOST } });
      leaver.on("error", () => {}).end();
      await asked.promise;
      leaver.destroy();
      await eventually(async () => (await connections(edge)) === 0);
      answers.resolve();
      await eventually(visited);
      const stayer = ask(edge.port, { path: "/held" });
      await eventually(visited);
      await edge.store.setStatus("shop#42", { reason: "Healthy", awake: true });
      assert.equal((await stayer).body, "awake");
    } finally {
      await upstream.close();
      await edge.close();
    }
  });

  it("leaves no visit that never ends", async () => {
    const [asked, answers] = [Promise.withResolvers<void>(), Promise.withResolvers<undefined>()];
    const edge = await startEdge({
      reach: () => {
        asked.resolve();
        return answers.promise;
      },
    });
    edge.store.put(aPreview({ urls: URLS }));
    edge.addresses.set("shop-pr-42/web", "127.0.0.1:9");
    try {
      const socket = connect(edge.port, "127.0.0.1").on("error", () => {});
      socket.write(`GET / HTTP/1.1\r\nHost: ${HOST}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`);
      await asked.promise;
      socket.resetAndDestroy();
      await eventually(async () => (await connections(edge)) === 0);
      answers.resolve(undefined);
      await setImmediate();
      await edge.visits.flush();
      const { length } = edge.store.visits;
      await edge.visits.flush();
      assert.equal(edge.store.visits.length, length);
    } finally {
      await edge.close();
    }
  });
});

function connections({ server }: Edge): Promise<number> {
  return new Promise((resolve, reject) =>
    server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
  );
}
