/**
 * The one way out of previews: an HTTP proxy that tunnels (CONNECT) and forwards (absolute form) to named hosts only.
 *
 * The tunnel is held until its first message is read: the host that a TLS handshake names, or the Host header of each
 * plain request, must be the host that was asked for. `proxy-chain` was looked at and opens tunnels before anything
 * can be read; HTTP is parsed by Node, the handshake by `read-tls-client-hello`.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Reaches } from "./addresses.ts";
import { type Destination, fits, normalName, parseHostRule, readDestination } from "./hosts.ts";
import { type NewRefusal, type RefusedWhy, refusalWords } from "./refusals.ts";
import { relay } from "./relay.ts";
import { send, sendUpgrade } from "./send.ts";
import { readFirstWords } from "./server-name.ts";

/** A preview that calls, and where to it may. */
export interface Caller {
  readonly stack: string;
  /** As typed in preview.yaml: public hosts. */
  readonly hosts: readonly string[];
  /** As typed by the operator: also addresses, and names inside of networks. */
  readonly trusted: readonly string[];
}

export interface EgressProxyDeps {
  /** Whose credentials these are, if the connection from `peer` may use them. */
  readonly identify: (name: string, password: string, peer: Peer) => Promise<Caller | undefined>;
  /** The one address that is dialed for a host; undefined when it leads where no preview may go. See `chooseAddress`. */
  readonly choose: (wanted: { readonly host: string; readonly reaches: Reaches }) => Promise<Dialed | undefined>;
  readonly onRefused: (stack: string, refusal: NewRefusal) => void;
  readonly limits?: Partial<EgressLimits>;
}

interface Dialed {
  readonly address: string;
}

/** The other end of a connection. */
export interface Peer {
  readonly address: string;
  readonly port: number;
}

export interface EgressLimits {
  /** Connections of one preview at once. */
  readonly connections: number;
  /** A tunnel over which nothing goes for so long is closed. */
  readonly idleMs: number;
  /** In which the first message of a tunnel must be there. */
  readonly firstWordsMs: number;
  readonly connectMs: number;
}

const LIMITS: EgressLimits = { connections: 256, idleMs: 10 * 60_000, firstWordsMs: 10_000, connectMs: 15_000 };
/** Of all previews together. */
const CONNECTIONS_MAX = 4_096;

export interface EgressProxy {
  /** On 127.0.0.1. Rejects with `EADDRINUSE` when the port is taken; 0 chooses one. */
  listen(port: number): Promise<number>;
  /** Stacks with connections now. */
  callers(): readonly string[];
  /** Ends every connection of a preview. */
  end(stack: string): void;
  close(): Promise<void>;
}

interface Connection {
  readonly destroyed: boolean;
  once(event: "close", listener: () => void): unknown;
  destroy(): unknown;
}

/** A destination that was judged and may be dialed. */
interface Route extends Destination {
  readonly stack: string;
  readonly address: string;
}

interface Asked {
  readonly request: IncomingMessage;
  /** Counted from now on; one that is refused ends. */
  readonly connection: Connection;
  readonly wanted: Destination | undefined;
  /** As it was typed. */
  readonly text: string;
}

type Judged =
  | { readonly route: Route }
  | { readonly status: number; readonly words: string; readonly headers?: Record<string, string> };

export function createEgressProxy(deps: EgressProxyDeps): EgressProxy {
  const limits = { ...LIMITS, ...deps.limits };
  const open = new Map<string, Set<Connection>>();
  /** What a plain tunnel leads to, by its connection. */
  const tunnels = new WeakMap<Duplex, Route>();

  async function judge({ request, connection, wanted, text }: Asked): Promise<Judged> {
    const caller = await identify(deps, request);
    if (!caller) return { status: 407, words: "this proxy is for previews only", headers: CHALLENGE };
    const refuse = (why: RefusedWhy): Judged => {
      const refusal = wanted ? { ...wanted, why } : { host: text, why };
      deps.onRefused(caller.stack, refusal);
      return { status: why === "busy" ? 503 : 403, words: refusalWords(refusal) };
    };
    if (!wanted) return refuse("unreadable");
    const reaches = reachOf(caller, wanted);
    if (!reaches) return refuse("unlisted");
    if ((open.get(caller.stack)?.size ?? 0) >= limits.connections) return refuse("busy");
    // Before the look-up, which may be slow: a thousand at once would all find room.
    hold(caller.stack, connection);
    try {
      const found = await deps.choose({ host: wanted.host, reaches });
      return found ? { route: { ...wanted, stack: caller.stack, address: found.address } } : refuse("address");
    } catch {
      return { status: 502, words: `calling "${wanted.host}": its name could not be looked up` };
    }
  }

  function hold(stack: string, connection: Connection): void {
    if (connection.destroyed) return;
    const held = open.get(stack) ?? new Set();
    open.set(stack, held.add(connection));
    connection.once("close", () => {
      held.delete(connection);
      if (held.size === 0 && open.get(stack) === held) open.delete(stack);
    });
  }

  async function tunnel(request: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
    const text = request.url ?? "";
    const judged = await judge({ request, connection: socket, wanted: readDestination(text), text });
    if (!("route" in judged)) return answerTunnel(socket, judged);
    const { route } = judged;
    if (head.length > 0) socket.unshift(head);
    socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
    const words = await readFirstWords(socket, AbortSignal.timeout(limits.firstWordsMs));
    if (words.kind === "plain") {
      tunnels.set(socket, route);
      inner.emit("connection", socket);
      return;
    }
    // Of an address no host can be named.
    const named = words.serverName === undefined ? undefined : normalName(words.serverName);
    const unnamed = words.serverName === undefined && route.host === route.address;
    if (!unnamed && named !== route.host) {
      deps.onRefused(route.stack, { host: words.serverName || route.host, port: route.port, why: "serverName" });
      socket.destroy();
      return;
    }
    relay(socket, route, limits);
  }

  /** Each by itself: one connection carries requests to several hosts. */
  async function routeOf(request: IncomingMessage, connection: Connection): Promise<Judged> {
    const inside = tunnels.get(request.socket);
    const text = request.url ?? "";
    // Over a whole address there, servers forget the header that was looked at: RFC 9112, section 3.2.2.
    if (inside && !/^[/*]/.test(text)) return { status: 400, words: "in a tunnel, ask for a path alone" };
    if (inside) return sameHost(request, { route: inside });
    const url = URL.canParse(text) ? new URL(text) : undefined;
    const wanted = url?.protocol === "http:" ? readDestination(url.host, 80) : undefined;
    const judged = await judge({ request, connection, wanted, text });
    if (url && "route" in judged) request.url = `${url.pathname}${url.search}`;
    return sameHost(request, judged);
  }

  function sameHost({ headers }: IncomingMessage, judged: Judged): Judged {
    if (!("route" in judged)) return judged;
    const { route } = judged;
    const said = readDestination(headers.host ?? "", 80);
    if (said?.host === route.host && said.port === route.port) return judged;
    const refusal = { port: route.port, host: headers.host ?? "", ...said, why: "unlisted" as const };
    deps.onRefused(route.stack, refusal);
    return { status: 403, words: refusalWords(refusal) };
  }

  async function forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const judged = await routeOf(request, response);
    if (!("route" in judged)) {
      const { status, words, headers } = judged;
      response.writeHead(status, { ...headers, ...PLAIN, connection: "close" }).end(`${words}\n`);
      return;
    }
    await send(request, response, { ...judged.route, idleMs: limits.idleMs });
  }

  async function upgrade(request: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
    const judged = await routeOf(request, socket);
    if (!("route" in judged)) return answerTunnel(socket, judged);
    await sendUpgrade(request, { socket, head }, { ...judged.route, idleMs: limits.idleMs });
  }

  function serve(): Server {
    const server = createServer({ maxHeaderSize: 32 * 1024, headersTimeout: 15_000, requestTimeout: 0 });
    server.on("request", (request, response) => {
      forward(request, response).catch(() => {
        if (!response.headersSent) response.writeHead(502, { ...PLAIN, connection: "close" });
        response.end();
      });
    });
    server.on("upgrade", (request, socket, head) => {
      socket.on("error", () => socket.destroy());
      upgrade(request, socketOf(socket), head).catch(() => socket.destroy());
    });
    server.on("clientError", (_error, socket) => {
      const route = tunnels.get(socket);
      if (route) deps.onRefused(route.stack, { host: route.host, port: route.port, why: "protocol" });
      socket.destroy();
    });
    return server;
  }

  const connections = new Set<Socket>();
  const inner = serve();
  const server = serve();
  server.maxConnections = CONNECTIONS_MAX;
  server.on("connection", (socket) => {
    connections.add(socket);
    socket.once("close", () => connections.delete(socket));
  });
  server.on("connect", (request, socket, head) => {
    socket.on("error", () => socket.destroy());
    tunnel(request, socketOf(socket), head).catch(() => socket.destroy());
  });
  // A tunnel through a tunnel has no destination of its own.
  inner.on("connect", (_request, socket) => socket.destroy());

  const end = (stack: string) => {
    for (const connection of open.get(stack) ?? []) connection.destroy();
  };
  return {
    async listen(port) {
      server.listen({ port, host: "127.0.0.1", exclusive: true });
      await once(server, "listening");
      return (server.address() as AddressInfo).port;
    },
    callers: () => [...open.keys()],
    end,
    async close() {
      const closed = server.listening ? once(server, "close") : undefined;
      server.close();
      for (const socket of connections) socket.destroy();
      await closed;
    },
  };
}

const CHALLENGE = { "proxy-authenticate": 'Basic realm="stackling"' };
const PLAIN = { "content-type": "text/plain; charset=utf-8" };

function reachOf({ hosts, trusted }: Caller, wanted: Destination): Reaches | undefined {
  const isNamed = (typed: readonly string[], addresses: boolean) =>
    typed.some((text) => {
      const rule = parseHostRule(text, { addresses });
      return rule !== undefined && fits(rule, wanted);
    });
  if (isNamed(trusted, true)) return "private";
  return isNamed(hosts, false) ? "public" : undefined;
}

async function identify({ identify: known }: EgressProxyDeps, request: IncomingMessage): Promise<Caller | undefined> {
  const [scheme = "", encoded = ""] = (request.headers["proxy-authorization"] ?? "").split(" ");
  if (scheme.toLowerCase() !== "basic") return undefined;
  const [name = "", ...password] = Buffer.from(encoded, "base64").toString("utf8").split(":");
  const { remoteAddress: address = "", remotePort: port = 0 } = request.socket;
  return known(name, password.join(":"), { address, port });
}

function answerTunnel(socket: Socket, refused: Exclude<Judged, { route: Route }>): void {
  const { status, words, headers = {} } = refused;
  const lines = Object.entries({ ...headers, ...PLAIN, "content-length": String(Buffer.byteLength(words) + 1) });
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  // What was sent meanwhile is read, or the answer would be lost with it.
  socket.resume();
  socket.end(`HTTP/1.1 ${status} Refused\r\nconnection: close\r\n${head}\r\n${words}\n`, () => socket.destroySoon());
}

function socketOf(stream: Duplex): Socket {
  if (stream instanceof Socket) return stream;
  throw new Error("a connection of the egress proxy is no socket");
}
