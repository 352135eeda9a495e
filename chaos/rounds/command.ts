/** `npm run chaos -- --rounds N`: prints each round as it ends and the table behind them. */
import { deedCounts, findWords, roundLine, seconds, verdictOf, victimTable } from "./print.ts";
import { median, runSeries, SETTLE_MS, type Series, settleMsFor } from "./rounds.ts";

/** Resolves with the exit code: 0 when nothing was found and all rounds were run. An aborted `signal` ends everything it started. */
export async function runRounds({ seed, rounds }: Wanted, signal: AbortSignal): Promise<number> {
  console.log(`seed ${seed}, ${rounds} rounds`);
  const kept: string[] = [];
  const series = await runSeries({
    seed,
    rounds,
    signal,
    onRound: (result) => console.log(roundLine(result)),
    onKept: (dataDir) => {
      kept.push(dataDir);
      console.log(`left to look into: ${dataDir}`);
    },
  });
  printEnd(series, seed);
  console.log(`${series.results.length} rounds: ${verdictOf(series)}`);
  const hit = series.results.some(({ killed }) => killed.some(({ atMs }) => atMs !== undefined));
  if (!hit) console.log("nobody was there to be killed, so that it shows nothing");
  return kept.length > 0 || series.results.length < rounds || !hit ? 1 : 0;
}

function printEnd(series: Series, seed: number): void {
  const { results, updatesMs, restarts, finds } = series;
  const [updateMs, within] = [median(updatesMs), settleMsFor(median(updatesMs))];
  const slow = results.filter(({ recoveredMs }) => recoveredMs > SETTLE_MS).length;
  console.table(victimTable(series));
  console.log(`deeds: ${deedCounts(series)}`);
  console.log(`the service was started again ${restarts.done} times, ${restarts.failed} of them in vain`);
  console.log(`an undisturbed update took ${seconds(updateMs)}, so each round had ${seconds(within)} to come right;`);
  console.log(`by the wall's clock ${slow} took longer than ${seconds(SETTLE_MS)}`);
  for (const find of finds) console.log(`after the last pull request was closed: ${findWords(find)}`);
  const guilty = results.filter((result) => result.finds.length > 0).map(({ plan }) => plan.round);
  if (guilty.length === 0) return;
  const again = `npm run chaos -- --rounds ${guilty[0]} --seed ${seed}`;
  console.log(`found in round ${guilty.join(", ")}; the first of them again: ${again}`);
}

interface Wanted {
  readonly seed: number;
  readonly rounds: number;
}
