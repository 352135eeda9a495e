/** One server of the gateway's benchmark in a process of its own: the page, a bare proxy, or our gateway. */
import { once } from "node:events";
import { Agent, createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { createProxyServer } from "httpxy";
import { createBanner } from "../service/gateway/banner/banner.ts";
import { createGateway } from "../service/gateway/gateway.ts";
import { createRoutes } from "../service/gateway/routes.ts";
import { createEdgeServer } from "../service/gateway/server.ts";
import { createVisits } from "../service/gateway/visits.ts";
import { gatewayCount, metered } from "../service/metrics/gateway.ts";
import { createNumbers } from "../service/metrics/registry.ts";
import { aPreview } from "../test/support/previews.ts";

const HOST = "pr-42-shop.localhost:4000";
const PAGE = `<!doctype html><title>Shop</title><p>${"A small page. ".repeat(70)}</p></html>`;

const [role = "", upstream = ""] = process.argv.slice(2);
const roles: Readonly<Record<string, () => Promise<Server> | Server>> = { page, bare, ours };
const server = await roles[role]?.();
if (!server) throw new Error(`starting a server of the benchmark: there is no role "${role}"`);
server.listen(0, "127.0.0.1");
await once(server, "listening");
process.send?.((server.address() as AddressInfo).port);
// Ends with the benchmark, also when that was killed.
process.once("disconnect", () => process.exit());

function page(): Server {
  return createServer((_request, response) => {
    response.setHeader("Content-Type", "text/html");
    response.end(PAGE);
  });
}

/** What the library does by itself, with the same pooled connections and nothing of ours. */
function bare(): Server {
  const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY, maxFreeSockets: 64 });
  const proxy = createProxyServer({ agent, target: `http://${upstream}`, xfwd: true });
  return createServer((request, response) => void proxy.web(request, response));
}

async function ours(): Promise<Server> {
  const preview = aPreview({ urls: { web: `http://${HOST}` } });
  const store = {
    list: async () => [preview],
    find: async () => preview,
    onChange: () => () => {},
    visited: async () => {},
  };
  const onError = (error: unknown) => console.error(error);
  const routes = await createRoutes({ store, domain: "localhost:4000", onError });
  const [scheme, homeUrl] = ["http", "http://localhost:4000"] as const;
  const gateway = createGateway({
    routes,
    banner: createBanner({ config: { repositories: [] }, scheme, homeUrl }),
    visits: createVisits({ store, now: () => new Date(), onError }),
    scheme,
    homeUrl,
    history: async () => [],
    wake: async () => {},
    addressOf: async () => ({ address: upstream }),
    onError,
  });
  const numbers = createNumbers();
  return createEdgeServer({
    routes,
    gateway: metered(gateway, gatewayCount(numbers)),
    app: (_request, response) => response.end(),
    domain: "localhost:4000",
  });
}
