/** The side that the world talks to: gateway, webhooks, API and pages on one port. */
import { once } from "node:events";
import type { Server } from "node:http";
import type { Logger } from "pino";
import type { Finding } from "../components/ports.ts";
import { formatKey } from "../infra/names.ts";
import type { Stacks } from "../infra/stacks.ts";
import type { AllActions } from "./actions.ts";
import { type Counters, createCounters } from "./api/counters.ts";
import type { ReadinessChecks } from "./api/health.ts";
import { type EndsReader, previewEnds } from "./api/preview-ends.ts";
import { type AppDeps, createApp } from "./app.ts";
import type { Audit } from "./audit.ts";
import type { Baselines } from "./baselines/keeper.ts";
import { createSlackActions } from "./chat/slack-actions.ts";
import { createComments } from "./comments.ts";
import type { OperatorConfig } from "./config/types.ts";
import type { Deployments } from "./deployments/deployments.ts";
import type { Egress } from "./egress/egress.ts";
import type { EngineByHand } from "./engine-by-hand.ts";
import type { ExternalServices } from "./external/services.ts";
import type { Forge } from "./forges/forge.ts";
import { type Access, createAccess } from "./gateway/access/access.ts";
import { clientAddress } from "./gateway/access/address.ts";
import type { Porter } from "./gateway/access/porter.ts";
import { createBanner } from "./gateway/banner/banner.ts";
import { createGateway, type Gateway } from "./gateway/gateway.ts";
import { createRoutes, type Routes } from "./gateway/routes.ts";
import { createEdgeServer } from "./gateway/server.ts";
import { createVisits, type Visits } from "./gateway/visits.ts";
import type { GithubSetup } from "./github-setup.ts";
import type { GitlabSetup } from "./gitlab-setup.ts";
import type { Identities } from "./identities.ts";
import type { Inbox } from "./inbox/inbox.ts";
import type { ReadKpis } from "./kpis/kpis.ts";
import { lifecycleOf } from "./lifecycle.ts";
import { createPageLogin } from "./login/login.ts";
import { metered } from "./metrics/gateway.ts";
import type { Metrics } from "./metrics/metrics.ts";
import type { Budgets } from "./money/budgets/budgets.ts";
import type { Costs } from "./money/costs.ts";
import type { Operate } from "./operate.ts";
import type { Repositories } from "./repositories.ts";
import { createRepositoryFacts } from "./repository-facts.ts";
import { createRerun } from "./rerun.ts";
import { createSessions } from "./session.ts";
import { createStackReader } from "./stack-reader.ts";
import { stageExtra } from "./stages/extra.ts";
import { repositoryFor } from "./stages/stage.ts";
import type { Preview } from "./status.ts";
import type { DeliveryStore } from "./store/deliveries.ts";
import type { Store } from "./store/store.ts";
import { createTokens, type TokenStore } from "./tokens/token.ts";
import type { Tracing } from "./tracing/tracing.ts";
import type { Trends } from "./trends/trends.ts";
import type { World } from "./world.ts";

export interface EdgeParts {
  readonly config: OperatorConfig;
  readonly store: Store & TokenStore & DeliveryStore;
  readonly repositories: Repositories;
  readonly world: Pick<World, "address" | "logs">;
  readonly forges: ReadonlyMap<string, Forge>;
  readonly identities: Pick<Identities, "pathOf">;
  readonly inbox: Inbox;
  readonly actions: AllActions;
  readonly operate: Operate;
  readonly trends: Trends;
  readonly audit: Audit;
  readonly metrics: Metrics;
  readonly deployments: Deployments;
  readonly stacks: Pick<Stacks, "resources">;
  readonly baselines: Baselines;
  readonly costs: Costs;
  readonly budgets: Budgets;
  readonly kpis: ReadKpis;
  readonly doctor: () => Promise<readonly Finding[]>;
  readonly external: ExternalServices;
  readonly github: GithubSetup;
  readonly gitlab: GitlabSetup;
  /** What `/readyz` asks. */
  readonly checks: ReadinessChecks;
  /** See `WebhooksDeps`. */
  readonly onPush: (forge: string, repositoryPath: string, gitBranch?: string) => void;
  readonly engineByHand: (preview: Preview) => Promise<EngineByHand>;
  /** Of a stack: calls that the egress proxy did not let out. */
  readonly refusedCalls: Egress["refusedCalls"];
  readonly tracing: Tracing;
  /** Bearer token of the API; secret. */
  readonly token: string;
  readonly logger: Logger;
}

export interface Edge {
  /** Where pages and API answer, without a slash at the end. */
  readonly url: string;
  close(): Promise<void>;
}

/** Resolves once it listens; rejects with `EADDRINUSE` when the port is taken. */
export async function startEdge(parts: EdgeParts): Promise<Edge> {
  const { config, store, logger } = parts;
  const url = `${config.scheme}://${config.domain}`;
  const onError = (error: unknown, about?: { readonly key: string }) =>
    logger.error({ ...(about && { key: about.key }), err: error }, "a request failed");
  const clock = () => new Date();
  const forge = (name: string) => parts.forges.get(name);
  const access = await createAccess({ config, forge, token: parts.token, now: clock, onError });
  const login = await createPageLogin({ config, forge, token: parts.token, now: clock, onError });
  const routes = await createRoutes({ store, domain: config.domain, guardOf: access.guardOf, onError });
  const { porter, appRelay } = access.at(routes);
  const visits = createVisits({ store, now: clock, onError });
  const counters = createCounters({ store, onError });
  const tokens = createTokens({ store, now: () => clock().toISOString(), repositories: namesOf(parts), onError });
  const gateway = gatewayOf(parts, { routes, visits, porter, access, homeUrl: url, onError });
  const app = createApp({
    ...parts,
    chat: createSlackActions({ ...parts, now: clock, onError }),
    webhooks: webhooksOf(parts, counters),
    logs: async function* (key, query) {
      const preview = await store.find(key);
      const target = preview?.status.live?.target ?? config.targets[0];
      if (preview && target) yield* parts.world.logs(target, preview.stack, query);
    },
    resources: createStackReader(parts),
    repositories: createRepositoryFacts(parts),
    metrics: { text: parts.metrics.text, ...config.metrics },
    sessions: createSessions({ now: clock, secret: parts.token }),
    tokens,
    ...(login ? { login, rightsOf: login.rightsOf } : {}),
    homeUrl: url,
    ...(config.fallbackUrl === undefined ? {} : { fallbackUrl: config.fallbackUrl }),
    addressOf: (request) => clientAddress(request, access.trusts),
    share: access.share,
    relay: access.relay,
    appRelay: appRelay.finish,
    ends: endsReader(parts),
    extras: extrasReader(parts),
    onError,
  });
  const server = createEdgeServer({
    routes,
    gateway: metered(gateway, parts.metrics.gateway),
    app,
    domain: config.domain,
    ownHosts: [config.host],
  });
  const close = async () => {
    const closed = closeServer(server);
    // The server waits for upgraded connections too, and only the gateway knows them.
    gateway.close();
    await closed;
    routes.close();
    await visits.close();
    await counters.close();
    await tokens.close();
  };
  try {
    server.listen(config.port, config.host);
    await once(server, "listening");
  } catch (error) {
    await close();
    throw error;
  }
  return { url, close };
}

interface Surroundings {
  readonly routes: Routes;
  readonly visits: Visits;
  readonly porter: Porter;
  readonly access: Pick<Access, "trusts">;
  readonly homeUrl: string;
  readonly onError: (error: unknown, about: { readonly key: string }) => void;
}

/** What stands before all previews. */
function gatewayOf({ config, store, world, actions, metrics }: EdgeParts, around: Surroundings): Gateway {
  const { access, homeUrl, onError, ...rest } = around;
  const { scheme, fallbackUrl } = config;
  return createGateway({
    ...rest,
    addressOf: async (stack, service, { status }) => status.live && world.address(status.live.target, stack, service),
    wake: async (key) => void (await actions.wake(key, "visit")),
    history: store.history,
    pause: store.pause,
    banner: createBanner({ config, scheme, homeUrl }),
    trusts: access.trusts,
    scheme,
    homeUrl,
    ...(fallbackUrl === undefined ? {} : { fallbackUrl }),
    ...holdOf(config.limits),
    onError: (error, route, of) => {
      if (of === "request") metrics.gateway.failed(route.preview.repository);
      onError(error, route);
    },
  });
}

function webhooksOf(parts: EdgeParts, counters: Counters): AppDeps["webhooks"] {
  const { config } = parts;
  return {
    forges: parts.forges,
    keyOf: keyFinder(config),
    pathOf: parts.identities.pathOf,
    receive: parts.inbox.receive,
    onPush: parts.onPush,
    onRerun: createRerun(parts),
    tracing: parts.tracing,
    counters,
    onAnswered: parts.metrics.delivered,
    limits: { maxBytes: config.limits.webhookBytes, largeBodies: config.limits.largeBodies },
  };
}

function endsReader({ config, store }: EdgeParts): EndsReader {
  const lifecycleFor = lifecycleFinder(config);
  return async () => {
    const moment = { now: new Date().toISOString(), pauses: await store.pauses() };
    return (preview) => previewEnds(preview, lifecycleFor(preview), moment);
  };
}

/** What only the page of one preview shows. */
function extrasReader(parts: EdgeParts): AppDeps["extras"] {
  const { config, store, costs, refusedCalls } = parts;
  const comments = createComments(parts);
  const now = () => new Date().toISOString();
  return async (preview) => ({
    dueAt: preview.dueAt,
    comment: await comments.shown(preview),
    refusedCalls: await refusedCalls(preview.stack),
    cost: await costs.of(preview),
    ...(await stageExtra({ ...config, store, now }, preview)),
  });
}

/** Key of the preview of a configured repository's pull request; forges take paths in any case. */
function keyFinder({ repositories }: OperatorConfig) {
  const names = new Map(repositories.map(({ forge, path, name }) => [`${forge} ${path.toLowerCase()}`, name]));
  return (forge: string, path: string, number: number): string | undefined => {
    const repository = names.get(`${forge} ${path.toLowerCase()}`);
    return repository === undefined ? undefined : formatKey({ repository, number });
  };
}

/** Of the config's repositories, and of those that are there by hand. */
function namesOf({ config, store }: Pick<EdgeParts, "config" | "store">) {
  return async () => [...config.repositories, ...(await store.repositories())].map(({ name }) => name);
}

/** By the repository's name; one that was registered by hand has the config's own. */
function lifecycleFinder(config: OperatorConfig) {
  const repositories = new Map(config.repositories.map((repository) => [repository.name, repository]));
  return ({ repository, key }: Pick<Preview, "repository" | "key">) =>
    lifecycleOf(config, repositoryFor(repositories.get(repository), key));
}

function holdOf({ heldRequests, holdForSeconds }: OperatorConfig["limits"]) {
  return {
    ...(heldRequests === undefined ? {} : { holdMax: heldRequests }),
    ...(holdForSeconds === undefined ? {} : { holdTimeoutMs: holdForSeconds * 1000 }),
  };
}

async function closeServer(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, "close");
  server.close();
  server.closeAllConnections();
  await closed;
}
