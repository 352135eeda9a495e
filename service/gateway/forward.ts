/**
 * The proxy itself, and the only file that knows httpxy. It adds what that library leaves to its
 * caller: hop-by-hop headers (RFC 9110 §7.6.1), forwarded headers that a client cannot forge, and
 * headers that leave at once when a body is a stream.
 */
import { Agent, type IncomingMessage, type ServerResponse } from "node:http";
import { Agent as SecureAgent } from "node:https";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { createProxyServer } from "httpxy";
import type { Networks } from "./access/address.ts";
import { allowedCookies, stripOwnRequest } from "./access/own-paths.ts";
import { type PageBanner, sendWithBanner } from "./banner/page.ts";
import { createTraceContext } from "./trace-context.ts";

export interface ForwardOptions {
  readonly target: { readonly protocol: "http:" | "https:"; readonly host: string; readonly port: number };
  /** Written over the visitor's own; names in lower case. */
  readonly headers?: Record<string, string>;
  /** Where the target is `https:`. */
  readonly ssl?: { servername: string; ca?: string };
  /** What it is told whose preview it is by. */
  readonly baggage: string;
}

export interface ForwarderDeps {
  readonly scheme: "http" | "https";
  /** Load balancers of ours: what one wrote into X-Forwarded-For is kept and extended. */
  readonly trusts: Networks;
  /** A response of no known length stays open (server-sent events and the like); the result is called when it ended. */
  readonly onStream: (request: IncomingMessage) => () => void;
}

export interface Forwarder {
  /**
   * Rejects with the socket's error when no answer began; resolves when the exchange is over.
   * @param page the banner that the answer is to carry where it is a page
   */
  web(request: IncomingMessage, response: ServerResponse, options: ForwardOptions, page?: PageBanner): Promise<void>;
  /** Resolves when the connection is over; a refused upstream is answered 502. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, options: ForwardOptions): Promise<void>;
  close(): void;
}

const HOP_HEADERS = [
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "expect",
] as const;
/** A client may not have these taken out by naming them in Connection: they frame the message. */
const FRAMING = new Set(["host", "content-length", "transfer-encoding", "connection", "upgrade"]);

export function createForwarder(deps: ForwarderDeps): Forwarder {
  const pooling = { keepAlive: true, maxSockets: Number.POSITIVE_INFINITY, maxFreeSockets: 64 };
  const agent = new Agent(pooling);
  const secureAgent = new SecureAgent(pooling);
  const web = createProxyServer({ agent });
  const secureWeb = createProxyServer({ agent: secureAgent });
  const addTraceContext = createTraceContext();
  const pages = new WeakMap<IncomingMessage, PageBanner>();
  for (const proxy of [web, secureWeb]) {
    proxy.on("proxyRes", (upstream, request, response) => {
      stripResponse(upstream, response);
      if (upstream.headers["content-length"] === undefined) openStream(deps, request, response);
      const page = pages.get(request);
      if (page) sendWithBanner(upstream, response, page);
    });
  }

  // Upgraded sockets are not given back, so they take no part in the pool.
  const sockets = createProxyServer({});
  const upgraded = new Set<Socket>();
  sockets.on("proxyReqWs", (outgoing, _request, socket) => {
    // Before the library's own listeners, which write what stands there.
    outgoing.once("response", stripCookies);
    outgoing.once("upgrade", (answer, upstream) => {
      stripCookies(answer);
      upgraded.add(socket);
      socket.once("close", () => upgraded.delete(socket));
      // Piping alone leaves one end open when the other is cut off; a WebSocket is never open by half.
      socket.once("end", () => upstream.destroySoon());
      upstream.once("end", () => socket.destroySoon());
      socket.once("close", () => upstream.destroy());
      upstream.once("close", () => socket.destroySoon());
    });
  });
  sockets.on("error", (_error, _request, socket) => {
    if (socket instanceof Socket && !upgraded.has(socket)) answerRaw(socket, 502, "Bad Gateway");
  });

  return {
    web(request, response, options, page) {
      prepare(request, deps);
      addTraceContext(request.headers, options.baggage);
      const proxy = options.target.protocol === "http:" ? web : secureWeb;
      if (!page) return proxy.web(request, response, options);
      pages.set(request, page);
      return proxy.web(request, response, { ...options, selfHandleResponse: true });
    },
    upgrade(request, socket, head, options) {
      if (!(socket instanceof Socket)) return Promise.reject(new Error("upgrading a connection that is no socket"));
      prepare(request, deps);
      addTraceContext(request.headers, options.baggage);
      return sockets.ws(request, socket, options, head);
    },
    close() {
      agent.destroy();
      secureAgent.destroy();
      // The server knows them no more, and open they keep the process alive.
      for (const socket of upgraded) socket.destroy();
    },
  };
}

/** Ends a connection that was to be upgraded with a plain answer. */
export function answerRaw(socket: Duplex, status: number, text: string, retryAfterSeconds?: number): void {
  if (!socket.writable) return;
  const again = retryAfterSeconds === undefined ? "" : `Retry-After: ${retryAfterSeconds}\r\n`;
  socket.end(
    `HTTP/1.1 ${status} ${text}\r\nConnection: close\r\n${again}Content-Type: text/plain; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
  );
}

function prepare(request: IncomingMessage, { scheme, trusts }: ForwarderDeps): void {
  const { headers } = request;
  stripOwnRequest(request);
  for (const name of HOP_HEADERS) if (headers[name] !== undefined) delete headers[name];
  const { connection } = headers;
  if (connection !== undefined && connection !== "keep-alive") stripConnection(request, connection);

  const peer = request.socket.remoteAddress ?? "";
  const trustForwarded = trusts(peer);
  const before = trustForwarded ? headers["x-forwarded-for"] : undefined;
  headers["x-forwarded-for"] = before ? `${String(before)}, ${peer}` : peer;
  if (!trustForwarded || headers["x-forwarded-proto"] === undefined) headers["x-forwarded-proto"] = scheme;
  if (!trustForwarded || headers["x-forwarded-host"] === undefined) headers["x-forwarded-host"] = headers.host;
  if (!trustForwarded && headers.forwarded !== undefined) delete headers.forwarded;
  if (!trustForwarded && headers["x-forwarded-port"] !== undefined) delete headers["x-forwarded-port"];
}

function stripConnection(request: IncomingMessage, connection: string): void {
  const { headers } = request;
  const tokens = connection.toLowerCase().split(",");
  for (const token of tokens) {
    const name = token.trim();
    if (name !== "close" && name !== "keep-alive" && !FRAMING.has(name)) delete headers[name];
  }
  if (headers.upgrade !== undefined && tokens.some((token) => token.trim() === "upgrade")) {
    // An upgrade that is taken up needs both headers; any other (h2c) is declined by leaving them out.
    if (headers.upgrade.toLowerCase() === "websocket") {
      headers.connection = "Upgrade";
      return;
    }
    delete headers.upgrade;
  }
  // "close" was meant for us, not for the pooled connection behind us. HTTP/1.0 is left as it is,
  // because the library answers such a client with what stands here.
  if (request.httpVersion !== "1.0") headers.connection = "keep-alive";
}

function stripResponse(upstream: IncomingMessage, response: ServerResponse): void {
  const { headers } = upstream;
  const { connection } = headers;
  if (connection !== undefined && connection !== "keep-alive" && connection !== "close") {
    for (const token of connection.toLowerCase().split(",")) {
      const name = token.trim();
      if (!FRAMING.has(name)) headers[name] = undefined;
    }
  }
  // A preview is no page of the world's: search engines are told no, whatever the application says.
  headers["x-robots-tag"] = "noindex, nofollow";
  stripCookies(upstream);
  headers.connection = response.shouldKeepAlive ? "keep-alive" : "close";
  if (headers["keep-alive"] !== undefined) headers["keep-alive"] = undefined;
  if (headers["proxy-authenticate"] !== undefined) headers["proxy-authenticate"] = undefined;
}

function stripCookies({ headers }: IncomingMessage): void {
  if (headers["set-cookie"] !== undefined) headers["set-cookie"] = allowedCookies(headers["set-cookie"]);
}

function openStream(deps: ForwarderDeps, request: IncomingMessage, response: ServerResponse): void {
  // After the library has copied the headers: a stream's first byte may be minutes away.
  setImmediate(() => {
    if (!response.headersSent && !response.destroyed) response.flushHeaders();
    // What ends by itself within this tick is an answer like any other.
    if (!response.writableEnded && !response.destroyed) response.once("close", deps.onStream(request));
  });
}
