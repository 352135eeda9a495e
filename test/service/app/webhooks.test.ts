import assert from "node:assert/strict";
import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { afterEach, beforeEach, describe, it } from "node:test";
import { eventually } from "../../support/eventually.ts";
import { type AppEdge, MAX_BYTES, sign, startApp } from "./app-edge.ts";

const OPENED = JSON.stringify({ repository: { path: "acme/shop" }, number: 42 });

describe("webhooks", () => {
  let edge: AppEdge;
  beforeEach(async () => {
    edge = await startApp();
  });
  afterEach(() => edge.close());

  it("stores a delivery and answers 202", async () => {
    const answer = await edge.deliver(OPENED);
    assert.equal(answer.status, 202);
    assert.deepEqual(edge.received, [{ forge: "hub", deliveryId: "d-1", event: "pull_request", key: "shop#42" }]);
  });

  it("knows a renamed repository by the forge's id of it", async () => {
    await edge.deliver(JSON.stringify({ repository: { path: "acme/store", id: 9 }, number: 42 }));
    await edge.deliver(JSON.stringify({ repository: { path: "acme/store", id: 8 }, number: 43 }), {
      "x-delivery": "d-2",
    });
    assert.deepEqual(
      edge.received.map(({ key }) => key),
      ["shop#42"],
    );
  });

  it("answers 202 to a delivery seen before, which the store tells apart", async () => {
    await edge.deliver(OPENED);
    assert.equal((await edge.deliver(OPENED)).status, 202);
  });

  const refused: readonly [string, number, string, Record<string, string>][] = [
    ["a wrong signature", 401, OPENED, { "x-signature": sign("other") }],
    ["no signature", 401, OPENED, { "x-signature": "" }],
    ["another content type", 415, OPENED, { "content-type": "text/plain" }],
    ["broken JSON", 400, "{", {}],
    ["valid JSON of the wrong shape", 400, "[1]", {}],
    ["JSON that is null", 400, "null", {}],
    ["an unknown event", 202, OPENED, { "x-event": "star" }],
    ["a repository that is not configured", 202, OPENED.replace("shop", "other"), {}],
    ["an empty body", 400, "", {}],
    ["a delivery id of absurd length", 400, OPENED, { "x-delivery": "d".repeat(3_000) }],
    ["an event of absurd length", 400, OPENED, { "x-event": "e".repeat(3_000) }],
  ];
  for (const [what, status, body, headers] of refused) {
    it(`answers ${status} and stores nothing but a counter for ${what}`, async () => {
      assert.equal((await edge.deliver(body, headers)).status, status);
      assert.deepEqual(edge.received, []);
      await edge.counters.flush();
      assert.ok(Object.keys(await edge.store.counters()).length > 0);
      assert.equal((await edge.ask({ path: "/healthz" })).status, 200);
    });
  }

  it("answers 404 for a forge it does not know", async () => {
    assert.equal((await edge.ask({ path: "/webhooks/nobody", method: "POST", body: OPENED })).status, 404);
    assert.equal((await edge.ask({ path: "/webhooks/__proto__", method: "POST", body: OPENED })).status, 404);
  });

  it("answers 413 to a body over the limit, whether its length is claimed or not", async () => {
    const open = start(edge.port, { "content-length": String(MAX_BYTES + 1) });
    open.flushHeaders();
    assert.equal((await responseOf(open)).statusCode, 413);
    open.destroy();
    const streamed = start(edge.port, { "transfer-encoding": "chunked" });
    const answered = responseOf(streamed);
    const chunk = Buffer.alloc(1024 * 1024);
    for (let i = 0; i < 6; i += 1) streamed.write(chunk);
    assert.equal((await answered).statusCode, 413);
    streamed.destroy();
    assert.equal((await edge.deliver(OPENED)).status, 202);
  });

  it("answers 503 when too many large bodies come at once, and takes them after", async () => {
    const large = 2 * 1024 * 1024;
    const first = start(edge.port, { "content-length": String(large) });
    first.flushHeaders();
    const busy = await eventually(async () => {
      const second = start(edge.port, { "content-length": String(large) });
      second.flushHeaders();
      const early = await responseOf(second);
      second.destroy();
      return early.statusCode === 503 && early;
    });
    assert.equal(busy.headers["retry-after"], "5");
    assert.equal((await edge.deliver(OPENED)).status, 202);
    first.destroy();
    const padded = `${OPENED}${" ".repeat(large)}`;
    await eventually(async () => (await edge.deliver(padded)).status === 202);
  });

  it("gives up on a body that does not come", async () => {
    const slow = start(edge.port, { "content-length": "100" });
    slow.write("{");
    assert.equal((await responseOf(slow)).statusCode, 400);
    slow.destroy();
  });

  it("answers 503 and asks to send again while the store is away", async () => {
    edge.store.away = true;
    const answer = await edge.deliver(OPENED);
    assert.equal(answer.status, 503);
    assert.equal(answer.headers["retry-after"], "5");
    edge.store.away = false;
    assert.equal((await edge.deliver(OPENED)).status, 202);
    assert.equal(edge.received.length, 1);
  });

  it("names the delivery in what the log says of it, and of no other", async () => {
    const noted: object[] = [];
    const other: AppEdge = await startApp({ onError: () => void noted.push(other.tracing.fields()) });
    try {
      other.store.away = true;
      await other.deliver(OPENED);
      await other.deliver(OPENED, { "x-delivery": "d-2" });
      assert.deepEqual(noted, [{ deliveryId: "d-1" }, { deliveryId: "d-2" }]);
    } finally {
      await other.close();
    }
  });

  it("counts a flood of bad requests without a write for each", async () => {
    const before = edge.store.questions();
    for (let i = 0; i < 30; i += 1) await edge.deliver(OPENED, { "x-signature": "bad" });
    assert.equal(edge.store.questions(), before);
    await edge.counters.flush();
    assert.equal((await edge.store.counters())["deliveries.refused.BadSignature"], 30);
  });
});

function start(port: number, headers: Record<string, string>) {
  const request = httpRequest({
    port,
    host: "127.0.0.1",
    path: "/webhooks/hub",
    method: "POST",
    agent: false,
    headers: { host: "localhost:4000", "content-type": "application/json", ...headers },
  });
  // The server hangs up on what it refuses.
  request.on("error", () => {});
  return request;
}

async function responseOf(request: ReturnType<typeof start>): Promise<IncomingMessage> {
  const [response] = (await once(request, "response")) as [IncomingMessage];
  response.resume();
  return response;
}
