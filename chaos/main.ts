/** `npm run chaos`: breaks what may break, and prints what it did and what it found. The seed repeats a run. */
import process from "node:process";
import { Command, InvalidArgumentError } from "commander";

interface Options {
  readonly seed: number;
  readonly pulls: number;
  readonly selftest?: boolean;
  readonly rounds?: number;
  readonly replicas?: number;
  readonly pause: number;
  readonly flood?: number;
  readonly disk?: boolean;
  readonly forge?: boolean;
  readonly engine?: boolean;
}

const command = new Command("npm run chaos --")
  .description(
    "By itself: loses, doubles, delays and reorders deliveries in simulated time; half a minute for a thousand.",
  )
  .option("--seed <n>", "repeats the run that printed it", parseCount, Date.now() % 2 ** 31)
  .option("--pulls <n>", "simulated pull requests", parseCount, 1000)
  .option("--selftest", "plants strays of every kind in a real world and sees whether the oracle names exactly these")
  .option("--rounds <n>", "SIGKILL at random moments of a preview's life; 200 are about half an hour", parseCount)
  .option("--replicas <rounds>", "freezes one of two replicas in the middle of an update, so many times", parseCount)
  .option("--pause <seconds>", "how long it stands still; its lease is past after 20", parseCount, 120)
  .option(
    "--flood <deliveries>",
    "generated deliveries, large bodies, slow senders; 10000 are a few minutes",
    parseCount,
  )
  .option("--disk", "fills the disk, and makes it read-only, under a real instance; root only")
  .option("--forge", "wrong answers of a forge, rate limits and silence; three minutes")
  .option("--engine", "updates that never end, and an engine that hears only SIGKILL; a minute or two")
  .parse();
const options = command.opts<Options>();
const modes = (["selftest", "rounds", "replicas", "flood", "disk", "forge", "engine"] as const).filter(
  (mode) => options[mode] !== undefined,
);
if (modes.length > 1) command.error(`error: one at a time: ${modes.map((mode) => `--${mode}`).join(", ")}`);
// What was cut short may still wait for something.
process.exit(await main(options));

/** Each mode loads only what it needs. */
async function main({ seed, pulls, selftest, rounds, replicas, pause, flood, ...faults }: Options): Promise<number> {
  const stop = new AbortController();
  const onSignal = () => {
    if (stop.signal.aborted) process.exit(130);
    console.error("ending what was started; once more to leave it");
    stop.abort();
  };
  for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, onSignal);
  try {
    if (selftest) return await (await import("./selftest/selftest.ts")).runSelftest(stop.signal);
    if (rounds !== undefined) {
      return await (await import("./rounds/command.ts")).runRounds({ seed, rounds }, stop.signal);
    }
    if (replicas !== undefined) {
      const { runReplicaRounds } = await import("./replicas/print.ts");
      return await runReplicaRounds({ rounds: replicas, pauseSeconds: pause }, stop.signal);
    }
    if (flood !== undefined) {
      return await (await import("./flood/print.ts")).runFlood({ seed, deliveries: flood }, stop.signal);
    }
    if (faults.disk) return await (await import("./disk/print.ts")).runDiskFaults(stop.signal);
    if (faults.forge) return await (await import("./forge/print.ts")).runForgeFaults(stop.signal);
    if (faults.engine) return await (await import("./engine/print.ts")).runEngineFaults(stop.signal);
    return await (await import("./simulation/print.ts")).runSimulation({ seed, pulls });
  } catch (error) {
    if (stop.signal.aborted) return 130;
    console.error(error);
    return 1;
  }
}

function parseCount(text: string): number {
  const count = Number(text);
  if (Number.isSafeInteger(count) && count >= 1) return count;
  throw new InvalidArgumentError("It must be a whole number from 1.");
}
