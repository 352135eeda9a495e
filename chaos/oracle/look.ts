/** One look at the world: everything is read at once and then judged. Changes nothing and wakes nothing. */
import PQueue from "p-queue";
import { listLimits } from "../../components/local/limits.ts";
import { listDatabases } from "./databases.ts";
import { hostsOf, isSentToSleep, listFiles } from "./files.ts";
import { listPulls } from "./forge-list.ts";
import { type Asked, askHost } from "./hosts.ts";
import { type Findings, judge, type Wishes, wishesOf } from "./judge.ts";
import type { Place } from "./place.ts";
import { listProcesses } from "./processes.ts";
import { listState, readStacks } from "./state.ts";
import type { Thing } from "./thing.ts";

export interface Look extends Findings {
  readonly looked: Readonly<Record<string, number>>;
}

/** Rejects when forge, server or folder cannot be read: what was not seen is no finding. */
export async function look(place: Place): Promise<Look> {
  const { dataDir, repositories } = place;
  const forges = await Promise.all(
    repositories.map(async (repository) => [repository.name, await listPulls(repository)] as const),
  );
  const wishes = wishesOf(place, new Map(forges));
  const [things, stacks] = await Promise.all([
    listThings(dataDir, patternOf(repositories.map(({ name }) => name))),
    readStacks(dataDir),
  ]);
  const named = new Set([...wishes.meant, ...things].flatMap(({ stack }) => stack ?? []));
  const hosts = new Map(
    await Promise.all([...named].map(async (stack) => [stack, await hostsOf(dataDir, stack)] as const)),
  );
  const sleeping = await Promise.all([...named].map((stack) => isSentToSleep(dataDir, stack)));
  const asleep = new Set([...named].filter((_stack, index) => sleeping[index]));
  const answers = await askAll(place, wishes, hosts);
  const findings = judge(place, wishes, { things, stacks, asleep, hosts, answers });
  return { ...findings, looked: countsOf(things, wishes, answers) };
}

/** Everything of ours that is there, whosever it is. `pattern`: see `listFiles`. */
export async function listThings(dataDir: string, pattern: RegExp): Promise<Thing[]> {
  const lists = await Promise.all([
    listProcesses(dataDir),
    listDatabases(dataDir),
    listState(dataDir),
    listFiles(dataDir, pattern),
    listLimits(dataDir).then((groups) =>
      groups.map(({ name, stack }): Thing => ({ kind: "control group", id: name, stack })),
    ),
  ]);
  return lists.flat();
}

/** Stacks of these repositories, wherever they are named. */
function patternOf(repositories: readonly string[]): RegExp {
  // The longest first, or `shop` would be found in `shop-admin`.
  const names = repositories.toSorted((a, b) => b.length - a.length).join("|");
  return new RegExp(`(?<![a-z0-9-])((?:${names})-(?:pr-\\d+|br-[a-z0-9-]+-[0-9a-f]{6}))(?![a-z0-9])`);
}

/** At most so many at once: the oracle is not the load. */
const CONNECTIONS = 16;

async function askAll(
  { port, page }: Place,
  { meant, over }: Wishes,
  hosts: ReadonlyMap<string, readonly string[]>,
): Promise<ReadonlyMap<string, Asked>> {
  if (port === undefined) return new Map();
  const main = new Set(meant.map(({ host }) => host));
  const all = new Set([...main, ...over.map(({ host }) => host), ...[...hosts.values()].flat()]);
  const queue = new PQueue({ concurrency: CONNECTIONS });
  const asked = [...all].map((host) => async () => {
    const path = main.has(host) ? page : "/";
    return [host, await askHost({ port, host, path })] as const;
  });
  return new Map(await queue.addAll(asked));
}

function countsOf(
  things: readonly Thing[],
  { meant, over }: Wishes,
  answers: ReadonlyMap<string, Asked>,
): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {
    "open pull request": meant.length,
    "closed pull request": over.length,
    host: answers.size,
  };
  for (const { kind } of things) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}
