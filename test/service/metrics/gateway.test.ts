import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, get, type IncomingMessage, type RequestListener } from "node:http";
import { after, describe, it } from "node:test";
import type { Gateway } from "../../../service/gateway/gateway.ts";
import type { Route } from "../../../service/gateway/routes.ts";
import { metered } from "../../../service/metrics/gateway.ts";
import { eventually } from "../../support/eventually.ts";
import { aPreview } from "../../support/previews.ts";
import { listen, portOf, shut } from "../gateway/edge.ts";

type Answered = readonly [repository: string, code: string, ms: number | undefined];

describe("what goes through the gateway", () => {
  const answered: Answered[] = [];
  let clock = 0;
  const handlers: Readonly<Record<string, RequestListener>> = {
    "/page": (_request, response) => {
      clock += 40;
      response.end("a page");
    },
    "/broken": (_request, response) => void response.writeHead(502).end(),
    "/events": (_request, response) => {
      clock += 3_600_000;
      response.setHeader("Content-Type", "text/event-stream; charset=utf-8");
      response.end("data: last\n\n");
    },
    "/cut": (_request, response) => {
      response.writeHead(200, { "Content-Length": 100 }).flushHeaders();
    },
  };
  const inner: Gateway = {
    handle: (_route, request, response) => handlers[request.url ?? ""]?.(request, response),
    upgrade: async () => {},
    unknown: () => {},
    close: () => {},
  };
  const gateway = metered(inner, { elapsed: () => clock, answered: (...what) => void answered.push(what) });
  const route: Pick<Route, "preview"> = { preview: aPreview({}) };
  const server = createServer((request, response) => gateway.handle(route as Route, request, response));
  const listening = listen(server);
  after(() => shut(server));

  async function ask(path: string): Promise<IncomingMessage> {
    await listening;
    const request = get({ port: portOf(server), host: "127.0.0.1", path, agent: false });
    const [response] = (await once(request, "response")) as [IncomingMessage];
    return response;
  }
  const told = () => eventually(() => answered.shift(), { what: "the count" });

  it("is counted by repository, class of status and time", async () => {
    (await ask("/page")).resume();
    assert.deepEqual(await told(), ["shop", "2xx", 40]);
    (await ask("/broken")).resume();
    assert.deepEqual(await told(), ["shop", "5xx", 0]);
  });

  it("counts event streams and tells no time of them, which is that of the page that is open", async () => {
    (await ask("/events")).resume();
    assert.deepEqual(await told(), ["shop", "2xx", undefined]);
  });

  it("tells an answer that was cut from one that came to its end", async () => {
    (await ask("/cut")).destroy();
    assert.deepEqual((await told()).slice(0, 2), ["shop", "cut"]);
  });
});
