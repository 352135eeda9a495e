/** Runs a list of faults on one real world, one after the other, and prints how each ended. */

/** What a fault needs to run on: started for the whole list, removed behind it. */
export interface FaultWorld {
  remove(): Promise<void>;
}

export interface Fault<World extends FaultWorld> {
  readonly name: string;
  /** Left to `npm run chaos`: it takes its time, or is much like another. */
  readonly long?: boolean;
  /** Resolves with what did not hold, in words. Rejects when a preview never comes right. */
  readonly run: (world: World) => Promise<readonly string[]>;
}

/** Resolves with the exit code: 1 when something did not hold. Ends what it started, also when `signal` aborts; then it rejects. */
export async function runFaults<World extends FaultWorld>(
  { what, faults, start }: { what: string; faults: readonly Fault<World>[]; start: () => Promise<World> },
  signal: AbortSignal,
): Promise<number> {
  const world = await start();
  const called = Promise.withResolvers<never>();
  called.promise.catch(() => {});
  signal.addEventListener("abort", () => called.reject(signal.reason), { once: true });
  let broken = 0;
  try {
    for (const { name, run } of faults) {
      signal.throwIfAborted();
      const began = performance.now();
      const problems = await Promise.race([run(world), called.promise]).catch((error: unknown) => {
        if (signal.aborted) throw error;
        return [String(error)];
      });
      const seconds = ((performance.now() - began) / 1000).toFixed(1);
      const end = problems.length === 0 ? "held" : problems.map((problem) => `\n    ${problem}`).join("");
      console.log(`${name} (${seconds} s): ${end}`);
      if (problems.length > 0) broken++;
    }
  } finally {
    await world.remove();
  }
  console.log(`${faults.length} faults of the ${what}: ${broken} did not hold`);
  return broken > 0 ? 1 : 0;
}
