/** What wakes a preview and keeps it awake, and what does not. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { afterEach, beforeEach, describe, it } from "node:test";
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
