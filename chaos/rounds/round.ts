/** One round: deeds and kills side by side, then the wait until the world is as the pull requests say. */
import { setTimeout as delay } from "node:timers/promises";
import { findVictim, killVictim } from "../world/victims.ts";
import type { ChaosWorld } from "../world/world.ts";
import { carryOut } from "./deeds.ts";
import type { Deed, Kill, RoundPlan, Wishes } from "./plan.ts";
import { type Find, settle } from "./settle.ts";

export interface RoundLimits {
  /** What an undisturbed update takes here and now; what the plan's moments are parts of. */
  readonly updateMs: number;
  /** From the last kill or deed until everything must be as wished. */
  readonly settleMs: number;
}

/** A kill as it came about. */
export interface Killed {
  readonly kill: Kill;
  /** From the round's begin; undefined when there was nobody to kill. */
  readonly atMs?: number;
  /** What went on at that moment: the step of a reconcile that was reached last, and how many engines ran. */
  readonly state: string;
}

export interface RoundResult {
  readonly plan: RoundPlan;
  readonly killed: readonly Killed[];
  /** How often an answer was an error and a person, or their program, asked again. */
  readonly askedAgain: number;
  /** From the last kill, or the last deed's first try, until the oracle found nothing. */
  readonly recoveredMs: number;
  readonly finds: readonly Find[];
}

const LOOK_EVERY_MS = 10;
/** Of an undisturbed update: how long an engine is waited for that is to be killed. */
const ENGINE_WITHIN = 3;
/** Of an undisturbed update: an engine that tears down runs no longer. */
const ENGINE_PART = 0.3;

/** `wishes`: what is wished for once the plan is done. Rejects only when `signal` aborts or the round itself cannot be run. */
export async function runRound(
  world: ChaosWorld,
  { plan, wishes, limits, signal }: { plan: RoundPlan; wishes: Wishes; limits: RoundLimits; signal: AbortSignal },
): Promise<RoundResult> {
  const { updateMs, settleMs } = limits;
  const begin = performance.now();
  const lastDeedMs = Math.ceil(updateMs * Math.max(...plan.deeds.map(({ at }) => at)));
  const late = AbortSignal.timeout(lastDeedMs + settleMs);
  const [asked, killed] = await Promise.all([
    doAll(world, { plan, updateMs, signal: AbortSignal.any([signal, late]) }),
    Promise.all(plan.kills.map((kill) => killOne(world, { kill, plan, begin, updateMs, signal }))),
  ]);
  signal.throwIfAborted();
  const overMs = performance.now() - begin;
  // Whoever was looked for in vain was looked for until now.
  const recovering = begin + Math.max(lastDeedMs, ...killed.map(({ atMs = overMs }) => atMs));
  const withinMs = recovering + settleMs - performance.now();
  const refused = asked.flatMap((outcome) => ("find" in outcome ? [outcome.find] : []));
  const finds = await settle(world, { wishes, withinMs, signal });
  return {
    plan,
    killed: killed.toSorted((a, b) => (a.atMs ?? 0) - (b.atMs ?? 0)),
    askedAgain: asked.reduce((sum, outcome) => sum + ("asked" in outcome ? outcome.asked - 1 : 0), 0),
    recoveredMs: performance.now() - recovering,
    finds: [...refused, ...finds],
  };
}

interface Doing {
  readonly plan: RoundPlan;
  readonly updateMs: number;
  readonly signal: AbortSignal;
}

function doAll(world: ChaosWorld, { plan, updateMs, signal }: Doing) {
  const last = new Map<string, Promise<unknown>>();
  return Promise.all(
    plan.deeds.map((deed) => {
      const before = last.get(deed.gitBranch);
      const done = Promise.all([before, delay(deed.at * updateMs, undefined, { signal })]).then(() =>
        doOne(world, deed, plan.round, signal),
      );
      last.set(deed.gitBranch, done);
      return done;
    }),
  );
}

async function doOne(
  world: ChaosWorld,
  deed: Deed,
  round: number,
  signal: AbortSignal,
): Promise<{ readonly asked: number } | { readonly find: Find }> {
  try {
    return { asked: await carryOut(world, deed, `round ${round}`, signal) };
  } catch (error) {
    const what = `${deed.kind} ${deed.gitBranch} was never taken: ${error instanceof Error ? error.message : error}`;
    return { find: { kind: "lost", what } };
  }
}

async function killOne(
  world: ChaosWorld,
  { kill, plan, begin, updateMs, signal }: Doing & { readonly kill: Kill; readonly begin: number },
): Promise<Killed> {
  const { instance } = world;
  const lookUntil = begin + updateMs * ENGINE_WITHIN;
  const find = () => findVictim(instance, kill.victim, kill.choice);
  if (kill.victim === "engine") {
    while (!(await find()) && performance.now() < lookUntil) await delay(LOOK_EVERY_MS, undefined, { signal });
    await delay(kill.moment * updateMs * ENGINE_PART, undefined, { signal });
  } else {
    await delay(kill.moment * updateMs, undefined, { signal });
  }
  for (;;) {
    const identity = await find();
    const state = stateOf(world, plan);
    if (identity && killVictim(identity)) return { kill, atMs: performance.now() - begin, state };
    // Killed by the other kill of this round, it is on its way back; nothing begins anew for its sake.
    if (performance.now() > lookUntil) return { kill, state };
    await delay(LOOK_EVERY_MS, undefined, { signal });
  }
}

function stateOf({ instance }: ChaosWorld, { round }: RoundPlan): string {
  const last = instance.steps.at(-1);
  return last ? `${last.step} ${last.key}` : `before the first step of round ${round}`;
}
