import { freezeReplicas, type ReplicaRound } from "./replicas.ts";

/** Freezes replicas so many times and prints what came of it; resolves with the exit code. Rejects when `signal` aborts. */
export async function runReplicaRounds(
  { rounds, pauseSeconds }: { readonly rounds: number; readonly pauseSeconds: number },
  signal: AbortSignal,
): Promise<number> {
  console.log(`two replicas over one store, ${rounds} rounds with a pause of ${pauseSeconds} s`);
  const results = await freezeReplicas({
    rounds,
    pauseSeconds,
    signal,
    onRound: (round) => console.log(lineOf(round)),
  });
  const problems = results.flatMap((round) => round.problems);
  console.table({
    rounds: results.length,
    "most engines on one stack at once": Math.max(0, ...results.map(({ engines }) => engines)),
    "things that did not hold": problems.length,
  });
  return problems.length > 0 ? 1 : 0;
}

/** `round 3: engine frozen for 120 s | held` */
function lineOf({ round, freeze, pausedSeconds, problems }: ReplicaRound): string {
  const end = problems.length === 0 ? "held" : problems.map((problem) => `\n    ${problem}`).join("");
  return `round ${round}: ${FROZEN[freeze]} for ${pausedSeconds} s | ${end}`;
}

const FROZEN: Readonly<Record<ReplicaRound["freeze"], string>> = {
  service: "service frozen in the middle of an update",
  runner: "service and runner frozen in the middle of an update",
  engine: "service, runner and engine frozen in the middle of an update",
  machine: "everything of a replica frozen, its watchdogs too, in the middle of an update",
  settle: "service frozen right before it writes down its update",
};
