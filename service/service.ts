/** The composition root: everything is made and wired here, and ended in the opposite order. */
import type { Logger } from "pino";
import { layout } from "../components/local/layout.ts";
import { machineId } from "../components/local/process-identity.ts";
import { createSupervisor } from "../components/local/supervisor.ts";
import { registry } from "../components/registry.ts";
import { locateEngine } from "../infra/engine.ts";
import { checkPlugins } from "../infra/plugins.ts";
import { createAudit } from "./audit.ts";
import { startFreshBaselines } from "./baselines/fresh.ts";
import { defaultApplicationLogs, defaultAudit, defaultSweep } from "./config/defaults.ts";
import type { OperatorConfig } from "./config/types.ts";
import { startCredentials } from "./credentials.ts";
import { createDeployments } from "./deployments/deployments.ts";
import { createDoctor } from "./doctor.ts";
import { startEdge } from "./edge.ts";
import { startEgress, withEnforcement } from "./egress/egress.ts";
import { createEngineByHand } from "./engine-by-hand.ts";
import { createExternalServices } from "./external/services.ts";
import { credentialsFor } from "./forge-credentials.ts";
import { connectForges } from "./forges/connect.ts";
import { accessFindings } from "./gateway/access/findings.ts";
import { createGithubSetup } from "./github-setup.ts";
import { createGitlabSetup } from "./gitlab-setup.ts";
import { createGround } from "./ground.ts";
import { createIdentities } from "./identities.ts";
import { checkRegistries } from "./images/configured.ts";
import { createInbox } from "./inbox/inbox.ts";
import { isolationFindings, readIsolation } from "./isolation.ts";
import { createKpis } from "./kpis/kpis.ts";
import { createPullRequestLog } from "./kpis/pull-requests.ts";
import { budgetLevels } from "./metrics/budgets.ts";
import { costLevels } from "./metrics/costs.ts";
import { startBills } from "./money/actuals/start.ts";
import { uncountedFindings } from "./money/budgets/uncounted.ts";
import { startMoney } from "./money/money.ts";
import { startOperate } from "./operate.ts";
import { sayPolling } from "./polling.ts";
import { createReadinessChecks } from "./readiness.ts";
import type { ReconcileOptions } from "./reconcile.ts";
import { startRedelivery } from "./redelivery.ts";
import { createRepositories } from "./repositories.ts";
import { resolveSecrets } from "./sources.ts";
import { type StacksOptions, startStacks } from "./start-stacks.ts";
import { LAST_WORDS_MS, type Parts, startWork } from "./start-work.ts";
import { identifyFolder } from "./store/data-folder.ts";
import { openStore } from "./store/postgres.ts";
import { withSpans } from "./tracing/engine-spans.ts";
import { watchWithSpans } from "./tracing/forge-spans.ts";
import { createTracing, type Tracing } from "./tracing/tracing.ts";
import { startTrends } from "./trends/trends.ts";
import { startTrim } from "./trim.ts";
import { within } from "./within.ts";
import { createWorld } from "./world.ts";

export interface ServiceOptions extends Pick<StacksOptions, "runnerLimits"> {
  readonly config: OperatorConfig;
  /** Absolute. */
  readonly dataDir: string;
  /** Postgres URL of the store; secret. */
  readonly storeUrl: string;
  /** Admin URL of the server for preview databases; secret. */
  readonly adminUrl?: string;
  /** Bearer token of the API; secret. */
  readonly token: string;
  /** Name of this instance, the same in its next life. */
  readonly instanceId: string;
  readonly logger: Logger;
  readonly version: string;
  /** Absent: no traces are made. */
  readonly tracing?: Tracing;
  /** Awaited before each step of a reconcile; for the kill tests. */
  readonly onStep?: ReconcileOptions["onStep"];
  /** Milliseconds between two looks at costs, and at budgets; for tests of them. */
  readonly moneyEveryMs?: number;
}

export interface RunningService {
  /** Where pages and API answer, without a slash at the end. */
  readonly url: string;
  /** Lets running engines finish within limits. With `endServices` every preview's processes end too, to be restored by the next start. */
  close(options: { readonly endServices: boolean }): Promise<void>;
}

/**
 * Starts everything and resolves once it listens. Rejects, with what was started ended again, when the
 * store does not answer, there is no engine, or the port is taken (`EADDRINUSE`).
 */
export async function startService(options: ServiceOptions): Promise<RunningService> {
  const undo: Undo[] = [];
  try {
    return await start({ ...options, config: await withEnforcement(options.config) }, undo);
  } catch (error) {
    for (const end of undo.toReversed()) await end({ endServices: false }).catch(() => {});
    throw error;
  }
}

export type Undo = (how: { readonly endServices: boolean }) => Promise<unknown>;

async function start(options: ServiceOptions, undo: Undo[]): Promise<RunningService> {
  const { config, dataDir, logger } = options;
  const now = () => new Date().toISOString();
  const tracing = options.tracing ?? createTracing();
  const loading = import("./metrics/metrics.ts");
  const store = await openStore({ url: options.storeUrl, holder: options.instanceId, logger, now });
  undo.push(() => store.close());
  const metrics = (await loading).createMetrics({ ...options, store });
  await store.releaseOwnLeases();
  if (config.targets.some(({ service }) => service.driver === "local")) {
    undo.push(await store.claimFolder(await identifyFolder(dataDir, machineId())));
  }
  const engine = await locateEngine();
  const homeUrl = `${config.scheme}://${config.domain}`;
  const groundOf = (name: string) => ({
    name,
    homeUrl,
    watch: watchWithSpans(name, metrics.forgeWatch(name), tracing),
    ...credentialsFor({ store, token: options.token }, name),
  });
  const [forges, started] = await Promise.all([connectForges(config, groundOf), startStacks(options, engine)]);
  const stacks = withSpans(started, tracing);
  undo.push(() => stacks.close());
  const egress = await startEgress({ ...options, now }, undo);
  const supervisor = createSupervisor({ dataDir, logger, clock: () => new Date() });
  undo.push((how) => supervisor.stop(how));
  supervisor.start();
  const trim = startTrim({
    dataDir,
    store,
    auditDays: (config.audit ?? defaultAudit).keepDays,
    logDays: (config.applicationLogs ?? defaultApplicationLogs).keepDays,
    logger,
  });
  undo.push(() => trim.close());
  const world = createWorld({ config });
  const repositories = createRepositories({ config, store });
  const forge = (name: string) => forges.get(name);
  const identities = await createIdentities({ config, store, forge });
  const baselines = startFreshBaselines({ ...options, now }, undo);
  const deployments = createDeployments({ store, logger, now });
  undo.push(() => within(LAST_WORDS_MS, deployments.settled(), undefined));
  const audit = createAudit({ store, logger, now });
  const money = startMoney({ ...options, store, world, audit, now }, undo);
  const parts: Parts = {
    ...options,
    ...money,
    deployments,
    store,
    stacks: metrics.running(stacks),
    world,
    forges,
    forge,
    repositories,
    identities,
    isolationOf: await readIsolation(config),
    pullRequests: createPullRequestLog({ store, onMerged: metrics.merged, now, logger }),
    baselines,
    ground: createGround({ ...options, stacks }),
    inbox: createInbox({ store }),
    audit,
    metrics,
    tracing,
    now,
  };
  undo.push(await startCredentials(parts));
  const { actions, resync, telling } = startWork(parts, undo);
  const operate = startOperate({
    ...parts,
    repositories: repositories.all,
    sweepEverySeconds: (config.sweep ?? defaultSweep).everySeconds,
    onSwept: metrics.swept,
    onResume: money.budgets.resumed,
  });
  undo.push(() => operate.close());
  const bills = startBills(parts, undo);
  const trends = startTrends(parts);
  undo.push(() => trends.close());
  metrics.alsoRead(costLevels(money.costs));
  metrics.alsoRead(budgetLevels(money.budgets.states));
  const external = createExternalServices({ ...parts, repositories: repositories.all });
  const checks = createReadinessChecks({ ...parts, engine, repositories: config.repositories });
  const doctor = createDoctor({
    checks,
    world,
    store,
    repositories: repositories.all,
    forge,
    forges,
    plugins: () =>
      checkPlugins(registry, config.targets, { pulumiHome: layout(dataDir).pulumiHome, path: process.env.PATH ?? "" }),
    registries: () => checkRegistries(config.images),
    baselines: baselines.findings,
    identities: identities.check,
    isolation: async () => isolationFindings({ ...config, repositories: await repositories.all() }, parts.isolationOf),
    operation: operate.check,
    telling: telling.check,
    prometheus: async () => (await import("./gates/findings.ts")).prometheusFindings(config),
    external: external.check,
    access: async () => accessFindings({ ...config, repositories: await repositories.all() }),
    bills: bills.check,
    budgets: async () => uncountedFindings(await money.budgets.states()),
    engineVersion: engine.version,
  });
  const byHand = createEngineByHand({ stacks, config, resolveSecrets: (spec) => resolveSecrets(parts, spec) });
  const edge = await startEdge({
    ...parts,
    actions,
    operate,
    trends,
    kpis: createKpis({ store, costs: money.costs, now }),
    doctor,
    external,
    github: createGithubSetup({ config, store, token: options.token, homeUrl, now: () => new Date() }),
    gitlab: createGitlabSetup({ config, store, token: options.token, homeUrl, now: () => new Date() }),
    checks,
    engineByHand: byHand,
    refusedCalls: egress.refusedCalls,
    onPush: resync.pushed,
  });
  undo.push(() => edge.close());
  const redelivery = startRedelivery({ ...parts, repositories: repositories.all });
  undo.push(() => within(LAST_WORDS_MS, redelivery.close(), undefined));
  await sayPolling(parts);
  return { url: edge.url, close: closer(undo, logger) };
}

function closer(undo: readonly Undo[], logger: Logger): RunningService["close"] {
  let closing: Promise<void> | undefined;
  return (how) => {
    closing ??= endAll();
    return closing;

    async function endAll(): Promise<void> {
      for (const end of undo.toReversed()) {
        await end(how).catch((error) => logger.warn({ err: error }, "ending a part of the service failed"));
      }
    }
  };
}
