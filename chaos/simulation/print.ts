import { simulate } from "./simulation.ts";

const PROBLEMS_SHOWN = 20;

/** Lives so many pull requests in simulated time and prints what came of it; resolves with the exit code. */
export async function runSimulation({ seed, pulls }: { seed: number; pulls: number }): Promise<number> {
  console.log(`seed ${seed}`);
  const { deeds, faults, ups, destroys, warnings, mostLive, cap, problems } = await simulate({ seed, pulls });
  console.table({
    "pull requests": pulls,
    "things people did": deeds,
    "deliveries dropped": faults.dropped,
    "deliveries doubled": faults.doubled,
    "deliveries delayed past others": faults.delayed,
    "updates run": ups,
    "teardowns run": destroys,
    "authors warned": warnings,
    "most previews live at once": mostLive,
    "and allowed to be": cap,
    "previews that ended otherwise than in order": problems.length,
  });
  for (const problem of problems.slice(0, PROBLEMS_SHOWN)) console.log(problem);
  if (problems.length > PROBLEMS_SHOWN) console.log(`and ${problems.length - PROBLEMS_SHOWN} more`);
  if (problems.length > 0) console.log(`to see it again: npm run chaos -- --seed ${seed} --pulls ${pulls}`);
  return problems.length > 0 ? 1 : 0;
}
