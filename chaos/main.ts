/** `npm run chaos`: breaks what may break, and prints what it did and what it found. The seed repeats a run. */
import process from "node:process";
import { Command, InvalidArgumentError } from "commander";
import { simulate } from "./simulation/simulation.ts";

interface Options {
  readonly seed: number;
  readonly pulls: number;
}

const PROBLEMS_SHOWN = 20;

const options = new Command("npm run chaos --")
  .description("Loses, doubles, delays and reorders deliveries in simulated time; half a minute for a thousand.")
  .option("--seed <n>", "repeats the run that printed it", parseCount, Date.now() % 2 ** 31)
  .option("--pulls <n>", "simulated pull requests", parseCount, 1000)
  .parse()
  .opts<Options>();
process.exitCode = await main(options);

async function main({ seed, pulls }: Options): Promise<number> {
  console.log(`seed ${seed}`);
  const { deeds, faults, ups, destroys, problems } = await simulate({ seed, pulls });
  console.table({
    "pull requests": pulls,
    "things people did": deeds,
    "deliveries dropped": faults.dropped,
    "deliveries doubled": faults.doubled,
    "deliveries delayed past others": faults.delayed,
    "updates run": ups,
    "teardowns run": destroys,
    "previews that ended otherwise than in order": problems.length,
  });
  for (const problem of problems.slice(0, PROBLEMS_SHOWN)) console.log(problem);
  if (problems.length > PROBLEMS_SHOWN) console.log(`and ${problems.length - PROBLEMS_SHOWN} more`);
  if (problems.length > 0) console.log(`to see it again: npm run chaos -- --seed ${seed} --pulls ${pulls}`);
  return problems.length > 0 ? 1 : 0;
}

function parseCount(text: string): number {
  const count = Number(text);
  if (Number.isSafeInteger(count) && count >= 1) return count;
  throw new InvalidArgumentError("It must be a whole number from 1.");
}
