/** `npm run chaos -- --flood N`: says what it does, and prints what came of it. */
import { flood } from "./flood.ts";

const CONNECTIONS = 125;
const WAVES = 8;
/** V8 gives pages of an idle heap back in steps, some seconds apart. */
const RESTS_FOR_SECONDS = 15;

/** Resolves with the exit code; rejects when `signal` aborts, with everything ended that was started. */
export async function runFlood(
  { seed, deliveries }: { readonly seed: number; readonly deliveries: number },
  signal: AbortSignal,
): Promise<number> {
  console.log(`seed ${seed}, ${deliveries} deliveries`);
  const { statuses, taken, before, most, after, problems } = await flood({
    seed,
    deliveries,
    connections: CONNECTIONS,
    waves: WAVES,
    restsFor: RESTS_FOR_SECONDS,
    signal,
    onPhase: (name) => console.log(`… ${name}`),
  });
  console.table(
    Object.entries(statuses).map(([status, times]) => ({ answer: status === "0" ? "none" : status, times })),
  );
  const fromTo = (from: number, to: number) => `${from.toFixed(1)} MiB before, ${to.toFixed(1)} after`;
  console.log(
    `${taken} good deliveries taken; resident ${fromTo(before.resident, after.resident)}, ${most} at the most; held ${fromTo(before.held, after.held)}`,
  );
  for (const problem of problems) console.log(problem);
  if (problems.length > 0) console.log(`to see it again: npm run chaos -- --flood ${deliveries} --seed ${seed}`);
  console.log(problems.length === 0 ? "no crash, no wrong answer, nothing lost" : `${problems.length} problems`);
  return problems.length > 0 ? 1 : 0;
}
