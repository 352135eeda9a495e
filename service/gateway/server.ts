/** One port for everything: previews by their hosts, Stackling itself by its own, and nothing for any other. */
import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { answerRaw } from "./forward.ts";
import type { Gateway } from "./gateway.ts";
import { hostNameOf, type Routes } from "./routes.ts";

export interface EdgeDeps {
  readonly routes: Routes;
  readonly gateway: Gateway;
  /** Stackling's own pages and API. */
  readonly app: RequestListener;
  /** Domain of the gateway with its port, as in the config. */
  readonly domain: string;
  /** Further names under which Stackling itself is asked, such as the one webhooks are sent to. */
  readonly ownHosts?: readonly string[];
  /** Connections at once. */
  readonly maxConnections?: number;
}

/** Asked by load balancers, orchestrators and Prometheus under whatever address they have; tell nothing, or want a token. */
const PROBES = new Set(["/healthz", "/readyz", "/metrics"]);
const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];

/**
 * The server, not yet listening. A Host that is neither ours nor a preview's is refused with 421, so
 * that a name a stranger points at this machine opens nothing (DNS rebinding).
 */
export function createEdgeServer(deps: EdgeDeps): Server {
  const { routes, gateway, app } = deps;
  const domainName = hostNameOf(deps.domain);
  const own = new Set([domainName, ...LOOPBACK, ...(deps.ownHosts ?? []).map(hostNameOf)]);

  const server = createServer(
    {
      // A whole head in 15 s and a whole request in 10 min, so that slow senders hold nothing for ever.
      headersTimeout: 15_000,
      requestTimeout: 600_000,
      connectionsCheckingInterval: 5_000,
      // Longer than the idle time of the usual load balancers (60 s), or they would reuse a dead connection.
      keepAliveTimeout: 65_000,
      maxHeaderSize: 32 * 1024,
      noDelay: true,
      shouldUpgradeCallback: isWebSocket,
    },
    (request, response) => {
      const { host } = request.headers;
      const url = request.url ?? "";
      const route = routes.lookup(host);
      if (url.charCodeAt(0) !== 47 /* "/" */) return refuse(response, 400, "Bad Request");
      if (route) return gateway.handle(route, request, response);
      const name = hostNameOf(host ?? "");
      if (own.has(name) || PROBES.has(url)) return app(request, response);
      if (!name.endsWith(`.${domainName}`)) return refuse(response, 421, "Misdirected Request");
      // It may have been announced a moment ago by another replica.
      routes.refresh().then(() => {
        const found = routes.lookup(host);
        if (found) gateway.handle(found, request, response);
        else gateway.unknown(request, response);
      });
    },
  );
  server.maxConnections = deps.maxConnections ?? 10_000;
  server.on("upgrade", (request, socket, head) => {
    // Node hears it no more; that of one socket which nobody hears ends the process.
    socket.on("error", () => socket.destroy());
    const route = routes.lookup(request.headers.host);
    // Ended and not served: before Node 24.9 every upgrade arrives here, whatever it is to.
    if (!isWebSocket(request)) return answerRaw(socket, 426, "Upgrade Required");
    if (!route) return answerRaw(socket, 404, "Not Found");
    void gateway.upgrade(route, request, socket, head);
  });
  return server;
}

function isWebSocket({ headers }: Pick<IncomingMessage, "headers">): boolean {
  return headers.upgrade?.toLowerCase() === "websocket";
}

function refuse(response: Parameters<RequestListener>[1], status: number, text: string): void {
  response.writeHead(status, { "Content-Type": "text/plain; charset=utf-8", Connection: "close" });
  response.end(`${text}\n`);
}
