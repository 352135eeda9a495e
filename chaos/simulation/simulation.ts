/**
 * Hours of pull requests in seconds: the real reconcile, worker and resync over a forge, an engine, a
 * store and a clock in memory. What is looked at is where every preview ends.
 */
import { mock } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { StacklingError } from "../../components/errors.ts";
import { createImages } from "../../service/images/images.ts";
import { createRegistry } from "../../service/images/registry.ts";
import { type ReconcileDeps, reconcile } from "../../service/reconcile.ts";
import { startResync } from "../../service/resync.ts";
import { createSubjectReader } from "../../service/subject.ts";
import { startWorker } from "../../service/worker.ts";
import type { World } from "../../service/world.ts";
import { type FakeStacks, fakeStacks } from "../../test/support/fake-stacks.ts";
import { type MemoryForge, memoryForge, pullRequest } from "../../test/support/memory-forge.ts";
import { config, PREVIEW_YAML, shop, silent } from "../../test/support/reconcile-world.ts";
import { createRandom, type Random } from "../random.ts";
import { differences, type End, endsOf, keyOf, shaOf, stackOf, wrongEnds } from "./ends.ts";
import { createMemory, type Memory } from "./memory.ts";
import { type Arrival, DAY, type Deed, disturbed, type Faults, inOrder, scriptOf } from "./script.ts";

export interface SimulationResult {
  readonly pulls: number;
  readonly deeds: number;
  readonly faults: Faults;
  readonly ups: number;
  readonly destroys: number;
  /** Previews that ended otherwise than in order, and rules that were broken on the way; empty when all is well. */
  readonly problems: readonly string[];
}

const BEGINNING = Date.parse("2026-03-01T12:00:00.000Z");
const RESYNC_SECONDS = 300;
const PREVIEWS_AT_ONCE = 16;
/** Between what the forge was asked and what is done on its answer. */
const READ_MS = 300;
const GRACE_SECONDS = 5;

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
  const { arrivals, faults } = disturbed(createRandom(seed + 1), ordered);
  const expected = await live({
    deeds,
    arrivals: ordered,
    random: createRandom(seed + 2),
    resyncSeconds: RESYNC_SECONDS,
  });
  const found = await live({ deeds, arrivals, random: createRandom(seed + 3), resyncSeconds });
  const problems = [
    ...expected.broken.map((text) => `in order: ${text}`),
    ...found.broken,
    ...wrongEnds(deeds, expected.ends).map((text) => `in order: ${text}`),
    ...differences(expected.ends, found.ends),
  ];
  return { pulls, deeds: deeds.length, faults, ups: found.ups, destroys: found.destroys, problems };
}

interface Life {
  readonly deeds: readonly Deed[];
  readonly arrivals: readonly Arrival[];
  readonly random: Random;
  readonly resyncSeconds: number;
}

interface Lived {
  readonly ends: ReadonlyMap<string, End>;
  readonly broken: readonly string[];
  readonly ups: number;
  readonly destroys: number;
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

async function run({ deeds, arrivals, random, resyncSeconds }: Life): Promise<Lived> {
  const now = () => new Date().toISOString();
  const memory = createMemory({ now });
  const forge = slowForge(random);
  const openSince = new Map<string, number>();
  const awake = new Map<string, boolean>();
  const { stacks, broken } = checkedStacks({ random, openSince, awake });
  const stopping = new AbortController();
  const lookAgain: ReconcileDeps["lookAgain"] = (key, afterMs) => {
    setTimeout(() => void memory.store.enqueue([key]), afterMs);
  };
  const deps = reconcileDeps({ memory, forge, stacks, awake, lookAgain, now, stopping: stopping.signal });
  const failures: { readonly key: string; readonly error: unknown }[] = [];
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
  for (let second = 0; second <= DAY.endsAt; second++) {
    for (let next = deeds[deed]; next && next.at <= second; next = deeds[++deed]) {
      perform(next, { forge, memory, openSince, now });
    }
    for (let next = arrivals[arrival]; next && next.at <= second; next = arrivals[++arrival]) {
      const key = keyOf(next.number);
      await memory.store.receive([{ forge: "memory", deliveryId: next.deliveryId, event: "pull_request", key }]);
    }
    mock.timers.tick(1000);
    await turn();
    // Nothing here can be away: it is a fault of ours, and would be tried for ever.
    const [failed] = failures;
    if (failed) throw new Error(`reconciling "${failed.key}" failed`, { cause: failed.error });
  }
  const unfinished = worker.running().map((key) => `${key}: still worked on at the end`);
  stopping.abort();
  return {
    ends: await endsOf(memory, stacks, awake),
    broken: [...broken, ...unfinished],
    ups: stacks.runs.filter((text) => text.startsWith("up ")).length,
    destroys: stacks.runs.filter((text) => text.startsWith("destroy ")).length,
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

interface Hands {
  readonly forge: MemoryForge;
  readonly memory: Memory;
  /** By stack: since when, in simulated ms, its pull request is open. */
  readonly openSince: Map<string, number>;
  readonly now: () => string;
}

function perform({ at, number, kind }: Deed, { forge, memory, openSince, now }: Hands): void {
  const before = forge.pulls.get(number);
  if (kind === "visit") {
    const key = keyOf(number);
    // As the gateway does: it notes the visit and asks for a look.
    void memory.store.visited({ [key]: now() }).then(() => memory.store.enqueue([key]));
    return;
  }
  if (kind === "open" || kind === "reopen") openSince.set(stackOf(number), Date.now());
  if (kind === "close" || kind === "merge") openSince.delete(stackOf(number));
  const headSha = kind === "open" || kind === "push" ? shaOf(number, at) : (before?.headSha ?? "");
  forge.pulls.set(number, {
    ...(before ?? pullRequest(number, headSha)),
    headSha,
    state: kind === "close" || kind === "merge" ? "closed" : "open",
    merged: kind === "merge",
    updatedAt: now(),
  });
}

/** Engines that take their time, are now and then killed from outside, and tell when a rule is broken. */
function checkedStacks({
  random,
  openSince,
  awake,
}: Pick<Hands, "openSince"> & { readonly random: Random; readonly awake: Map<string, boolean> }): {
  readonly stacks: FakeStacks;
  readonly broken: string[];
} {
  const stacks = fakeStacks();
  const broken: string[] = [];
  const running = new Set<string>();
  stacks.during = async (run, { interrupt }) => {
    const [verb = "", stack = ""] = run.split(" ");
    if (running.has(stack)) broken.push(`${stack}: two engines at once`);
    const since = openSince.get(stack);
    if (verb === "destroy" && since !== undefined && Date.now() - since > GRACE_SECONDS * 1000) {
      broken.push(`${stack}: destroyed while its pull request is open`);
    }
    running.add(stack);
    const killed = random.chance(0.05);
    await passing(random.between(2_000, 20_000), interrupt);
    running.delete(stack);
    if (killed || interrupt?.aborted) {
      throw new StacklingError({ reason: "EngineInterrupted", userMessage: `running "${run}": it was ended` });
    }
    awake.set(stack, true);
  };
  return { stacks, broken };
}

function passing(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => resolve(), { once: true });
  });
}

interface Ground {
  readonly memory: Memory;
  readonly forge: MemoryForge;
  readonly stacks: FakeStacks;
  readonly awake: Map<string, boolean>;
  readonly lookAgain: ReconcileDeps["lookAgain"];
  readonly now: () => string;
  readonly stopping: AbortSignal;
}

function reconcileDeps({ memory, forge, stacks, awake, ...ground }: Ground): ReconcileDeps {
  const registry = createRegistry({ credentials: async () => undefined });
  const world: World = {
    setAwake: async (_target, stack, value) => void awake.set(stack, value),
    address: async () => undefined,
    async *logs() {},
    check: async () => [],
    changed: async () => undefined,
    explain: async () => undefined,
    configured: [],
    owned: async () => [],
    kinds: async () => [],
    remove: async () => {},
  };
  return {
    store: memory.store,
    stacks,
    world,
    config,
    subjects: createSubjectReader({ config, forge: () => forge }),
    findRepository: async (name) => (name === shop.name ? shop : undefined),
    images: createImages({ registry, waitSeconds: config.images.waitSeconds, now: ground.now }),
    prepareSource: async () => {},
    resolveSecrets: async () => ({}),
    announce: async () => {},
    logger: silent,
    ...ground,
  };
}
