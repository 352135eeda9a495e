/** What a preview may do to the proxy that all of them share: an error that nobody hears fails a test. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { after, afterEach, before, describe, it } from "node:test";
import { createEgressProxy, type EgressProxy, type EgressProxyDeps } from "../../../service/egress/proxy.ts";
import { eventually } from "../../support/eventually.ts";

const CREDENTIALS = `Proxy-Authorization: Basic ${Buffer.from("shop-pr-1:x").toString("base64")}\r\n`;

describe("the egress proxy, under a preview that means harm,", () => {
  let web: Server;
  let host = "";
  let proxy: EgressProxy;
  let port = 0;
  const reached: string[] = [];

  before(async () => {
    web = createServer((request, response) => {
      reached.push(request.url ?? "");
      response.end("served");
    });
    web.listen(0, "127.0.0.1");
    await once(web, "listening");
    host = `api.example:${(web.address() as AddressInfo).port}`;
  });
  after(() => void web.close());
  afterEach(() => proxy.close());

  async function start(more: Partial<EgressProxyDeps> = {}): Promise<void> {
    proxy = createEgressProxy({
      identify: async () => ({ stack: "shop-pr-1", hosts: [host], trusted: [] }),
      choose: async () => ({ address: "127.0.0.1" }),
      onRefused: () => {},
      ...more,
    });
    port = await proxy.listen(0);
  }
  async function say(text: string): Promise<Socket> {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => {});
    await once(socket, "connect");
    socket.write(text);
    return socket;
  }
  const firstOf = async (socket: Socket) => String((await once(socket, "data"))[0]);
  const tunnel = () => say(`CONNECT ${host} HTTP/1.1\r\nHost: ${host}\r\n${CREDENTIALS}\r\n`);

  it("goes on when an upgrade is cut before it was judged", async () => {
    const asked = Promise.withResolvers<void>();
    const left = Promise.withResolvers<void>();
    await start({
      identify: async () => {
        asked.resolve();
        await left.promise;
        return undefined;
      },
    });
    const upgrade = `Connection: upgrade\r\nUpgrade: websocket\r\n${CREDENTIALS}`;
    const socket = await say(`GET http://${host}/ HTTP/1.1\r\nHost: ${host}\r\n${upgrade}\r\n`);
    await asked.promise;
    socket.resetAndDestroy();
    // The reset of the one comes before the connection of the other.
    await say("");
    left.resolve();
    assert.match(await firstOf(await tunnel()), /^HTTP\/1\.1 407 /);
  });

  it("counts a connection before it looks the name up", async () => {
    const known = Promise.withResolvers<void>();
    await start({ limits: { connections: 1 }, choose: () => known.promise.then(() => ({ address: "127.0.0.1" })) });
    const both = [await tunnel(), await tunnel()].map(firstOf);
    assert.match(await Promise.race(both), /^HTTP\/1\.1 503 /);
    known.resolve();
    assert.match((await Promise.all(both)).join(), /HTTP\/1\.1 200 /);
  });

  it("does not count one that left while it was identified", async () => {
    const asked = Promise.withResolvers<void>();
    const left = Promise.withResolvers<void>();
    await start({
      limits: { connections: 1 },
      identify: async () => {
        asked.resolve();
        await left.promise;
        return { stack: "shop-pr-1", hosts: [host], trusted: [] };
      },
    });
    const gone = await tunnel();
    await asked.promise;
    gone.resetAndDestroy();
    await say("");
    left.resolve();
    await eventually(async () => (await firstOf(await tunnel())).startsWith("HTTP/1.1 200 "));
  });

  it("sends on no request of a plain tunnel that names another host than its header does", async () => {
    await start();
    const socket = await tunnel();
    await firstOf(socket);
    socket.write(`GET http://evil.example/secret HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    assert.match(await firstOf(socket), /^HTTP\/1\.1 400 /);
    assert.deepEqual(reached, []);
  });
});
