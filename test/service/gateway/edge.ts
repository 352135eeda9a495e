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
import { type Access, type AccessDeps, createAccess } from "../../../service/gateway/access/access.ts";
import { createBanner } from "../../../service/gateway/banner/banner.ts";
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
  /** Of each error whose it is, and what failed. */
  readonly failed: string[];
  readonly visits: ReturnType<typeof createVisits>;
  /** Only where `access` was given. */
  readonly access: Access | undefined;
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
    /** Who may see which preview; none: everybody all. */
    readonly access?: Partial<AccessDeps["config"]> & Pick<AccessDeps, "environment">;
    readonly now?: () => Date;
    /** What the operator says of the banner; absent: there is none. */
    readonly banner?: Pick<Parameters<typeof createBanner>[0]["config"], "banner">;
  } = {},
): Promise<Edge> {
  const store = memoryStore();
  const addresses = new Map<string, string>();
  const asked: string[] = [];
  const woken: string[] = [];
  let wakesToFail = 0;
  const errors: unknown[] = [];
  const failed: string[] = [];
  const onError = (error: unknown, about?: { readonly key: string }, of?: string) => {
    errors.push(error);
    failed.push([about?.key, of].filter((word) => word !== undefined).join(" "));
  };
  const now = options.now ?? (() => new Date());
  const access = options.access && (await accessFor(options.access, { now, onError }));
  const { domain = DOMAIN, scheme = "http" } = options.access ?? {};
  const routes = await createRoutes({ store, domain, guardOf: access?.guardOf, onError });
  const at = access?.at(routes);
  const visits = createVisits({ store, now: () => new Date(), onError });
  const homeUrl = `${scheme}://${domain}`;
  const { banner: said, ...others } = options;
  const gateway = createGateway({
    routes,
    ...(said ? { banner: createBanner({ config: { ...said, repositories: [] }, scheme, homeUrl }) } : {}),
    visits,
    porter: at?.porter,
    trusts: access?.trusts,
    scheme,
    homeUrl,
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
    ...others,
  });
  const app: RequestListener = (request, response) => {
    if (access && request.url?.startsWith("/auth/callback")) void access.relay(request, response);
    else if (at && request.url?.startsWith("/auth/relay/callback")) void at.appRelay.finish(request, response);
    else response.end("stackling itself");
  };
  const server = createEdgeServer({ routes, gateway, app, domain });
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
    failed,
    visits,
    access,
    async close() {
      gateway.close();
      routes.close();
      await visits.close();
      await shut(server);
    },
  };
}

function accessFor(
  { environment, ...config }: Partial<AccessDeps["config"]> & Pick<AccessDeps, "environment">,
  { now, onError }: Pick<AccessDeps, "now" | "onError">,
): Promise<Access> {
  const shop = { name: "shop", forge: "hub", path: "acme/shop", target: "local", secrets: {}, tags: {} };
  const repositories = [{ ...shop, branches: ["**"] }];
  const whole = { domain: DOMAIN, scheme: "http", repositories, ...config } as const;
  return createAccess({ config: whole, token: "t0k3n", environment, now, onError });
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
