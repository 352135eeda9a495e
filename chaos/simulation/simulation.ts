/**
 * Hours of pull requests in seconds: the real reconcile, worker and resync over a forge, an engine, a
 * store and a clock in memory. What is looked at is where every preview ends.
 */
import { mock } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { StacklingError } from "../../components/errors.ts";
import { type AllActions, createActions } from "../../service/actions.ts";
import { createCaps } from "../../service/caps/caps.ts";
import type { OperatorConfig } from "../../service/config/types.ts";
import { createImages } from "../../service/images/images.ts";
import { createRegistry } from "../../service/images/registry.ts";
import { type ReconcileDeps, reconcile } from "../../service/reconcile.ts";
import { startResync } from "../../service/resync.ts";
import { createSubjectReader } from "../../service/subject.ts";
import { startWorker } from "../../service/worker.ts";
import type { World } from "../../service/world.ts";
import { type FakeStacks, fakeStacks } from "../../test/support/fake-stacks.ts";
import { type MemoryForge, memoryForge } from "../../test/support/memory-forge.ts";
import { emptyWorld, PREVIEW_YAML, config as plainConfig, shop, silent } from "../../test/support/reconcile-world.ts";
import { createRandom, type Random } from "../random.ts";
import { perform } from "./deeds.ts";
import { differences, type End, endsOf, keyOf, wrongEnds } from "./ends.ts";
import { createMemory, type Memory } from "./memory.ts";
import { createRules, type Rules } from "./rules.ts";
import { type Arrival, capOf, DAY, type Deed, disturbed, type Faults, inOrder, scriptOf, TIMES } from "./script.ts";

export interface SimulationResult {
  readonly pulls: number;
  readonly deeds: number;
  readonly faults: Faults;
  readonly ups: number;
  readonly destroys: number;
  readonly warnings: number;
  /** Most previews that were live at once, and how many might have been. */
  readonly mostLive: number;
  readonly cap: number;
  /** Previews that ended otherwise than in order, and rules that were broken on the way; empty when all is well. */
  readonly problems: readonly string[];
}

const BEGINNING = Date.parse("2026-03-01T12:00:00.000Z");
const RESYNC_SECONDS = 300;
const PREVIEWS_AT_ONCE = 16;
const QUIET_STEP_SECONDS = 5;
/** Between what the forge was asked and what is done on its answer. */
const READ_MS = 300;

export interface SimulationOptions {
  readonly seed: number;
  readonly pulls: number;
  /** Simulated seconds from one resync to the next of the disturbed life. */
  readonly resyncSeconds?: number;
}

/**
 * The same life twice, once with its deliveries in order and once disturbed. Timers and clock of the
 * whole process are simulated meanwhile.
 */
export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  const { seed, pulls, resyncSeconds = RESYNC_SECONDS } = options;
  const deeds = scriptOf(createRandom(seed), pulls);
  const ordered = inOrder(deeds);
  const cap = capOf(deeds, pulls);
  const { arrivals, faults } = disturbed(createRandom(seed + 1), ordered);
  const expected = await live({
    deeds,
    cap,
    arrivals: ordered,
    random: createRandom(seed + 2),
    resyncSeconds: RESYNC_SECONDS,
  });
  const found = await live({ deeds, cap, arrivals, random: createRandom(seed + 3), resyncSeconds });
  const problems = [
    ...expected.broken.map((text) => `in order: ${text}`),
    ...found.broken,
    ...wrongEnds(deeds, expected.ends).map((text) => `in order: ${text}`),
    ...differences(expected.ends, found.ends),
  ];
  const { ups, destroys, warnings, mostLive } = found;
  return { pulls, deeds: deeds.length, faults, ups, destroys, warnings, mostLive, cap, problems };
}

interface Life {
  readonly deeds: readonly Deed[];
  readonly cap: number;
  readonly arrivals: readonly Arrival[];
  readonly random: Random;
  readonly resyncSeconds: number;
}

interface Lived {
  readonly ends: ReadonlyMap<string, End>;
  readonly broken: readonly string[];
  readonly ups: number;
  readonly destroys: number;
  readonly warnings: number;
  readonly mostLive: number;
}

async function live(life: Life): Promise<Lived> {
  mock.timers.enable({ apis: ["setInterval", "setTimeout", "Date"], now: BEGINNING });
  const clock = mock.method(performance, "now", () => Date.now());
  try {
    return await run(life);
  } finally {
    clock.mock.restore();
    mock.timers.reset();
  }
}

async function run({ deeds, cap, arrivals, random, resyncSeconds }: Life): Promise<Lived> {
  const now = () => new Date().toISOString();
  const memory = createMemory({ now });
  const forge = slowForge(random);
  const awake = new Map<string, boolean>();
  const stacks: FakeStacks = fakeStacks();
  const rules = createRules({
    cap,
    awakeStacks: () => [...stacks.existing.keys()].filter((stack) => awake.get(stack) !== false),
  });
  shapeRuns(stacks, { random, rules, awake });
  const stopping = new AbortController();
  const lookAgain: ReconcileDeps["lookAgain"] = (key, afterMs) => {
    setTimeout(() => void memory.store.enqueue([key]), afterMs);
  };
  const config = configOf(cap);
  const ground = { config, rules, memory, forge, stacks, awake, lookAgain, now, stopping: stopping.signal };
  const deps = reconcileDeps(ground);
  const failures: { readonly key: string; readonly error: unknown }[] = [];
  const refused: string[] = [];
  const actions = actionsOf(ground, deps.world);
  const worker = startWorker({
    queue: memory.queue,
    reconcile: (key) =>
      reconcile({ ...deps, onWish: worker.onWish }, key).catch((error: unknown) => {
        failures.push({ key, error });
      }),
    lookAgain,
    calm: async () => {},
    concurrency: PREVIEWS_AT_ONCE,
    logger: silent,
  });
  startResync({
    store: memory.store,
    stacks,
    repositories: async () => [shop],
    forge: () => forge,
    now,
    intervalSeconds: resyncSeconds,
    logger: silent,
  });

  let deed = 0;
  let arrival = 0;
  for (let second = 0, step = 1; second <= DAY.endsAt; second += step) {
    // What is left for the rest of the day does not depend on which second it is.
    if (second >= DAY.wishesAt + 300) step = QUIET_STEP_SECONDS;
    for (let next = deeds[deed]; next && next.at <= second; next = deeds[++deed]) {
      rules.did(next);
      const { kind, number } = next;
      perform(next, { forge, memory, actions, now }).catch((error: Error) => {
        refused.push(`${keyOf(number)}: ${kind} was refused: ${error.message}`);
      });
    }
    for (let next = arrivals[arrival]; next && next.at <= second; next = arrivals[++arrival]) {
      const key = keyOf(next.number);
      await memory.store.receive([{ forge: "memory", deliveryId: next.deliveryId, event: "pull_request", key }]);
    }
    mock.timers.tick(step * 1000);
    await turn();
    // Nothing here can be away: it is a fault of ours, and would be tried for ever.
    const [failed] = failures;
    if (failed) throw new Error(`reconciling "${failed.key}" failed`, { cause: failed.error });
  }
  const unfinished = worker.running().map((key) => `${key}: still worked on at the end`);
  stopping.abort();
  return {
    ends: await endsOf(memory, stacks, awake),
    broken: [...rules.broken, ...refused, ...unfinished],
    ups: stacks.runs.filter((text) => text.startsWith("up ")).length,
    destroys: stacks.runs.filter((text) => text.startsWith("destroy ")).length,
    warnings: rules.warnings,
    mostLive: rules.mostLive,
  };
}

/** Answers what was true when it was asked, a little later. */
function slowForge(random: Random): MemoryForge {
  const forge = memoryForge();
  forge.files.set("main:preview.yaml", PREVIEW_YAML);
  const { read } = forge;
  forge.read = async (repository, number) => {
    const answer = await read(repository, number);
    await passing(random.between(0, READ_MS));
    return answer;
  };
  return forge;
}

/** Hours in place of weeks, and a cap that makes most of them wait in the first one. */
function configOf(cap: number): OperatorConfig {
  return {
    ...plainConfig,
    limits: { ...plainConfig.limits, previews: cap, makeRoom: true },
    lifecycle: {
      sleepAfterSeconds: TIMES.sleepAfter,
      warnAfterSeconds: TIMES.warnAfter,
      destroyAfterSeconds: TIMES.destroyAfter,
      resyncSeconds: RESYNC_SECONDS,
    },
  };
}

/** Engines that take their time and are now and then killed from outside. */
function shapeRuns(
  stacks: FakeStacks,
  { random, rules, awake }: { readonly random: Random; readonly rules: Rules; readonly awake: Map<string, boolean> },
): void {
  stacks.during = async (run, { interrupt }) => {
    const [verb = "", stack = ""] = run.split(" ");
    const ended = rules.engineStarts(verb, stack);
    const killed = random.chance(0.05);
    await passing(random.between(2_000, 20_000), interrupt);
    ended();
    if (killed || interrupt?.aborted) {
      throw new StacklingError({ reason: "EngineInterrupted", userMessage: `running "${run}": it was ended` });
    }
    awake.set(stack, true);
  };
}

function passing(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => resolve(), { once: true });
  });
}

interface Ground {
  readonly config: OperatorConfig;
  readonly rules: Rules;
  readonly memory: Memory;
  readonly forge: MemoryForge;
  readonly stacks: FakeStacks;
  readonly awake: Map<string, boolean>;
  readonly lookAgain: ReconcileDeps["lookAgain"];
  readonly now: () => string;
  readonly stopping: AbortSignal;
}

function actionsOf({ config, memory, forge, stacks, now }: Ground, world: World): AllActions {
  return createActions({
    store: memory.store,
    stacks,
    world,
    repositories: async () => [shop],
    forge: () => forge,
    localForge: undefined,
    defaultTarget: shop.target,
    config,
    now,
  });
}

function reconcileDeps({ config, rules, memory, forge, stacks, awake, ...ground }: Ground): ReconcileDeps {
  const registry = createRegistry({ credentials: async () => undefined });
  return {
    store: memory.store,
    stacks,
    world: emptyWorld(awake),
    config,
    subjects: createSubjectReader({ config, forge: () => forge }),
    findRepository: async (name) => (name === shop.name ? shop : undefined),
    images: createImages({ registry, waitSeconds: config.images.waitSeconds, now: ground.now }),
    prepareSource: async () => {},
    resolveSecrets: async () => ({}),
    announce: async (preview) => rules.announced(preview),
    caps: createCaps({ seats: memory.store, config, now: ground.now }),
    logger: silent,
    ...ground,
  };
}
