import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { describe, it } from "node:test";
import { createStreams, type Streams } from "../../../service/api/streams.ts";
import { eventually } from "../../support/eventually.ts";
import { memoryStore } from "../../support/memory-store.ts";
import { aPreview } from "../../support/previews.ts";
import { startApp, TOKEN } from "./app-edge.ts";

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

describe("an answer that goes on, to who left before it began", () => {
  const kinds: Readonly<Record<string, (streams: Streams, response: ServerResponse) => Promise<void>>> = {
    "log lines": (streams, response) => streams.logs(response, silence),
    "a preview's changes": (streams, response) =>
      streams.changes(response, { describe: async () => ({ state: {}, last: false }) }),
    "which previews changed": (streams, response) => streams.keys(response, {}),
    "the right to run an engine": (streams, response) => streams.hold(response, {}, new AbortController().signal),
  };
  for (const [kind, answer] of Object.entries(kinds)) {
    it(`ends at once: ${kind}`, async () => {
      const streams = createStreams({ store: memoryStore() });
      let ended = false;
      const server = createServer(async (_request, response) => {
        await once(response, "close");
        await answer(streams, response);
        ended = true;
      });
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      try {
        const reached = once(server, "request");
        const asked = httpRequest({ host: "127.0.0.1", port: (server.address() as AddressInfo).port });
        asked.on("error", () => {}).end();
        await reached;
        asked.destroy();
        await eventually(() => ended, { what: "its end" });
      } finally {
        server.close();
      }
    });
  }

  it("gives the right to run an engine back, and reads no secrets for nobody", async () => {
    const taken = Promise.withResolvers<void>();
    const reading = Promise.withResolvers<void>();
    let [released, secretsRead] = [0, 0];
    const sockets: Socket[] = [];
    const edge = await startApp({
      addressOf({ socket }) {
        sockets.push(socket);
        return "";
      },
      async engineByHand() {
        secretsRead += 1;
        await reading.promise;
        return { environment: {}, secrets: {} };
      },
    });
    Object.assign(edge.actions, {
      lease: async () => {
        await taken.promise;
        const release = async () => {
          released += 1;
        };
        return { fence: 7, lost: new AbortController().signal, release };
      },
    });
    edge.store.put(aPreview({}));
    const ask = () => {
      const asked = httpRequest({
        port: edge.port,
        host: "127.0.0.1",
        method: "POST",
        path: "/api/v1/previews/shop%2342/lease",
        agent: false,
        headers: { host: "localhost:4000", authorization: `Bearer ${TOKEN}` },
      });
      return asked.on("error", () => {}).end();
    };
    try {
      const early = ask();
      await eventually(() => sockets[0]);
      early.destroy();
      await eventually(() => sockets[0]?.closed);
      taken.resolve();
      await eventually(() => released === 1);
      assert.equal(secretsRead, 0);
      const late = ask();
      await eventually(() => secretsRead === 1);
      late.destroy();
      await eventually(() => sockets[1]?.closed);
      reading.resolve();
      await eventually(() => released === 2);
    } finally {
      await edge.close();
    }
  });
});

async function* silence(signal: AbortSignal): AsyncGenerator<never> {
  if (!signal.aborted) await once(signal, "abort");
  yield* [];
}
