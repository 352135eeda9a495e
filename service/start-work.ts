/** Worker, resync, notifier and timers, wired. */
import type { Stacks } from "../infra/stacks.ts";
import { type AllActions, createActions } from "./actions.ts";
import { createAlarm } from "./alarm.ts";
import type { Audit } from "./audit.ts";
import type { FreshBaselines } from "./baselines/fresh.ts";
import { createCaps } from "./caps/caps.ts";
import { defaultDrift } from "./config/defaults.ts";
import type { Deployments } from "./deployments/deployments.ts";
import { driftPolicyOf } from "./drift/choose.ts";
import { createCompare } from "./drift/compare.ts";
import { startDriftTimer } from "./drift/timer.ts";
import { LOCAL_FORGE } from "./forges/connect.ts";
import { ensureWebhooks } from "./forges/ensure-webhooks.ts";
import type { Forge } from "./forges/forge.ts";
import type { Ground } from "./ground.ts";
import { createHolds, lookAtHeld } from "./holds.ts";
import type { Identities } from "./identities.ts";
import { configuredRegistry, configuredSignatures } from "./images/configured.ts";
import { createImages } from "./images/images.ts";
import type { Inbox } from "./inbox/inbox.ts";
import type { IsolationOf } from "./isolation.ts";
import type { PullRequestLog } from "./kpis/pull-requests.ts";
import { createLoginKeys } from "./login-keys.ts";
import { createLookAgain } from "./look-again.ts";
import type { Metrics } from "./metrics/metrics.ts";
import type { Money } from "./money/money.ts";
import { type ReconcileDeps, reconcile } from "./reconcile.ts";
import type { Repositories } from "./repositories.ts";
import { type Resync, startResync } from "./resync.ts";
import type { ServiceOptions, Undo } from "./service.ts";
import { detect, prepareSource, resolveSecrets } from "./sources.ts";
import { repositoryFor } from "./stages/stage.ts";
import type { PostgresStore } from "./store/postgres.ts";
import { createSubjectReader } from "./subject.ts";
import { startTelling, type Telling } from "./telling.ts";
import type { Tracing } from "./tracing/tracing.ts";
import { within } from "./within.ts";
import { startWorker } from "./worker.ts";
import type { World } from "./world.ts";

/** Previews worked on at once; engines are limited by `limits.engineRuns`, and what waits for one costs little. */
const PREVIEWS_AT_ONCE = 128;

/** What talks to a forge at the end is waited for this long and no longer. */
export const LAST_WORDS_MS = 5_000;

/** What everything that works is made of. */
export interface Parts extends ServiceOptions, Money {
  readonly store: PostgresStore;
  readonly stacks: Stacks;
  readonly world: World;
  readonly forges: ReadonlyMap<string, Forge>;
  /** One of them by its name. */
  readonly forge: (name: string) => Forge | undefined;
  readonly repositories: Repositories;
  readonly identities: Identities;
  readonly isolationOf: IsolationOf;
  readonly pullRequests: PullRequestLog;
  readonly baselines: FreshBaselines;
  readonly ground: Ground;
  readonly inbox: Inbox;
  readonly deployments: Deployments;
  readonly audit: Audit;
  readonly metrics: Metrics;
  readonly tracing: Tracing;
  readonly now: () => string;
}

/** Worker, resync and notifier; what they do begins at once. */
export function startWork(
  parts: Parts,
  undo: Undo[],
): { readonly actions: AllActions; readonly resync: Resync; readonly telling: Pick<Telling, "check"> } {
  const { config, store, stacks, world, forge, repositories, logger, now } = parts;
  const telling = startTelling(parts);
  undo.push(() => within(LAST_WORDS_MS, telling.close(), undefined));
  const stopping = new AbortController();
  const lookAgain = createLookAgain(parts, stopping.signal);
  const onBack = () => lookAtHeld(store);
  const holds = createHolds({ ...parts.ground, onBack, stopping: stopping.signal, now });
  const deps = reconcileDeps(parts, { stopping: stopping.signal, lookAgain, holds, announce: telling.announce });
  const worker = startWorker({
    queue: store.queue,
    reconcile: (key) =>
      parts.metrics.reconciled((onActed) => reconcile({ ...deps, onActed, onWish: worker.onWish }, key)),
    lookAgain,
    calm: parts.inbox.calm,
    concurrency: PREVIEWS_AT_ONCE,
    tracing: parts.tracing,
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
  const ensured = ensureWebhooks({ repositories: repositories.all, forge, logger });
  undo.push(() => within(LAST_WORDS_MS, ensured, undefined));
  const compare = parts.metrics.compared(createCompare(parts));
  const actions = createActions({
    compare,
    store,
    stacks,
    world,
    repositories: repositories.all,
    forge,
    localForge: config.forges.find(({ kind }) => kind === "local")?.name ?? LOCAL_FORGE,
    defaultTarget: config.targets[0]?.name ?? "",
    detectApplication: (path, commit) => detect(config, path, commit),
    onRegistered: () => resync.begin(),
    ...(config.dashboard?.login.kind === "forge" ? { loginForge: config.dashboard.login.forge } : {}),
    config,
    isolationOf: parts.isolationOf,
    now,
  });
  const drift = startDriftTimer({
    ...parts,
    compare,
    repair: actions.repair,
    engines: stacks.load,
    policyOf: async ({ repository, key }) =>
      driftPolicyOf(config, repositoryFor(await repositories.find(repository), key)),
    everySeconds: (config.drift ?? defaultDrift).everySeconds,
  });
  undo.push(() => drift.close());
  return { actions, resync, telling };
}

function reconcileDeps(
  parts: Parts,
  more: Pick<ReconcileDeps, "stopping" | "lookAgain" | "holds" | "announce">,
): Omit<ReconcileDeps, "onWish"> {
  const { config, store, stacks, world, forge, repositories, identities, logger, now, onStep } = parts;
  return {
    ...more,
    caps: createCaps({ seats: store, config, now }),
    ...(parts.budgets.any ? { budgets: parts.budgets } : {}),
    alarm: createAlarm(parts),
    ...(onStep ? { onStep } : {}),
    tracing: parts.tracing,
    store,
    stacks,
    world,
    config,
    subjects: createSubjectReader({ config, forge, identities, pullRequests: parts.pullRequests, store, now }),
    findRepository: repositories.find,
    isolationOf: parts.isolationOf,
    commandsOf: (repository) => forge(repository.forge)?.commands,
    images: createImages({
      registry: configuredRegistry(config.images),
      signatures: configuredSignatures(config.images, parts),
      waitSeconds: config.images.waitSeconds,
      now,
    }),
    prepareSource: (spec) => prepareSource(parts, spec),
    prepareDatabase: parts.baselines.prepare,
    deployments: parts.deployments,
    resolveSecrets: (spec) => resolveSecrets(parts, spec),
    loginKeyOf: createLoginKeys({ secret: parts.token, now: () => new Date() }).publicOf,
    now,
    logger,
  };
}
