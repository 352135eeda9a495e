/** What anybody may send to the one port, and must not take everything down with: an error that nobody hears fails a test. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { describe, it } from "node:test";
import { aPreview } from "../../support/previews.ts";
import { ask, startEdge } from "./edge.ts";

describe("the gateway", () => {
  it("goes on when a client cuts an upgrade to a host of nobody", async (t) => {
    const edge = await startEdge();
    t.after(() => edge.close());
    for (let round = 0; round < 20; round++) {
      const socket = connect(edge.port, "127.0.0.1");
      socket.on("error", () => {});
      await once(socket, "connect");
      const arrived = once(edge.server, "upgrade");
      socket.write(
        "GET / HTTP/1.1\r\nHost: pr-9-shop.localhost:4000\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
      );
      await arrived;
      socket.resetAndDestroy();
    }
    assert.equal((await ask(edge.port, { host: "localhost:4000" })).body, "stackling itself");
  });

  it("shows its page to whoever writes the port of a preview's host with thousands of digits", async (t) => {
    const edge = await startEdge({ access: { domain: "preview.acme.dev", access: { kind: "public" } } });
    t.after(() => edge.close());
    const host = "pr-42-shop.preview.acme.dev";
    edge.store.put(aPreview({ urls: { web: `http://${host}` } }));
    const answer = await ask(edge.port, {
      host: `${host}:${"0".repeat(4_000)}80`,
      headers: { accept: "text/html" },
    });
    assert.match(answer.body, /<h1>.*Starting<\/h1>/s);
  });
});
