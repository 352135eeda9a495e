/** What a preview is told of the trace that a request belongs to, by visitors of all kinds. */
import assert from "node:assert/strict";
import type { IncomingHttpHeaders } from "node:http";
import { after, before, beforeEach, describe, it } from "node:test";
import { baggageOf, createTraceContext } from "../../../service/gateway/trace-context.ts";
import { aPreview } from "../../support/previews.ts";
import { ask, type Edge, HOST, startEdge, startUpstream, URLS } from "./edge.ts";

const TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const MADE = /^00-[0-9a-f]{32}-[0-9a-f]{16}-03$/;

describe("the trace context of a request", () => {
  const add = createTraceContext();
  const told = (headers: IncomingHttpHeaders) => {
    add(headers, "preview=shop%2342");
    return headers;
  };

  it("begins where there is none, each a new one", () => {
    const ids = new Set(Array.from({ length: 600 }, () => told({}).traceparent));
    assert.equal(ids.size, 600);
    for (const id of ids) assert.match(String(id), MADE);
  });

  it("is the visitor's own where it has one, of this version and of a later one", () => {
    for (const traceparent of [TRACE, TRACE.replace(/01$/, "00"), `01${TRACE.slice(2)}-later`]) {
      const headers = told({ traceparent, tracestate: "vendor=1" });
      assert.deepEqual([headers.traceparent, headers.tracestate], [traceparent, "vendor=1"]);
    }
  });

  for (const [what, traceparent] of [
    ["nothing", ""],
    ["no trace", TRACE.replace(/-0af.{29}-/, `-${"0".repeat(32)}-`)],
    ["no span", TRACE.replace(/b7.{14}/, "0".repeat(16))],
    ["another version with its words behind", `${TRACE}-more`],
    ["the version that is none", `ff${TRACE.slice(2)}`],
    ["capital letters", TRACE.toUpperCase()],
    ["two at once", `${TRACE}, ${TRACE}`],
    ["thousands of characters", TRACE.repeat(600)],
  ] as const) {
    it(`begins anew, without the state of the old one, where it holds ${what}`, () => {
      const headers = told({ traceparent, tracestate: "vendor=1" });
      assert.match(String(headers.traceparent), MADE);
      assert.equal("tracestate" in headers, false);
    });
  }
});

describe("the baggage of a request", () => {
  const add = createTraceContext();
  const own = baggageOf("shop@fix/ü,=;");
  const merged = (baggage: string) => {
    const headers: IncomingHttpHeaders = { baggage };
    add(headers, own);
    return headers.baggage?.toString().split(",") ?? [];
  };

  it("names the preview, with all that is special encoded", () => {
    assert.equal(own, "preview=shop%40fix%2F%C3%BC%2C%3D%3B");
  });

  it("keeps what a visitor brings, with its properties", () => {
    assert.deepEqual(merged("userId=alice , session = 1;secret;ttl=5"), [
      own,
      "userId=alice",
      "session = 1;secret;ttl=5",
    ]);
  });

  it("keeps one without a value, and lets go what is blanks alone but for its end", () => {
    assert.deepEqual(merged("empty=,blank=  ;secret,a= b ;c"), [own, "empty=", "blank=  ;secret", "a= b ;c"]);
    assert.deepEqual(merged(`a=${" ".repeat(8_000)}"`), [own]);
  });

  it("keeps nothing that says it is another preview's, nor what is no baggage", () => {
    const kept = merged(
      'preview=other#1,preview = x;y, PREVIEW=mine,=5,a b=c,quote="x",ok=1,,bad\u00e9=1,back\\slash=1,x=a\\b',
    );
    assert.deepEqual(kept, [own, "PREVIEW=mine", "ok=1"]);
  });

  it("is within the specification's limits, whatever comes, and cuts nothing in the middle", () => {
    const many = merged(Array.from({ length: 500 }, (_, index) => `k${index}=v`).join(","));
    assert.deepEqual([many.length, many[0], many.at(-1)], [64, own, "k62=v"]);
    const long = merged(`a=${"x".repeat(4000)},b=${"y".repeat(4000)},c=${"z".repeat(4000)}`);
    assert.deepEqual([long.length, long[2]?.length], [3, 4002]);
    assert.ok(long.join(",").length <= 8192);
    assert.deepEqual(merged(`a=${"x".repeat(30_000)}`), [own]);
    assert.deepEqual(merged(`ok=1,${",".repeat(8_000)}`), [own, "ok=1"]);
  });

  it("is the same when a request is sent again", () => {
    const headers: IncomingHttpHeaders = { baggage: "a=1" };
    add(headers, own);
    const first = { ...headers };
    add(headers, own);
    assert.deepEqual(headers, first);
  });
});

describe("a preview behind the gateway", () => {
  let edge: Edge;
  let upstream: Awaited<ReturnType<typeof startUpstream>>;
  let seen: IncomingHttpHeaders[] = [];
  before(async () => {
    edge = await startEdge();
    upstream = await startUpstream((request, response) => {
      seen.push(request.headers);
      response.end("ok");
    });
    edge.addresses.set("shop-pr-42/web", upstream.address);
    edge.store.put(aPreview({ urls: URLS }));
  });
  beforeEach(() => {
    seen = [];
  });
  after(async () => {
    await edge.close();
    await upstream.close();
  });

  it("is told of both, also by a client that names them as its connection's own", async () => {
    await ask(edge.port, { host: HOST });
    await ask(edge.port, { host: HOST, headers: { traceparent: TRACE, baggage: "a=1" } });
    await ask(edge.port, { host: HOST, headers: { connection: "close, traceparent, baggage", traceparent: TRACE } });
    assert.deepEqual(
      seen.map(({ baggage }) => baggage),
      ["preview=shop%2342", "preview=shop%2342,a=1", "preview=shop%2342"],
    );
    assert.match(String(seen[0]?.traceparent), MADE);
    assert.equal(seen[1]?.traceparent, TRACE);
    assert.match(String(seen[2]?.traceparent), MADE);
  });
});
