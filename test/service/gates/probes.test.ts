/** Requests and measures against real servers, and Prometheus by a server that answers as its documentation says. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import type { PreviewSpec } from "../../../infra/spec.ts";
import { parseApplication } from "../../../service/config/application.ts";
import { ask } from "../../../service/gates/http.ts";
import { measurePage } from "../../../service/gates/page-speed.ts";
import { queryShare } from "../../../service/gates/prometheus.ts";
import { runChecks } from "../../../service/gates/run.ts";
import { createTracing, type Span, type SpanStart } from "../../../service/tracing/tracing.ts";
import { aPreview } from "../../support/previews.ts";
import { config } from "../../support/reconcile-world.ts";

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

let handle: Handler = (_request, response) => response.end("ok");
let server: Server;
let address: string;
const never = new AbortController().signal;
const URL_OF = "https://pr-42-shop.preview.acme.dev";

before(async () => {
  server = createServer((request, response) => handle(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(() => {
  server.closeAllConnections();
  server.close();
});

const asking = (path: string, more = {}) =>
  ask({ address }, { method: "GET", path, url: URL_OF, timeoutMs: 5_000, bodyBytes: 1000, signal: never, ...more });

describe("a request of a check", () => {
  it("comes as a visitor's would through the gateway, to the private address", async () => {
    const seen: IncomingMessage["headers"][] = [];
    handle = (request, response) => {
      seen.push(request.headers);
      response.end("ok");
    };
    const { status, body } = await asking("/health?deep=1");
    assert.deepEqual([status, body.toString()], [200, "ok"]);
    const { host, "x-forwarded-proto": proto, "x-forwarded-host": forwarded, "user-agent": agent } = seen[0] ?? {};
    assert.deepEqual(
      [host, proto, forwarded, agent],
      ["pr-42-shop.preview.acme.dev", "https", "pr-42-shop.preview.acme.dev", "stackling-check"],
    );
  });

  it("brings the header that the way to a further cluster asks for", async () => {
    const seen: unknown[] = [];
    handle = (request, response) => {
      seen.push(request.headers["x-way"]);
      response.end();
    };
    await ask(
      { address, reach: { header: { name: "x-way", value: "secret" } } },
      { method: "GET", path: "/", url: URL_OF, timeoutMs: 5_000, bodyBytes: 10, signal: never },
    );
    assert.deepEqual(seen, ["secret"]);
  });

  it("reads no more than it may of an answer without end", async () => {
    handle = (_request, response) => {
      const more = () => {
        while (!response.destroyed && response.write("x".repeat(64 * 1024)));
      };
      response.on("drain", more);
      more();
    };
    const { cut, body } = await asking("/");
    assert.ok(cut && body.length <= 1000);
  });

  it("ends with words that a person understands", async () => {
    handle = () => {};
    await assert.rejects(asking("/", { timeoutMs: 50 }), /^Error: it did not answer within 0\.05 s$/);
    handle = (request) => void request.socket.destroy();
    await assert.rejects(asking("/"), /it closed the connection without an answer/);
    handle = (request) => void request.socket.end("SSH-2.0-nothing\r\n");
    await assert.rejects(asking("/"), /its answer is not HTTP/);
    const closed = createServer().listen(0, "127.0.0.1");
    await once(closed, "listening");
    const { port } = closed.address() as AddressInfo;
    closed.close();
    await once(closed, "close");
    const asked = { method: "GET", path: "/", url: URL_OF, timeoutMs: 5_000, bodyBytes: 10, signal: never };
    await assert.rejects(ask({ address: `127.0.0.1:${port}` }, asked), /it took no connection/);
  });
});

describe("the speed of a page", () => {
  it("is that of the document behind its redirects and of its own parts, and of nothing elsewhere", async () => {
    const asked: string[] = [];
    handle = (request, response) => {
      asked.push(request.url ?? "");
      if (request.url === "/") return void response.writeHead(302, { location: "/home" }).end();
      if (request.url !== "/home") return void response.end("x".repeat(5_000));
      response.writeHead(200, { "content-type": "text/html" });
      response.end('<link rel=stylesheet href=/a.css><img src=b.png><script src="https://cdn.example/c.js"></script>');
    };
    const { totalKB, requests, ttfbMs } = await measurePage({ address }, { url: URL_OF, path: "/", signal: never });
    assert.deepEqual([requests, Math.round(totalKB)], [4, 10]);
    assert.ok(ttfbMs > 0);
    assert.deepEqual([...new Set(asked)].toSorted(), ["/", "/a.css", "/b.png", "/home"]);
  });

  it("is not had where the page leads elsewhere, in circles, or fails", async () => {
    const measured = (location: string, status = 302) => {
      handle = (_request, response) => void response.writeHead(status, { location }).end();
      return measurePage({ address }, { url: URL_OF, path: "/", signal: never });
    };
    await assert.rejects(measured("http://169.254.169.254/latest/meta-data"), /it leads to another host/);
    await assert.rejects(measured("/"), /more than 5 redirects/);
    await assert.rejects(measured("", 500), /it answered 500/);
  });
});

describe("Prometheus", () => {
  const seen: { readonly url: string; readonly token: string | undefined; readonly body: string }[] = [];
  const answers = (status: number, body: unknown) => {
    handle = (request, response) => {
      let text = "";
      request.on("data", (chunk: Buffer) => {
        text += chunk.toString();
      });
      request.on("end", () => {
        seen.push({ url: request.url ?? "", token: request.headers.authorization, body: text });
        response
          .writeHead(status, { "content-type": "application/json" })
          .end(typeof body === "string" ? body : JSON.stringify(body));
      });
    };
  };
  const vector = (...values: string[]) => ({
    status: "success",
    data: { resultType: "vector", result: values.map((value) => ({ metric: {}, value: [1435781451.781, value] })) },
  });
  const query = () =>
    queryShare({ url: `http://${address}/prom/`, token: { env: "X" } }, 'up{a="b"}', {
      signal: never,
      resolve: async () => "t0ken",
    });

  it("is asked by its API with the operator's token, and the greatest value counts", async () => {
    answers(200, vector("0.002", "0.03", "NaN"));
    assert.equal(await query(), 0.03);
    const [{ url, token, body } = { url: "", token: "", body: "" }] = seen;
    assert.deepEqual([url, token], ["/prom/api/v1/query", "Bearer t0ken"]);
    assert.equal(new URLSearchParams(body).get("query"), 'up{a="b"}');
    answers(200, { status: "success", data: { resultType: "scalar", result: [1435781451.781, "+Inf"] } });
    assert.equal(await query(), Number.POSITIVE_INFINITY);
  });

  it("has no data where there is nothing, or 0 of 0", async () => {
    answers(200, vector());
    assert.equal(await query(), undefined);
    answers(200, vector("NaN"));
    assert.equal(await query(), undefined);
  });

  it("says in words what went wrong, and takes its token nowhere else", async () => {
    answers(400, { status: "error", errorType: "bad_data", error: 'invalid parameter "query":\n1:3: parse error' });
    await assert.rejects(query(), /^Error: Prometheus refuses the query: invalid parameter "query": 1:3: parse error$/);
    answers(401, "Unauthorized");
    await assert.rejects(query(), /Prometheus answered 401, with nothing that is known/);
    answers(200, { status: "success", data: { resultType: "matrix", result: [] } });
    await assert.rejects(query(), /the query gives a matrix, and must give a number/);
    handle = (_request, response) => void response.writeHead(302, { location: "http://127.0.0.1:1/" }).end();
    await assert.rejects(query(), /Prometheus does not answer/);
  });

  it("decides on a gate that names none where there is one, and is not there where the operator names none", async () => {
    const spec = specOf();
    const run = (prometheus: Record<string, { url: string }> | undefined) =>
      runChecks(
        {
          world: { address: async () => ({ address }) },
          config: { limits: config.limits, ...(prometheus ? { prometheus } : {}) },
          runCommand: async () => ({ ok: true, text: "" }),
        },
        { spec, checks: rate(), signal: never, say: () => {} },
      );
    answers(200, vector("0.5"));
    const [bad] = await run({ main: { url: `http://${address}` } });
    assert.deepEqual([bad?.ok, bad?.text], [false, "50 % of requests failed in the last 5m; it must be below 1 %"]);
    const [none] = await run(undefined);
    assert.equal(none?.text, "no Prometheus server is chosen: the operator names none");
    const [several] = await run({ a: { url: "http://a" }, b: { url: "http://b" } });
    assert.equal(several?.text, 'no Prometheus server is chosen: choose "from" of "a", "b"');
  });
});

describe("checks together", () => {
  it("are spans of the trace, each with what came of it", async () => {
    const told: string[] = [];
    const begin = ({ name, attributes }: SpanStart): Span => ({
      traceId: "",
      spanId: "",
      traceparent: "",
      begin,
      set: (more) => void told.push(`${name} ${attributes?.["stackling.check"]} ${more["stackling.outcome"]}`),
      end: () => {},
    });
    handle = (_request, response) => response.end("ok");
    await runChecks(
      {
        world: { address: async () => ({ address }) },
        config: { limits: config.limits },
        runCommand: async () => ({ ok: false, text: "it failed" }),
        tracing: createTracing({ begin, close: async () => {} }),
      },
      {
        spec: specOf(),
        checks: checksOf('smoke: [{path: /, within: 5s}]\ngates: [{name: e2e, command: "false"}]\n'),
        signal: never,
        say: () => {},
      },
    );
    assert.deepEqual(told, ["check smoke GET / passed", "check command e2e failed"]);
  });

  it("try again until an answer is right, and run no gate behind a smoke test that failed", async () => {
    let asked = 0;
    handle = (_request, response) => {
      asked += 1;
      response.writeHead(asked < 3 ? 503 : 200).end();
    };
    const said: string[] = [];
    const run = (yaml: string) =>
      runChecks(
        {
          world: { address: async () => ({ address }) },
          config: { limits: config.limits },
          runCommand: async () => ({ ok: true, text: "it succeeded" }),
        },
        {
          spec: specOf(),
          checks: checksOf(yaml),
          signal: never,
          say: (one) => said.push(one),
        },
      );
    const passed = await run('smoke: [{path: /, within: 5s}]\ngates: [{command: "true"}]\n');
    assert.deepEqual(
      passed.map(({ ok }) => ok),
      [true, true],
    );
    assert.deepEqual(said, ["Smoke tests 1 of 1.", "Gates 1 of 1."]);
    asked = -1000;
    const failed = await run(
      'smoke: [{path: /a, within: 1s}, {path: /b, within: 1s, required: false}]\ngates: [{command: "true"}]\n',
    );
    assert.deepEqual(
      failed.map(({ name, ok }) => [name, ok]),
      [
        ["GET /a", false],
        ["GET /b", false],
      ],
    );
  });

  it("take no longer than the operator lets them", async () => {
    handle = () => {};
    const results = await runChecks(
      {
        world: { address: async () => ({ address }) },
        config: { limits: { ...config.limits, checksForSeconds: 0.2 } },
        runCommand: async () => ({ ok: true, text: "" }),
      },
      {
        spec: specOf(),
        checks: checksOf("smoke: [/a, /b]\n"),
        signal: never,
        say: () => {},
      },
    );
    assert.deepEqual(
      results.map(({ text }) => text),
      Array(2).fill("the time for all checks was over, 0.2 s"),
    );
  });
});

function checksOf(yaml: string) {
  const text = `services: {web: x}\n${yaml}`;
  const { checks } = parseApplication(text, { file: "preview.yaml", limits: config.limits });
  assert.ok(checks);
  return checks;
}

function rate() {
  return checksOf('gates: [{errorRate: {query: "x"}}]\n');
}

function specOf(): PreviewSpec {
  const { live } = aPreview({ urls: { web: URL_OF } }).status;
  assert.ok(live);
  return live;
}
