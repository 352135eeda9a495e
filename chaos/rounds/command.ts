/** `npm run chaos -- --rounds N`: prints each round as it ends and the table behind them. */
import { deedCounts, roundLine, seconds, verdictOf, victimTable } from "./print.ts";
import { median, runSeries, settleMsFor } from "./rounds.ts";

/** Resolves with the exit code: 0 when nothing was found and all rounds were run. An aborted `signal` ends everything it started. */
export async function runRounds({ seed, rounds }: Wanted, signal: AbortSignal): Promise<number> {
  console.log(`seed ${seed}, ${rounds} rounds`);
  const kept: string[] = [];
  const series = await runSeries({
    seed,
    rounds,
    signal,
    onRound: (result) => console.log(roundLine(result)),
    onKept: (dataDir) => kept.push(dataDir),
  });
  const { results, updatesMs, restarts, finds } = series;
  console.table(victimTable(series));
  const updateMs = median(updatesMs);
  console.log(`deeds: ${deedCounts(series)}`);
  console.log(`the service was started again ${restarts.done} times, ${restarts.failed} of them in vain`);
  console.log(
    `an undisturbed update took ${seconds(updateMs)} here, so everything had ${seconds(settleMsFor(updateMs))} to come right`,
  );
  for (const { kind, what } of finds)
    console.log(`after the last pull request was closed: ${kind.toUpperCase()} ${what}`);
  const guilty = results.filter((result) => result.finds.length > 0).map(({ plan }) => plan.round);
  if (guilty.length > 0) {
    console.log(
      `found in round ${guilty.join(", ")}; to see it again: npm run chaos -- --rounds ${guilty[0]} --seed ${seed}`,
    );
  }
  for (const dataDir of kept) console.log(`left to look into: ${dataDir}`);
  console.log(`${results.length} rounds: ${verdictOf(series)}`);
  return kept.length > 0 || results.length < rounds ? 1 : 0;
}

interface Wanted {
  readonly seed: number;
  readonly rounds: number;
}
