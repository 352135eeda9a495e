/** The composition root: everything is made and wired here, and ended in the opposite order. */
import type { Logger } from "pino";
import { layout } from "../components/local/layout.ts";
import { machineId } from "../components/local/process-identity.ts";
import { createSupervisor } from "../components/local/supervisor.ts";
import { registry } from "../components/registry.ts";
import { locateEngine } from "../infra/engine.ts";
import { checkPlugins } from "../infra/plugins.ts";
import type { Stacks } from "../infra/stacks.ts";
import { type AllActions, createActions } from "./actions.ts";
import { createAlarm } from "./alarm.ts";
import { type FreshBaselines, startFreshBaselines } from "./baselines/fresh.ts";
import { createCaps } from "./caps/caps.ts";
import { defaultDrift, defaultSweep } from "./config/defaults.ts";
import type { OperatorConfig } from "./config/types.ts";
import { startCredentials } from "./credentials.ts";
import { createDoctor } from "./doctor.ts";
import { driftPolicyOf } from "./drift/choose.ts";
import { createCompare } from "./drift/compare.ts";
import { startDriftTimer } from "./drift/timer.ts";
import { startEdge } from "./edge.ts";
import { startEgress, withEnforcement } from "./egress/egress.ts";
import { createEngineByHand } from "./engine-by-hand.ts";
import { createExternalServices } from "./external/services.ts";
import { connectForges, LOCAL_FORGE } from "./forges/connect.ts";
import type { Forge } from "./forges/forge.ts";
import { accessFindings } from "./gateway/access/findings.ts";
import { createGround, type Ground } from "./ground.ts";
import { createHolds, lookAtHeld } from "./holds.ts";
import { createIdentities, type Identities } from "./identities.ts";
import { checkRegistries, configuredRegistry } from "./images/configured.ts";
import { createImages } from "./images/images.ts";
import { createInbox, type Inbox } from "./inbox/inbox.ts";
import { type IsolationOf, isolationFindings, readIsolation } from "./isolation.ts";
import { createLoginKeys } from "./login-keys.ts";
import { createLookAgain } from "./look-again.ts";
import { createNotifier } from "./notify.ts";
import { startOperate } from "./operate.ts";
import { createReadinessChecks } from "./readiness.ts";
import { type ReconcileDeps, type ReconcileOptions, reconcile } from "./reconcile.ts";
import { createRepositories, type Repositories } from "./repositories.ts";
import { type Resync, startResync } from "./resync.ts";
import { detect, forgeFor, prepareSource, resolveSecrets } from "./sources.ts";
import { type StacksOptions, startStacks } from "./start-stacks.ts";
import { identifyFolder } from "./store/data-folder.ts";
import { openStore, type PostgresStore } from "./store/postgres.ts";
import { createSubjectReader } from "./subject.ts";
import { startTrim } from "./trim.ts";
import { within } from "./within.ts";
import { startWorker } from "./worker.ts";
import { createWorld, type World } from "./world.ts";

/** Previews worked on at once; engines are limited by `limits.engineRuns`, and what waits for one costs little. */
const PREVIEWS_AT_ONCE = 128;
/** What talks to a forge at the end is waited for this long and no longer. */
const LAST_WORDS_MS = 5_000;

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
  /** Awaited before each step of a reconcile; for the kill tests. */
  readonly onStep?: ReconcileOptions["onStep"];
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

type Undo = (how: { readonly endServices: boolean }) => Promise<unknown>;

interface Parts extends ServiceOptions {
  readonly store: PostgresStore;
  readonly stacks: Stacks;
  readonly world: World;
  readonly forges: ReadonlyMap<string, Forge>;
  /** One of them by its name. */
  readonly forge: (name: string) => Forge | undefined;
  readonly repositories: Repositories;
  readonly identities: Identities;
  readonly isolationOf: IsolationOf;
  readonly baselines: FreshBaselines;
  readonly ground: Ground;
  readonly inbox: Inbox;
  readonly now: () => string;
}

async function start(options: ServiceOptions, undo: Undo[]): Promise<RunningService> {
  const { config, dataDir, logger } = options;
  const now = () => new Date().toISOString();
  const store = await openStore({ url: options.storeUrl, holder: options.instanceId, logger, now });
  undo.push(() => store.close());
  await store.releaseOwnLeases();
  if (config.targets.some(({ service }) => service.driver === "local")) {
    undo.push(await store.claimFolder(await identifyFolder(dataDir, machineId())));
  }
  const engine = await locateEngine();
  const [forges, stacks] = await Promise.all([connectForges(config), startStacks(options, engine)]);
  undo.push(() => stacks.close());
  const egress = await startEgress({ ...options, now }, undo);
  const supervisor = createSupervisor({ dataDir, logger, clock: () => new Date() });
  undo.push((how) => supervisor.stop(how));
  supervisor.start();
  const trim = startTrim({ dataDir, store, logger });
  undo.push(() => trim.close());
  const world = createWorld({ config });
  const repositories = createRepositories({ config, store });
  const forge = (name: string) => forges.get(name);
  const identities = await createIdentities({ config, store, forge });
  const baselines = startFreshBaselines({ ...options, now }, undo);
  const parts: Parts = {
    ...options,
    store,
    stacks,
    world,
    forges,
    forge,
    repositories,
    identities,
    isolationOf: await readIsolation(config),
    baselines,
    ground: createGround({ ...options, stacks }),
    inbox: createInbox({ store }),
    now,
  };
  undo.push(await startCredentials(parts));
  const { actions, resync } = startWork(parts, undo);
  const operate = startOperate({
    ...parts,
    repositories: repositories.all,
    sweepEverySeconds: (config.sweep ?? defaultSweep).everySeconds,
  });
  undo.push(() => operate.close());
  const external = createExternalServices({ ...parts, repositories: repositories.all });
  const checks = createReadinessChecks({ ...parts, engine, repositories: config.repositories });
  const doctor = createDoctor({
    checks,
    world,
    store,
    repositories: repositories.all,
    forge,
    plugins: () =>
      checkPlugins(registry, config.targets, { pulumiHome: layout(dataDir).pulumiHome, path: process.env.PATH ?? "" }),
    registries: () => checkRegistries(config.images),
    baselines: baselines.findings,
    identities: identities.check,
    isolation: async () => isolationFindings({ ...config, repositories: await repositories.all() }, parts.isolationOf),
    operation: operate.check,
    external: external.check,
    access: async () => accessFindings({ ...config, repositories: await repositories.all() }),
    engineVersion: engine.version,
  });
  const byHand = createEngineByHand({ stacks, config, resolveSecrets: (spec) => resolveSecrets(parts, spec) });
  const edge = await startEdge({
    ...parts,
    actions,
    operate,
    doctor,
    external,
    checks,
    engineByHand: byHand,
    refusedCalls: egress.refusedCalls,
    onPush: resync.pushed,
  });
  undo.push(() => edge.close());
  return { url: edge.url, close: closer(undo, logger) };
}

/** Worker, resync and notifier; what they do begins at once. */
function startWork(parts: Parts, undo: Undo[]): { readonly actions: AllActions; readonly resync: Resync } {
  const { config, store, stacks, world, forge, repositories, identities, logger, now } = parts;
  const notifier = createNotifier({
    forgeFor: (name) => (identities.isReplaced(name) ? undefined : forgeFor(parts, name)),
    store,
    config,
    logger,
  });
  undo.push(() => within(LAST_WORDS_MS, notifier.settled(), undefined));
  const stopping = new AbortController();
  const lookAgain = createLookAgain(parts, stopping.signal);
  const onBack = () => lookAtHeld(store);
  const holds = createHolds({ ...parts.ground, onBack, stopping: stopping.signal, now });
  const deps = reconcileDeps(parts, { stopping: stopping.signal, lookAgain, holds, announce: notifier.announce });
  const worker = startWorker({
    queue: store.queue,
    reconcile: (key) => reconcile({ ...deps, onWish: worker.onWish }, key),
    lookAgain,
    calm: parts.inbox.calm,
    concurrency: PREVIEWS_AT_ONCE,
    logger,
  });
  undo.push(async () => {
    stopping.abort();
    // Closing the runners ends the runs that the worker would wait for.
    await Promise.all([worker.drain(), stacks.close()]);
  });
  const { resyncSeconds: intervalSeconds } = config.lifecycle;
  const resync = startResync({ ...parts, repositories: repositories.all, intervalSeconds });
  // A forge that does not answer must not hold up the running updates' turn.
  undo.push(() => within(LAST_WORDS_MS, resync.close(), undefined));
  resync.begin({ all: true });
  const actions = createActions({
    store,
    stacks,
    world,
    repositories: repositories.all,
    forge,
    localForge: config.forges.find(({ kind }) => kind === "local")?.name ?? LOCAL_FORGE,
    defaultTarget: config.targets[0]?.name ?? "",
    detectApplication: (path, commit) => detect(config, path, commit),
    onRegistered: () => resync.begin(),
    config,
    isolationOf: parts.isolationOf,
    now,
  });
  const drift = startDriftTimer({
    ...parts,
    compare: createCompare(parts),
    repair: actions.repair,
    engines: stacks.load,
    policyOf: async ({ repository }) => driftPolicyOf(config, await repositories.find(repository)),
    everySeconds: (config.drift ?? defaultDrift).everySeconds,
  });
  undo.push(() => drift.close());
  return { actions, resync };
}

function reconcileDeps(
  parts: Parts,
  more: Pick<ReconcileDeps, "stopping" | "lookAgain" | "holds" | "announce">,
): Omit<ReconcileDeps, "onWish"> {
  const { config, store, stacks, world, forge, repositories, identities, logger, now, onStep } = parts;
  return {
    ...more,
    caps: createCaps({ seats: store, config, now }),
    alarm: createAlarm(parts),
    ...(onStep ? { onStep } : {}),
    store,
    stacks,
    world,
    config,
    subjects: createSubjectReader({ config, forge, identities }),
    findRepository: repositories.find,
    isolationOf: parts.isolationOf,
    commandsOf: (repository) => forge(repository.forge)?.commands,
    images: createImages({
      registry: configuredRegistry(config.images),
      waitSeconds: config.images.waitSeconds,
      now,
    }),
    prepareSource: (spec) => prepareSource(parts, spec),
    prepareDatabase: parts.baselines.prepare,
    resolveSecrets: (spec) => resolveSecrets(parts, spec),
    loginKeyOf: createLoginKeys({ secret: parts.token, now: () => new Date() }).publicOf,
    now,
    logger,
  };
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
