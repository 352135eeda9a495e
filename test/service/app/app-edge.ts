/** The whole port: edge, app and pages over a store in memory, with a forge that signs by HMAC. */
import { createHmac, timingSafeEqual } from "node:crypto";
import { ConflictError, RejectedDeliveryError, TerminalError } from "../../../components/errors.ts";
import type { LogLine } from "../../../components/ports.ts";
import { formatKey } from "../../../infra/names.ts";
import type { Actions } from "../../../service/api/actions.ts";
import { createCounters } from "../../../service/api/counters.ts";
import { previewEnds } from "../../../service/api/preview-ends.ts";
import { type AppDeps, createApp } from "../../../service/app.ts";
import { defaultLifecycle } from "../../../service/config/defaults.ts";
import type { Forge } from "../../../service/forges/forge.ts";
import { createGateway } from "../../../service/gateway/gateway.ts";
import { createRoutes } from "../../../service/gateway/routes.ts";
import { createEdgeServer } from "../../../service/gateway/server.ts";
import { createVisits } from "../../../service/gateway/visits.ts";
import { createGithubSetup } from "../../../service/github-setup.ts";
import { createGitlabSetup } from "../../../service/gitlab-setup.ts";
import { type Facts, measure } from "../../../service/kpis/measure.ts";
import type { BudgetState } from "../../../service/money/budgets/budgets.ts";
import { type Costs, createCosts } from "../../../service/money/costs.ts";
import type { CostQuery, DayCost } from "../../../service/money/ledger.ts";
import { pricesFor } from "../../../service/money/load-prices.ts";
import type { CostAbout } from "../../../service/money/types.ts";
import { type Operate, refuseOther } from "../../../service/operate.ts";
import { ROLES } from "../../../service/roles.ts";
import { createSessions } from "../../../service/session.ts";
import type { Pause } from "../../../service/store/operation.ts";
import type { DeliveryRow } from "../../../service/store/store.ts";
import type { Stray } from "../../../service/sweep/report.ts";
import { createTracing } from "../../../service/tracing/tracing.ts";
import { bucketsOf, type Sample, summaryOf } from "../../../service/trends/sample.ts";
import { memoryAudit } from "../../support/memory-audit.ts";
import { memoryDeployments } from "../../support/memory-deployments.ts";
import { memoryStore } from "../../support/memory-store.ts";
import { memoryTokens } from "../../support/memory-tokens.ts";
import { aPreview } from "../../support/previews.ts";
import { type Ask, ask as askPort, listen, portOf, shut } from "../gateway/edge.ts";
import { apiOf, checkAnswer } from "./api-answers.ts";

export const TOKEN = "a-token-of-the-test-0123456789";
export const SECRET = "the-webhook-secret";
export const MAX_BYTES = 4 * 1024 * 1024;

export type AppEdge = Awaited<ReturnType<typeof startApp>>;

export async function startApp(more: Partial<AppDeps> = {}) {
  const store = memoryStore();
  const audit = memoryAudit();
  const deployments = memoryDeployments();
  const received: DeliveryRow[] = [];
  const acts: string[] = [];
  const errors: unknown[] = [];
  const lines: LogLine[] = [];
  const tracing = createTracing();
  const onError = (error: unknown) => void errors.push(error);
  const tokens = memoryTokens(onError);
  const sessions = createSessions({ now: () => new Date(), secret: TOKEN });
  const counters = createCounters({ store, onError });
  const routes = await createRoutes({ store, domain: "localhost:4000", onError });
  const visits = createVisits({ store, now: () => new Date(), onError });
  const gateway = createGateway({
    routes,
    visits,
    scheme: "http",
    homeUrl: "http://localhost:4000",
    history: (key, limit) => store.history(key, limit),
    wake: async () => {},
    addressOf: async () => undefined,
    onError,
  });
  const note = (name: string) => async (key: string, by: unknown) => void acts.push(`${name} ${key} by ${by}`);
  const actions: Actions = {
    look: async (key) => void acts.push(`look ${key}`),
    async upByHand({ repository, ref, by }) {
      acts.push(`up ${repository} ${ref} by ${by}`);
      const preview = aPreview({ number: 7 });
      store.put(preview);
      return preview;
    },
    down: note("down"),
    promote: async (key, { from }, by) => void acts.push(`promote ${key} ${from} by ${by}`),
    approvePromotion: async (key, { sha, at = "" }, by) =>
      void acts.push(`approve-promotion ${key} ${sha} ${at} by ${by}`),
    cancelPromotion: async (key, { sha, at }, by) => void acts.push(`cancel-promotion ${key} ${sha} ${at} by ${by}`),
    redeploy: note("redeploy"),
    sleep: note("sleep"),
    wake: note("wake"),
    keep: note("keep"),
    extend: async (key, seconds, by) => void acts.push(`extend ${key} ${seconds} by ${by}`),
    resetDatabase: note("reset-db"),
    seed: async (key, scenario, by) => void acts.push(`seed ${key} ${scenario} by ${by}`),
    rotate: note("rotate"),
    rollback: async (key, { sha }, by) => void acts.push(`rollback ${key} ${sha} by ${by}`),
    flag: async (key, { name, value }, by) => void acts.push(`flag ${key} ${name}=${value} by ${by}`),
    approve: async (key, sha, by, linked) =>
      void acts.push(`approve ${key} ${sha}${linked ? ` with ${JSON.stringify(linked)}` : ""} by ${by}`),
    repair: note("repair"),
    drift: async (key) => {
      acts.push(`drift ${key}`);
      return { differences: [] };
    },
    lease: async () => {
      throw new ConflictError({ reason: "StackLocked", userMessage: "an engine runs on it now" });
    },
  };
  let pause: Pause | undefined;
  const strays: Stray[] = [];
  const samples: Sample[] = [];
  const ledger: DayCost[] = [];
  const budgets: BudgetState[] = [];
  const facts: Omit<Facts, "previews" | "born"> = {
    moves: [],
    telling: [],
    tornDown: [],
    merged: [],
    mergedSince: undefined,
    costs: [],
    sweeps: [],
  };
  const operate: Operate = {
    pause: async () => pause,
    async stopAll(by) {
      pause = { at: "2026-11-21T10:00:00.000Z", by };
      return pause;
    },
    async resumeAll(_by, seen) {
      refuseOther(pause, seen);
      pause = undefined;
    },
    async sweep({ dryRun, confirm }) {
      acts.push(`sweep ${JSON.stringify({ dryRun, confirm })}`);
      return { at: "2026-11-21T10:00:00.000Z", dryRun, found: [...strays], removed: [], failed: [], unread: [] };
    },
    lastSweep: async () => undefined,
    check: async () => [],
  };
  const homeUrl = "http://localhost:4000";
  const setup = { config: { forges: [], repositories: [] }, token: TOKEN, homeUrl, now: () => new Date() };
  const deps: AppDeps = {
    store,
    actions,
    audit,
    addressOf: ({ socket }) => socket.remoteAddress ?? "",
    operate,
    sessions,
    token: TOKEN,
    tokens,
    rightsOf: async ({ ids: [said], reads }) => {
      const role = ROLES.find((one) => one === said);
      return role && { role, ...(reads ? { repositories: reads } : {}) };
    },
    homeUrl,
    baselines: { list: async () => [], build: nothing, check: nothing, findings: async () => [] },
    costs: costsOf(ledger),
    budgets: {
      any: true,
      of: async () => undefined,
      states: async () => budgets,
      lift: async ({ name, subject = "all", forSeconds, by }) => {
        if (name !== "whole") throw new TerminalError({ reason: "BudgetNotFound", userMessage: "there is none" });
        acts.push(`lift ${name} of ${subject} for ${forSeconds} by ${by}`);
        return { at: "2026-11-21T10:00:00.000Z", until: "2026-11-23T10:00:00.000Z", by };
      },
      unlift: async ({ name }) => void acts.push(`unlift ${name}`),
      resumed: async () => undefined,
      look: async () => {},
      close: async () => {},
    },
    kpis: async ({ days, repositories }) => {
      const now = new Date().toISOString();
      const since = new Date(Date.parse(now) - days * 86_400_000).toISOString();
      const previews = await store.current();
      const sweeps = repositories === undefined ? facts.sweeps : undefined;
      return measure({ ...facts, previews, born: previews, sweeps }, { days, since, now }, repositories);
    },
    github: createGithubSetup({ ...setup, store: { forgeCredential: none, keepForgeCredential: none } }),
    gitlab: createGitlabSetup({ ...setup, store: { forgeCredential: none, changeForgeCredential: none } }),
    chat: (_request, response) => void response.status(404).end(),
    relay: nobody,
    appRelay: nobody,
    metrics: { text: async () => "" },
    external: { read: async () => ({ at: "2026-11-21T10:00:00.000Z", services: [], warnings: [] }) },
    share: async ({ key }, { seconds, to = "/" }) => {
      acts.push(`share ${key} ${seconds} ${to}`);
      const expiresAt = "2026-11-22T10:00:00.000Z";
      return { url: "http://pr-42-shop.localhost:4000/.stackling/share/t0k3n", expiresAt, token: "t0k3n" };
    },
    trends: {
      summary: async () => summaryOf(samples, 7),
      buckets: async (range) => bucketsOf(samples, { now: new Date().toISOString(), ...range }),
    },
    doctor: async () => [{ ok: true, what: "the engine is there" }],
    ends: async () => (preview) =>
      previewEnds(preview, defaultLifecycle, { now: "2026-11-21T12:00:00.000Z", pauses: [] }),
    extras: async (preview) => {
      const cost = ledger.length > 0 ? await deps.costs.of(preview) : undefined;
      return { comment: "<!-- stackling -->\n**Ready** at the link", ...(cost ? { cost } : {}) };
    },
    deployments,
    resources: async () => [],
    repositories: async () => [],
    checks: { store: () => store.ping() },
    async *logs(_key, { signal, follow }) {
      yield* lines;
      while (follow && !signal.aborted) {
        await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
      }
    },
    webhooks: {
      forges: new Map([["hub", { verify }]]),
      keyOf: (_forge, path, number) => (path === "acme/shop" ? formatKey({ repository: "shop", number }) : undefined),
      pathOf: (_forge, path, id) => (id === "9" ? "acme/shop" : path),
      receive: async (delivery) => {
        await store.ping();
        received.push(delivery);
      },
      counters,
      tracing,
      limits: { maxBytes: MAX_BYTES, largeBodies: 1, timeoutMs: 1_000 },
    },
    onError,
    ...more,
  };
  const app = createApp(deps);
  const api = apiOf(deps);
  const server = createEdgeServer({ routes, gateway, app, domain: "localhost:4000", ownHosts: ["127.0.0.1"] });
  await listen(server);
  const port = portOf(server);
  const ask = async (options: Ask) => {
    const answer = await askPort(port, { host: "localhost:4000", ...options });
    checkAnswer(api.routes, options, answer);
    return answer;
  };
  return {
    port,
    ...api,
    store,
    audit,
    deployments,
    tokens,
    sessions,
    counters,
    received,
    acts,
    actions,
    errors,
    tracing,
    lines,
    /** What the trends are made of. */
    samples,
    /** What further numbers are made of, to be filled. */
    facts: facts as { -readonly [Name in keyof typeof facts]: (typeof facts)[Name] },
    /** What previews cost, each by `ada` at the team of its repository's name. */
    ledger,
    /** How far budgets are used. */
    budgets,
    /** What a sweep finds; it removes none of it. */
    strays,
    ask,
    api: (options: Ask) =>
      ask({
        ...options,
        path: `/api/v1${options.path}`,
        headers: { authorization: `Bearer ${TOKEN}`, ...options.headers },
      }),
    deliver: (body: string, headers: Readonly<Record<string, string>> = {}) =>
      ask({
        path: "/webhooks/hub",
        method: "POST",
        body,
        headers: { "content-type": "application/json", "x-delivery": "d-1", "x-signature": sign(body), ...headers },
      }),
    async close() {
      gateway.close();
      routes.close();
      await visits.close();
      await counters.close();
      await tokens.close();
      await shut(server);
    },
  };
}

/** Over lines in memory. */
export function costsOf(
  ledger: readonly DayCost[],
  {
    now = () => "2026-11-22T12:00:00.000Z",
    by = () => ({ author: "ada" }),
  }: { readonly now?: () => string; readonly by?: (key: string) => Pick<CostAbout, "author" | "title"> } = {},
): Costs {
  const within = ({ from, to, key, repositories }: CostQuery) =>
    ledger.filter(
      (line) =>
        line.day >= from &&
        line.day <= to &&
        (key === undefined || line.key === key) &&
        (repositories === undefined || repositories.includes(line.key.split("#")[0] ?? "")),
    );
  const about = (key: string): CostAbout => {
    const [repository = "", number] = key.split("#");
    return { key, repository, number: Number(number), team: repository, target: "local", ...by(key) };
  };
  return createCosts({
    store: {
      costs: async (query) => within(query),
      costsAbout: async (keys) => new Map(keys.map((key) => [key, about(key)])),
    },
    prices: pricesFor({}),
    account: "preview.acme.dev",
    now,
  });
}

const none = async () => undefined;
const nobody: AppDeps["relay"] = async (_request, response) => void response.writeHead(404).end();

async function* nothing(): AsyncGenerator<never> {}

export function sign(body: string | Buffer): string {
  return createHmac("sha256", SECRET).update(body).digest("hex");
}

const verify: NonNullable<Forge["verify"]> = async ({ headers, body }) => {
  const given = Buffer.from(headers["x-signature"] ?? "");
  const expected = Buffer.from(sign(body));
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
    throw new RejectedDeliveryError(401, { reason: "BadSignature", userMessage: "the signature does not match" });
  }
  let payload: { repository?: { path?: unknown; id?: unknown }; number?: unknown } | null;
  try {
    payload = JSON.parse(body.toString("utf8"));
  } catch (cause) {
    throw new RejectedDeliveryError(400, { reason: "BrokenJson", userMessage: "the body is no JSON", cause });
  }
  const event = headers["x-event"] ?? "pull_request";
  const deliveryId = headers["x-delivery"] ?? "";
  if (event !== "pull_request") return { deliveryId, event };
  const path = payload?.repository?.path;
  const number = payload?.number;
  if (typeof path !== "string" || typeof number !== "number") {
    throw new RejectedDeliveryError(400, { reason: "WrongShape", userMessage: "the body is no pull request" });
  }
  const { id } = payload?.repository ?? {};
  const repositoryId = typeof id === "number" ? { repositoryId: String(id) } : {};
  return { deliveryId, event, pullRequest: { repositoryPath: path, number }, ...repositoryId };
};
