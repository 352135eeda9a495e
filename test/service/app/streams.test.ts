import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import { createStreams } from "../../../service/api/streams.ts";

describe("a stream of log lines", () => {
  it("keeps no listener for each turn that it waited for a slow reader", async () => {
    const streams = createStreams({ store: { onChange: () => () => {} } });
    const counts: number[] = [];
    async function* lines(response: ServerResponse) {
      for (let line = 0; line < 60; line++) {
        yield { service: "web", text: "x".repeat(100_000) };
        counts.push(response.listenerCount("close") + response.listenerCount("drain"));
      }
    }
    const server = createServer((_request, response) => void streams.logs(response, () => lines(response)));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    try {
      const asked = httpRequest({ host: "127.0.0.1", port: (server.address() as AddressInfo).port }).end();
      const [answer] = (await once(asked, "response")) as [IncomingMessage];
      let bytes = 0;
      for await (const chunk of answer) bytes += chunk.length;
      assert.ok(bytes > 6_000_000);
      assert.equal(counts.length, 60);
      assert.ok(Math.max(...counts) < 10, `${Math.max(...counts)} listeners`);
    } finally {
      server.close();
    }
  });
});
