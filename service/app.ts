/** Stackling's own side of the port: webhooks, probes, API and pages. Previews never come here. */
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from "express";
import { StacklingError } from "../components/errors.ts";
import { createVisitors, isForeign, type VisitorsDeps } from "./api/access.ts";
import { type ApiDeps, createApi } from "./api/api.ts";
import { createReadiness, type ReadinessChecks } from "./api/health.ts";
import { clientError, problemOf } from "./api/problem.ts";
import { BUSY, createStreams, type LogReader } from "./api/streams.ts";
import { createDashboard, type DashboardDeps } from "./dashboard/dashboard.ts";
import { APP_CALLBACK_PATH } from "./gateway/access/own-paths.ts";
import { CALLBACK_PATH, type Relay } from "./gateway/access/relay.ts";
import type { GithubSetup } from "./github-setup.ts";
import type { GitlabSetup } from "./gitlab-setup.ts";
import type { PageLogin } from "./login/login.ts";
import { createMetricsPage, METRICS_PATH, type MetricsPageDeps } from "./metrics/page.ts";
import { createQrPictures } from "./qr-pictures.ts";
import type { Sessions } from "./session.ts";
import type { Store } from "./store/store.ts";
import type { Trends } from "./trends/trends.ts";
import { createWebhooks, type WebhooksDeps } from "./webhooks.ts";

export interface AppDeps
  extends Pick<
    ApiDeps,
    | "actions"
    | "operate"
    | "doctor"
    | "share"
    | "extras"
    | "ends"
    | "engineByHand"
    | "external"
    | "audit"
    | "addressOf"
    | "tokens"
    | "deployments"
    | "repositories"
    | "baselines"
    | "costs"
    | "budgets"
    | "kpis"
  > {
  readonly store: Pick<
    Store,
    "list" | "current" | "find" | "findByStack" | "history" | "receipts" | "counters" | "onChange"
  >;
  readonly webhooks: Omit<WebhooksDeps, "onError">;
  readonly logs: LogReader;
  /** Of a preview's stack, for its page. */
  readonly resources: DashboardDeps["resources"];
  readonly checks: ReadinessChecks;
  readonly metrics: Pick<MetricsPageDeps, "text" | "token">;
  readonly sessions: Sessions;
  /** Where a login at a preview's door comes back to. */
  readonly relay: Relay;
  /** The same for logins of applications. */
  readonly appRelay: Relay;
  /** Makes a GitHub App from the pages. */
  readonly github: GithubSetup;
  readonly gitlab: GitlabSetup;
  /** Counts over time. */
  readonly trends: Trends;
  /** Bearer token of the API. */
  readonly token: string;
  /** Where Slack sends clicks of buttons. */
  readonly chat: RequestHandler;
  /** Where people reach these pages, without a slash at the end: `http://localhost:4000`. */
  readonly homeUrl: string;
  /** What somebody may do who logged in elsewhere; absent: nobody can. */
  readonly rightsOf?: VisitorsDeps["rightsOf"];
  /** Where people log in to the pages; absent: by a printed link alone. */
  readonly login?: PageLogin;
  /** Offered while everything is stopped, and where there is no preview to show. */
  readonly fallbackUrl?: string;
  readonly onError: (error: unknown) => void;
}

/** The listener for requests to Stackling's own host; the edge server has checked the Host before. */
export function createApp(deps: AppDeps): Express {
  const { homeUrl, onError } = deps;
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app.set("trust proxy", false);

  const webhooks = createWebhooks({ ...deps.webhooks, onError });
  // Before any parser: a signature is over the raw body.
  app.post("/webhooks/:forge", (request, response) => webhooks(request.params.forge, request, response));
  app.get(CALLBACK_PATH, (request, response) => deps.relay(request, response));
  // Posted by the provider's page (`response_mode=form_post`), which is another site's.
  for (const path of [APP_CALLBACK_PATH, `${APP_CALLBACK_PATH}/:provider`]) {
    app.get(path, (request, response) => deps.appRelay(request, response));
    app.post(path, (request, response) => deps.appRelay(request, response));
  }
  app.get("/healthz", (_request, response) => void response.json({ ok: true }));
  app.get("/readyz", createReadiness(deps.checks, onError));
  app.post("/chat/slack", deps.chat);
  app.get("/qr/:file", createQrPictures(homeUrl));

  const cookie = cookieName(homeUrl);
  const visitors = createVisitors({ ...deps, cookieName: cookie });
  app.get(METRICS_PATH, createMetricsPage({ ...deps.metrics, visitors, onError }));
  const shared = {
    ...deps,
    doctor: oneAtATime(deps.doctor),
    visitors,
    streams: createStreams(deps),
    cookieName: cookie,
    loginUrl: (code: string) => `${homeUrl}/login/${code}`,
  };
  app.use("/api/v1", createApi(shared));
  app.use((request, response, next) => {
    if (request.path.startsWith("/assets/")) next();
    else return visitors.identify(request, response, next);
  });
  app.use((request, response, next) => {
    if (request.method === "GET" || request.method === "HEAD" || !isForeign(request)) next();
    else response.status(403).type("text").send("Another site's page may not do that.\n");
  });
  // Pages and programs have streams of their own, so that neither crowds out the other.
  app.use(createDashboard({ ...shared, streams: createStreams(deps) }));
  app.use((_request, response) => void response.status(404).type("text").send("There is nothing at this address.\n"));
  app.use(lastResort(onError));
  return app;
}

/** Whoever asks meanwhile gets the same answer. */
function oneAtATime<T>(work: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined;
  return () => {
    running ??= work().finally(() => {
      running = undefined;
    });
    return running;
  };
}

/** One per port, because cookies know none; bound to this very host where the connection is encrypted. */
function cookieName(homeUrl: string): string {
  const { protocol, port } = new URL(homeUrl);
  return protocol === "https:" ? "__Host-stackling" : `stackling-${port || "80"}`;
}

function lastResort(onError: (error: unknown) => void): ErrorRequestHandler {
  return (error: unknown, _request, response, _next) => {
    const told = error instanceof StacklingError ? problemOf(error) : undefined;
    const status = told?.status ?? clientError(error) ?? 500;
    // Whoever opens streams decides how often that is said.
    if (status >= 500 && told?.reason !== BUSY) onError(error);
    const text = told?.detail ?? (status === 500 ? "Something went wrong." : "Bad request.");
    if (response.headersSent) response.destroy();
    else response.status(status).type("text").send(`${text}\n`);
  };
}
