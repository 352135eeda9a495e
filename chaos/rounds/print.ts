/** What a person reads of the rounds while they run, and in the end. */
import type { Deed } from "./plan.ts";
import type { Killed, RoundResult } from "./round.ts";
import { median, type Series } from "./rounds.ts";
import type { Find } from "./settle.ts";

/** `round 12: push #3, sleep #1 | SIGKILL runner after 431 ms (up chaos#3) | well after 2.1 s` */
export function roundLine({ plan, killed, recoveredMs, askedAgain, finds }: RoundResult): string {
  const deeds = plan.deeds.map(({ kind, gitBranch }: Deed) => `${kind} ${gitBranch}`).join(", ");
  const again = askedAgain > 0 ? `, asked again ${askedAgain} times` : "";
  const end =
    finds.length === 0
      ? `well after ${seconds(recoveredMs)}`
      : finds.map((find) => `\n    ${findWords(find)}`).join("");
  return `round ${plan.round}: ${deeds}${again} | ${killed.map(killWords).join(", ")} | ${end}`;
}

/** By victim: how often it was killed, and how long everything was in coming right again. */
export function victimTable({ results }: Series): Readonly<Record<string, Readonly<Record<string, string | number>>>> {
  const victims = [...new Set(results.flatMap(({ killed }) => killed.map(({ kill }) => kill.victim)))].sort();
  return Object.fromEntries(
    victims.map((victim) => {
      const hit = ({ kill, atMs }: Killed) => kill.victim === victim && atMs !== undefined;
      const struck = results.filter(({ killed }) => killed.some(hit));
      const times = struck.map(({ recoveredMs }) => recoveredMs);
      const kills = results.flatMap(({ killed }) => killed.filter(hit)).length;
      return [
        victim,
        { kills, "well after, median": seconds(median(times)), "at worst": seconds(Math.max(0, ...times)) },
      ];
    }),
  );
}

/** `push 41, open 33, …` */
export function deedCounts({ results }: Series): string {
  const counts = new Map<string, number>();
  for (const { plan } of results) for (const { kind } of plan.deeds) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return [...counts].map(([kind, count]) => `${kind} ${count}`).join(", ");
}

/** `0 orphans, 0 lost, 0 stuck`, and crashes where there were any. */
export function verdictOf({ results, finds }: Series): string {
  const all = [...results.flatMap((result) => result.finds), ...finds];
  const count = (kind: string) => all.filter((find) => find.kind === kind).length;
  const [orphans, crashes] = [count("orphan"), count("crash")];
  const found = `${orphans} ${orphans === 1 ? "orphan" : "orphans"}, ${count("lost")} lost, ${count("stuck")} stuck`;
  return crashes > 0 ? `${found}, ${crashes} times ended by itself` : found;
}

export function findWords({ kind, what }: Find): string {
  return `${kind.toUpperCase()} ${what}`;
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

function killWords({ kill, atMs, state }: Killed): string {
  if (atMs === undefined) return `nobody to kill (${kill.victim})`;
  return `SIGKILL ${kill.victim} after ${Math.round(atMs)} ms (${state})`;
}
