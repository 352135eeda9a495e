/** Rounds of SIGKILL over a living instance, each judged before the next begins. */
import { createRandom, type Random } from "../random.ts";
import { type Keeper, keepServing } from "../world/keep-serving.ts";
import { type ChaosWorld, prepareWorld } from "../world/world.ts";
import { planRound, type Wishes } from "./plan.ts";
import { type RoundResult, runRound } from "./round.ts";
import { type Find, settle } from "./settle.ts";

export interface SeriesOptions {
  readonly seed: number;
  readonly rounds: number;
  /** Ends it early; what runs is ended all the same. */
  readonly signal: AbortSignal;
  /** No round begins later than this after the first. */
  readonly budgetMs?: number;
  readonly onRound?: (result: RoundResult) => void;
  /** Called with the data folder that stays because something was found in it. */
  readonly onKept?: (dataDir: string) => void;
}

export interface Series {
  readonly results: readonly RoundResult[];
  /** What undisturbed updates took in this run, the measure of everything else. */
  readonly updatesMs: readonly number[];
  /** What was left when every pull request had been closed in the end. */
  readonly finds: readonly Find[];
  /** Starts of a killed service, and those that failed. */
  readonly restarts: { readonly done: number; readonly failed: number };
}

/** On two quiet cores, from the push to the page, 600 ms of it the application's own. */
const QUIET_UPDATE_MS = 2_000;
/** Where updates take so long; on a busier machine as many times longer as they take. */
export const SETTLE_MS = 60_000;
const ENGINE_RUNS = 3;
const NAME = "chaos";
/** Nobody touches this one but to see how long an update takes now. */
const BARE = "bare";
const BARE_UPDATES_FIRST = 3;
const BARE_UPDATE_EVERY = 20;
/** Beyond these, the same fault would only be found again. */
const MOST_BROKEN_WORLDS = 5;

/** Runs until the rounds are done, the budget is spent or too much is broken. A world in which something was found is left for a new one. */
export async function runSeries(options: SeriesOptions): Promise<Series> {
  const random = createRandom(options.seed);
  const series: Growing = { results: [], updatesMs: [], finds: [], restarts: { done: 0, failed: 0 } };
  for (let broken = 0; broken < MOST_BROKEN_WORLDS && goesOn(options, series); broken++) {
    await inOneWorld(options, series, random);
  }
  return series;
}

interface Growing {
  readonly results: RoundResult[];
  readonly updatesMs: number[];
  readonly finds: Find[];
  readonly restarts: { done: number; failed: number };
  /** Set when the first round begins. */
  endAt?: number;
}

function goesOn({ rounds, signal }: SeriesOptions, { results, endAt = Number.POSITIVE_INFINITY }: Growing): boolean {
  return results.length < rounds && !signal.aborted && performance.now() < endAt;
}

/** Rounds until there are no more, or until one found something. */
async function inOneWorld(options: SeriesOptions, series: Growing, random: Random): Promise<void> {
  const { onKept, signal } = options;
  const world = await prepareWorld({ name: NAME, engineRuns: ENGINE_RUNS });
  let keeper: Keeper | undefined;
  let keepData = false;
  try {
    await world.instance.start();
    keeper = keepServing(world.instance);
    keepData = await playRounds(options, { series, random, world, keeper });
  } catch (error) {
    keepData = !signal.aborted;
    if (keepData) throw error;
  } finally {
    await keeper?.stop();
    series.restarts.done += keeper?.counts.restarts ?? 0;
    series.restarts.failed += keeper?.counts.failed ?? 0;
    await world.end({ keepData });
    if (keepData) onKept?.(world.instance.dataDir);
  }
}

interface Play {
  readonly series: Growing;
  readonly random: Random;
  readonly world: ChaosWorld;
  readonly keeper: Keeper;
}

/** True when something was found. */
async function playRounds(options: SeriesOptions, { series, random, world, keeper }: Play): Promise<boolean> {
  const { budgetMs = Number.POSITIVE_INFINITY, onRound, signal } = options;
  const wishes: Wishes = new Map();
  for (let update = 0; update < BARE_UPDATES_FIRST; update++) series.updatesMs.push(await bareUpdate(world, update));
  // The first one fills the caches.
  series.updatesMs.splice(-BARE_UPDATES_FIRST, 1);
  series.endAt ??= performance.now() + budgetMs;
  while (goesOn(options, series)) {
    const round = series.results.length + 1;
    if (round % BARE_UPDATE_EVERY === 0) series.updatesMs.push(await bareUpdate(world, round));
    const updateMs = median(series.updatesMs.slice(-BARE_UPDATES_FIRST));
    const limits = { updateMs, settleMs: settleMsFor(updateMs) };
    const ran = await runRound(world, { plan: planRound(random, round, wishes), wishes, limits, signal });
    const result = { ...ran, finds: [...ran.finds, ...crashesOf(keeper)] };
    series.results.push(result);
    onRound?.(result);
    if (result.finds.length > 0) return true;
  }
  return signal.aborted ? false : endsDirty({ series, world, keeper }, wishes, signal);
}

/** True when something is left after every pull request was closed, or the service ended by itself meanwhile. */
async function endsDirty(play: Omit<Play, "random">, wishes: Wishes, signal: AbortSignal): Promise<boolean> {
  const { series, world, keeper } = play;
  for (const gitBranch of [BARE, ...wishes.keys()]) await world.repository.deleteBranch(gitBranch);
  wishes.clear();
  const left = await settle(world, { wishes, withinMs: settleMsFor(median(series.updatesMs)), signal });
  const finds = [...left, ...crashesOf(keeper)];
  series.finds.push(...finds);
  return finds.length > 0;
}

function crashesOf(keeper: Keeper): readonly Find[] {
  return keeper.takeCrashes().map((what) => ({ kind: "crash", what }));
}

/** Milliseconds from a push that nothing disturbs until it serves. */
async function bareUpdate({ name, repository, instance }: ChaosWorld, count: number): Promise<number> {
  const begin = performance.now();
  const commit = await repository.commit(BARE, { "text.txt": `bare ${count}` });
  await instance.waitFor(`${name}#1`, (p) => p.reason === "Healthy" && p.commit === commit, "live");
  return performance.now() - begin;
}

export function settleMsFor(updateMs: number): number {
  return Math.ceil(SETTLE_MS * Math.max(1, updateMs / QUIET_UPDATE_MS));
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
