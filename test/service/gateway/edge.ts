/** A whole edge on a free port, in front of real upstream servers. */
import { once } from "node:events";
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type RequestListener,
  type Server,
} from "node:http";
import type { AddressInfo } from "node:net";
import type { Reach } from "../../../components/ports.ts";
import { createGateway } from "../../../service/gateway/gateway.ts";
import { createRoutes } from "../../../service/gateway/routes.ts";
import { createEdgeServer } from "../../../service/gateway/server.ts";
import { createVisits } from "../../../service/gateway/visits.ts";
import type { Pause } from "../../../service/store/operation.ts";
import { type MemoryStore, memoryStore } from "../../support/memory-store.ts";

export const DOMAIN = "localhost:4000";
export const HOST = `pr-42-shop.${DOMAIN}`;
export const URLS = { web: `http://${HOST}` };

export interface Edge {
  readonly port: number;
  readonly store: MemoryStore;
  readonly server: Server;
  /** Private address by `stack/service`. */
  readonly addresses: Map<string, string>;
  readonly asked: string[];
  readonly woken: string[];
  /** The next so many wishes to wake are lost. */
  failWakes(times: number): void;
  readonly errors: unknown[];
  readonly visits: ReturnType<typeof createVisits>;
  close(): Promise<void>;
}

export async function startEdge(
  options: {
    readonly holdTimeoutMs?: number;
    readonly holdMax?: number;
    readonly fallbackUrl?: string;
    readonly pause?: () => Promise<Pause | undefined>;
    /** How every address is dialed. */
    readonly reach?: () => Promise<Reach | undefined>;
  } = {},
): Promise<Edge> {
  const store = memoryStore();
  const addresses = new Map<string, string>();
  const asked: string[] = [];
  const woken: string[] = [];
  let wakesToFail = 0;
  const errors: unknown[] = [];
  const onError = (error: unknown) => void errors.push(error);
  const routes = await createRoutes({ store, domain: DOMAIN, onError });
  const visits = createVisits({ store, now: () => new Date(), onError });
  const gateway = createGateway({
    routes,
    visits,
    scheme: "http",
    homeUrl: `http://${DOMAIN}`,
    history: (key, limit) => store.history(key, limit),
    wake: async (key) => {
      if (wakesToFail-- > 0) throw new Error("the store is away");
      woken.push(key);
    },
    addressOf: async (stack, service) => {
      asked.push(`${stack}/${service}`);
      const address = addresses.get(`${stack}/${service}`);
      return address === undefined ? undefined : { address, ...(options.reach && { reach: await options.reach() }) };
    },
    onError,
    ...options,
  });
  const app: RequestListener = (_request, response) => response.end("stackling itself");
  const server = createEdgeServer({ routes, gateway, app, domain: DOMAIN });
  await listen(server);
  return {
    port: portOf(server),
    store,
    server,
    addresses,
    asked,
    woken,
    failWakes: (times) => {
      wakesToFail = times;
    },
    errors,
    visits,
    async close() {
      gateway.close();
      routes.close();
      await visits.close();
      await shut(server);
    },
  };
}

/** A server of the application's side on a free port. */
export async function startUpstream(
  listener: RequestListener,
): Promise<{ server: Server; address: string; close(): Promise<void> }> {
  const server = createServer(listener);
  await listen(server);
  return { server, address: `127.0.0.1:${portOf(server)}`, close: () => shut(server) };
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

export interface Ask {
  readonly host?: string;
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** One request over a connection of its own. */
export async function ask(
  port: number,
  { host = HOST, path = "/", method = "GET", headers = {}, body }: Ask = {},
): Promise<Answer> {
  const request = httpRequest({ port, host: "127.0.0.1", path, method, agent: false, headers: { host, ...headers } });
  request.end(body);
  const [response] = (await once(request, "response")) as [IncomingMessage];
  let text = "";
  response.setEncoding("utf8");
  for await (const chunk of response) text += chunk;
  return { status: response.statusCode ?? 0, headers: response.headers, body: text };
}

export async function listen(server: Server): Promise<void> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
}

export function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

export async function shut(server: Server): Promise<void> {
  const closed = once(server, "close");
  server.close();
  server.closeAllConnections();
  await closed;
}
