import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import { prometheusFindings } from "../../../service/gates/findings.ts";

describe("what doctor says of Prometheus", () => {
  it("is which server answers, and what keeps the others from it", async () => {
    const server = createServer((request, response) => {
      const isKnown = request.headers.authorization === "Bearer right";
      response.writeHead(isKnown ? 200 : 401, { "content-type": "application/json" });
      response.end(isKnown ? '{"status":"success","data":{"resultType":"vector","result":[]}}' : "no");
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const url = `http://${host}/`;
    const prometheus = { good: { url, token: { env: "right" } }, bad: { url, token: { env: "wrong" } } };
    const found = await prometheusFindings({ prometheus }, async (from) => ("env" in from ? from.env : ""));
    server.close();
    assert.deepEqual(found, [
      { ok: true, what: 'Prometheus "good" answers' },
      {
        ok: false,
        what: `Prometheus "bad" at ${host}: Prometheus answered 401, with nothing that is known`,
        remedy: "correct `prometheus.bad` in stackling.yaml: its address, or where its token lies",
      },
    ]);
  });

  it("names a token that is not where it should be, and is nothing where none is configured", async () => {
    const prometheus = { main: { url: "http://127.0.0.1:1", token: { env: "STACKLING_NOTHING_HERE" } } };
    const [missing] = await prometheusFindings({ prometheus });
    assert.match(missing?.what ?? "", /environment variable "STACKLING_NOTHING_HERE" is not set/);
    assert.deepEqual(await prometheusFindings({}), []);
  });
});
