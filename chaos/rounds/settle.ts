/** The verdict over a round: what people wished for against the world, and the oracle's over everything. */
import { setTimeout as delay } from "node:timers/promises";
import { stackName } from "../../infra/names.ts";
import { processesOf } from "../../test/e2e/support/oracle.ts";
import { askOracle, type Report } from "../oracle/report.ts";
import type { ChaosWorld } from "../world/world.ts";
import { numberOf } from "./deeds.ts";
import type { Wishes } from "./plan.ts";

export interface Find {
  readonly kind: "orphan" | "lost" | "stuck" | "crash";
  readonly what: string;
}

const LOOK_EVERY_MS = 100;
/** The oracle is asked at least once, for so long, however late it is. */
const LAST_WORD_MS = 1_000;

/** Resolves with nothing as soon as all is well, else with what is amiss when `withinMs` is past. */
export async function settle(
  world: ChaosWorld,
  { wishes, withinMs, signal }: { wishes: Wishes; withinMs: number; signal: AbortSignal },
): Promise<readonly Find[]> {
  const deadline = performance.now() + withinMs;
  const left = () => Math.max(LAST_WORD_MS, deadline - performance.now());
  const ask = () => askOracle(placeOf(world), { withinMs: left(), signal });
  for (;;) {
    // Sleep and wake are people's wishes, of which the forge and so the oracle know nothing.
    while ((await asleepOtherwise(world, wishes)).length > 0 && performance.now() < deadline) {
      await delay(LOOK_EVERY_MS, undefined, { signal });
    }
    const report = await untilItCanLook(ask, { deadline, signal });
    // Again, for one may have gone to sleep or woken while the oracle waited for others.
    const finds = [...(await asleepOtherwise(world, wishes)), ...findsOf(report)];
    if (finds.length === 0 || performance.now() > deadline) return finds;
  }
}

/** Open pull requests whose preview sleeps or is awake against the last wish; one that cannot be read yet counts. */
async function asleepOtherwise(world: ChaosWorld, wishes: Wishes): Promise<readonly Find[]> {
  const found = await Promise.all(
    [...wishes].map(async ([gitBranch, wish]): Promise<readonly Find[]> => {
      const amiss = (what: string): readonly Find[] => [
        { kind: "lost", what: `${gitBranch} shall be ${wish}: ${what}` },
      ];
      const number = await numberOf(world, gitBranch).catch(() => undefined);
      if (number === undefined) return amiss("it has no number");
      const stack = stackName({ repository: world.name, number });
      const running = (await processesOf({ dataDir: world.instance.dataDir, stack })).length;
      if (wish === "asleep") return running === 0 ? [] : amiss(`${running} processes of ${stack} run`);
      return running > 0 ? [] : amiss(`no process of ${stack} runs`);
    }),
  );
  return found.flat();
}

function placeOf({ name, repository, instance }: ChaosWorld) {
  const { dataDir, port } = instance;
  return { dataDir, port, repositories: [{ kind: "local" as const, name, path: repository.path }] };
}

/** A server that is on its way back cannot be looked into yet. */
async function untilItCanLook(
  ask: () => Promise<Report>,
  { deadline, signal }: { readonly deadline: number; readonly signal: AbortSignal },
): Promise<Report> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (signal.aborted || performance.now() > deadline) throw error;
      await delay(LOOK_EVERY_MS, undefined, { signal });
    }
  }
}

function findsOf({ orphans, lost, stuck }: Report): readonly Find[] {
  return [
    ...orphans.map(({ kind, id, why }): Find => ({ kind: "orphan", what: `${kind} ${id}: ${why}` })),
    ...lost.map(({ key, wanted, found }): Find => ({ kind: "lost", what: `${key}: wanted ${wanted}, found ${found}` })),
    ...stuck.map(({ key, host, found }): Find => ({ kind: "stuck", what: `${key} (${host}): ${found}` })),
  ];
}
