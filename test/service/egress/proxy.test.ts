import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, request as httpRequest } from "node:http";
import { type AddressInfo, connect, createServer as createTcpServer, type Server, type Socket } from "node:net";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { connect as connectTls } from "node:tls";
import { chooseAddress } from "../../../service/egress/addresses.ts";
import { createEgressProxy, type EgressProxy, type EgressProxyDeps } from "../../../service/egress/proxy.ts";
import { eventually } from "../../support/eventually.ts";

const CALLERS: Readonly<Record<string, { hosts: string[]; trusted: string[] }>> = {
  "shop-pr-1": { hosts: ["api.example", "*.wild.example"], trusted: ["inside.example"] },
  "shop-pr-2": { hosts: ["other.example"], trusted: [] },
};

describe("the egress proxy", () => {
  let web: Server;
  let raw: Server;
  let webPort = 0;
  let rawPort = 0;
  /** First bytes that reached the raw listener, by connection. */
  let heard: Buffer[] = [];
  let proxy: EgressProxy;
  let port = 0;
  let refused: string[] = [];
  const asked: string[] = [];

  before(async () => {
    web = createServer((request, response) => {
      if (request.url === "/slow") return;
      response.end(JSON.stringify({ url: request.url, host: request.headers.host, headers: request.headers }));
    });
    web.on("upgrade", (_request, socket) =>
      socket.end("HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\nhello"),
    );
    raw = createTcpServer((socket) => {
      socket.on("data", (chunk) => {
        heard.push(chunk);
        socket.end("heard");
      });
      socket.on("error", () => {});
    });
    for (const server of [web, raw]) {
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
    }
    [webPort, rawPort] = [web, raw].map((server) => (server.address() as AddressInfo).port) as [number, number];
  });
  after(() => {
    web.close();
    raw.close();
  });

  async function start(more: Partial<EgressProxyDeps> = {}): Promise<void> {
    proxy = createEgressProxy({
      identify: async (name, password) => {
        const caller = CALLERS[name];
        if (!caller || password !== `secret of ${name}`) return undefined;
        const { hosts, trusted } = caller;
        const withPorts = (typed: string[]) => typed.flatMap((host) => [`${host}:${webPort}`, `${host}:${rawPort}`]);
        return { stack: name, hosts: withPorts(hosts), trusted: withPorts(trusted) };
      },
      choose: async ({ host }) => {
        asked.push(host);
        return { address: "127.0.0.1" };
      },
      onRefused: (stack, { host, port: to, why }) => {
        const known = to === webPort ? ":web" : to === rawPort ? ":raw" : to === undefined ? "" : `:${to}`;
        refused.push(`${stack} ${host}${known} ${why}`);
      },
      ...more,
    });
    port = await proxy.listen(0);
  }

  beforeEach(async () => {
    refused = [];
    heard = [];
    asked.length = 0;
    await start();
  });
  afterEach(() => proxy.close());

  const basic = (name: string, password = `secret of ${name}`) =>
    `Basic ${Buffer.from(`${name}:${password}`).toString("base64")}`;

  /** Status of a CONNECT, and the tunnel where there is one. */
  async function open(
    authority: string,
    credentials = basic("shop-pr-1"),
  ): Promise<{ status: number; socket: Socket }> {
    const request = httpRequest({
      host: "127.0.0.1",
      port,
      method: "CONNECT",
      path: authority,
      headers: { "proxy-authorization": credentials },
    });
    request.end();
    const [response, socket] = (await once(request, "connect")) as [{ statusCode: number }, Socket];
    socket.on("error", () => {});
    return { status: response.statusCode, socket };
  }

  async function get(url: string, headers: Record<string, string> = {}): Promise<{ status: number; body: string }> {
    const request = httpRequest({
      host: "127.0.0.1",
      port,
      path: url,
      headers: { host: new URL(url).host, "proxy-authorization": basic("shop-pr-1"), ...headers },
    });
    request.end();
    const [response] = await once(request, "response");
    let body = "";
    for await (const chunk of response) body += chunk;
    return { status: response.statusCode, body };
  }

  async function everything(socket: Socket): Promise<string> {
    let text = "";
    for await (const chunk of socket) text += chunk;
    return text;
  }

  it("tunnels TLS to a named host, whose handshake names it too", async () => {
    const { status, socket } = await open(`api.example:${rawPort}`);
    assert.equal(status, 200);
    connectTls({ socket, servername: "api.example" }).on("error", () => {});
    await eventually(() => heard.length === 1);
    assert.equal(heard[0]?.[0], 0x16);
    assert.deepEqual(refused, []);
  });

  it("lets through what a star stands for", async () => {
    const { socket } = await open(`hooks.wild.example:${rawPort}`);
    connectTls({ socket, servername: "hooks.wild.example" }).on("error", () => {});
    await eventually(() => heard.length === 1);
  });

  it("refuses a handshake that names another host, or none, before anything is dialed", async () => {
    for (const servername of ["evil.example", ""]) {
      const { status, socket } = await open(`api.example:${rawPort}`);
      assert.equal(status, 200);
      const closed = once(socket, "close");
      connectTls({ socket, servername }).on("error", () => {});
      await closed;
    }
    assert.deepEqual(heard, []);
    assert.deepEqual(refused, ["shop-pr-1 evil.example:raw serverName", "shop-pr-1 api.example:raw serverName"]);
  });

  it("refuses a tunnel to a host that nobody named, says so, and looks up nothing", async () => {
    for (const host of ["evil.example", "wild.example", "127.0.0.1", "[::1]"]) {
      const { status } = await open(`${host}:${rawPort}`);
      assert.equal(status, 403, host);
    }
    assert.deepEqual(asked, []);
    assert.deepEqual(refused, [
      "shop-pr-1 evil.example:raw unlisted",
      "shop-pr-1 wild.example:raw unlisted",
      "shop-pr-1 127.0.0.1:raw unlisted",
      "shop-pr-1 ::1:raw unlisted",
    ]);
  });

  it("refuses a port that nobody named", async () => {
    assert.equal((await open("api.example:22")).status, 403);
    assert.deepEqual(refused, ["shop-pr-1 api.example:22 unlisted"]);
  });

  it("refuses what two programs could read differently", async () => {
    assert.equal((await open(`api.example@evil.example:${rawPort}`)).status, 403);
    assert.match(refused[0] ?? "", /unreadable$/);
  });

  it("gives nobody the list of another", async () => {
    assert.equal((await open(`other.example:${rawPort}`)).status, 403);
    const borrowed = basic("shop-pr-2", "secret of shop-pr-1");
    assert.equal((await open(`other.example:${rawPort}`, borrowed)).status, 407);
    assert.equal((await open(`api.example:${rawPort}`, "Bearer shop-pr-1")).status, 407);
    assert.deepEqual(refused, ["shop-pr-1 other.example:raw unlisted"]);
  });

  it("refuses a name that was bound to this machine after it was allowed", async () => {
    await proxy.close();
    const answers = [["93.184.215.14"], ["127.0.0.1"], ["169.254.169.254"]];
    const resolve = async () => (answers.shift() ?? []).map((address) => ({ address, family: 4 }));
    const dialed: (string | undefined)[] = [];
    await start({
      choose: async (wanted) => {
        const found = await chooseAddress(wanted, resolve);
        dialed.push(found?.address);
        return found && { address: "127.0.0.1" };
      },
    });
    assert.equal((await open(`api.example:${rawPort}`)).status, 200);
    assert.equal((await open(`api.example:${rawPort}`)).status, 403);
    assert.equal((await open(`inside.example:${rawPort}`)).status, 403);
    // Each name once for each call: what was judged is what is dialed.
    assert.deepEqual(dialed, ["93.184.215.14", undefined, undefined]);
    assert.deepEqual(refused, ["shop-pr-1 api.example:raw address", "shop-pr-1 inside.example:raw address"]);
  });

  it("says so when a name is not known", async () => {
    await proxy.close();
    await start({ choose: async () => Promise.reject(new Error("ENOTFOUND")) });
    assert.equal((await open(`api.example:${rawPort}`)).status, 502);
    assert.deepEqual(refused, []);
  });

  it("forwards plain HTTP to a named host, without its own headers", async () => {
    const { status, body } = await get(`http://api.example:${webPort}/v1?a=b`);
    assert.equal(status, 200);
    const seen = JSON.parse(body);
    assert.equal(seen.url, "/v1?a=b");
    assert.equal(seen.host, `api.example:${webPort}`);
    assert.equal(seen.headers["proxy-authorization"], undefined);
  });

  it("refuses plain HTTP whose Host header is another host's", async () => {
    const { status, body } = await get(`http://api.example:${webPort}/`, { host: "evil.example" });
    assert.equal(status, 403);
    assert.match(body, /evil\.example/);
    assert.deepEqual(refused, ["shop-pr-1 evil.example:80 unlisted"]);
  });

  it("looks at every request of a plain tunnel", async () => {
    const { socket } = await open(`api.example:${webPort}`);
    socket.write(`GET /one HTTP/1.1\r\nHost: api.example:${webPort}\r\n\r\n`);
    const [first] = await once(socket, "data");
    assert.match(String(first), /200 OK/);
    socket.write(`GET /two HTTP/1.1\r\nHost: evil.example:${webPort}\r\n\r\n`);
    assert.match(await everything(socket), /403 Forbidden/);
    assert.deepEqual(refused, ["shop-pr-1 evil.example:web unlisted"]);
  });

  it("carries an upgrade of plain HTTP", async () => {
    const { socket } = await open(`api.example:${webPort}`);
    socket.write(
      `GET /ws HTTP/1.1\r\nHost: api.example:${webPort}\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n`,
    );
    assert.match(await everything(socket), /101 Switching Protocols[\s\S]*hello$/);
  });

  it("refuses what is neither TLS nor HTTP", async () => {
    const { socket } = await open(`api.example:${rawPort}`);
    socket.write("SSH-2.0-OpenSSH_9.2\r\n");
    await everything(socket);
    assert.deepEqual(heard, []);
    assert.deepEqual(refused, ["shop-pr-1 api.example:raw protocol"]);
  });

  it("closes a tunnel in which nobody says anything", async () => {
    await proxy.close();
    await start({ limits: { firstWordsMs: 30 } });
    const silent = await open(`api.example:${rawPort}`);
    assert.equal(await everything(silent.socket), "");
    const half = await open(`api.example:${rawPort}`);
    half.socket.write(Buffer.from([0x16, 3, 1]));
    assert.equal(await everything(half.socket), "");
    assert.deepEqual(heard, []);
  });

  it("holds each preview to its number of connections", async () => {
    await proxy.close();
    await start({ limits: { connections: 1 } });
    const first = await open(`api.example:${rawPort}`);
    assert.equal((await open(`api.example:${rawPort}`)).status, 503);
    const others = basic("shop-pr-2");
    assert.equal((await open(`other.example:${rawPort}`, others)).status, 200);
    first.socket.destroy();
    await eventually(async () => (await open(`api.example:${rawPort}`)).status === 200);
  });

  it("ends the connections of a preview that goes", async () => {
    const mine = await open(`api.example:${rawPort}`);
    const other = await open(`other.example:${rawPort}`, basic("shop-pr-2"));
    const closed = once(mine.socket, "close");
    mine.socket.resume();
    proxy.end("shop-pr-1");
    await closed;
    assert.equal(other.socket.destroyed, false);
  });

  it("survives whatever is sent to it", async () => {
    for (const bytes of [
      "\u0016\u0003\u0001",
      "GET / HTTP/1.1\r\n\r\n",
      "CONNECT \r\n\r\n",
      "CONNECT x HTTP/1.1\r\n\r\n",
      "\0\0\0",
    ]) {
      const socket = connect(port, "127.0.0.1");
      socket.on("error", () => {});
      socket.end(bytes);
      await everything(socket).catch(() => {});
    }
    assert.equal((await open(`api.example:${rawPort}`)).status, 200);
  });
});
