/** The processes that may be killed, found as children of the service and by the Postgres servers' own files. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { layout } from "../../components/local/layout.ts";
import { isAlive, type ProcessIdentity, startTimeOf } from "../../components/local/process-identity.ts";
import type { Instance } from "../../test/e2e/support/instance.ts";
import { childrenOf } from "../../test/e2e/support/process-tree.ts";
import { findServer, type ServerName } from "../../test/e2e/support/servers.ts";

export const VICTIMS = [
  "service",
  "runner",
  "watchdog",
  "engine",
  "store's postmaster",
  "store's backend",
  "previews' postmaster",
  "previews' backend",
] as const;
export type Victim = (typeof VICTIMS)[number];

/** On every engine's command line, and on none of git's and the application's beside it. */
const ENGINE = "--non-interactive";

/**
 * One living process of that kind, by `choice` from 0 up to 1 among all there are now; undefined while there is none.
 */
export async function findVictim(
  instance: Pick<Instance, "dataDir" | "pid">,
  victim: Victim,
  choice: number,
): Promise<ProcessIdentity | undefined> {
  const pids = await pidsOf(instance, victim);
  const pid = pids.toSorted((a, b) => a - b)[Math.floor(choice * pids.length)];
  const startTime = pid === undefined ? undefined : startTimeOf(pid);
  return pid === undefined || startTime === undefined ? undefined : { pid, startTime };
}

/** False when it ended by itself before. */
export function killVictim(identity: ProcessIdentity): boolean {
  if (!isAlive(identity)) return false;
  try {
    return process.kill(identity.pid, "SIGKILL");
  } catch {
    return false;
  }
}

async function pidsOf(instance: Pick<Instance, "dataDir" | "pid">, victim: Victim): Promise<readonly number[]> {
  const service = instance.pid();
  switch (victim) {
    case "service":
      return [service];
    case "runner":
      return busyRunnersOf(service);
    case "watchdog":
      return watchdogsOf(service);
    case "engine":
      return enginesOf(service);
    case "store's postmaster":
      return postmasterOf(instance.dataDir, "store");
    case "previews' postmaster":
      return postmasterOf(instance.dataDir, "previews");
    case "store's backend":
      return backendsOf(instance.dataDir, "store");
    case "previews' backend":
      return backendsOf(instance.dataDir, "previews");
  }
}

/** Those with an engine, or all while none has one. */
async function busyRunnersOf(service: number): Promise<readonly number[]> {
  const runners = pids(await childrenOf(service, "runner-child.ts"));
  const engines = await Promise.all(runners.map((runner) => childrenOf(runner, ENGINE)));
  const busy = runners.filter((_runner, index) => (engines[index]?.length ?? 0) > 0);
  return busy.length > 0 ? busy : runners;
}

/** Those that watch such a runner. */
async function watchdogsOf(service: number): Promise<readonly number[]> {
  const [dogs, runners] = await Promise.all([childrenOf(service, "watchdog.ts"), busyRunnersOf(service)]);
  return pids(dogs.filter(({ command }) => runners.some((runner) => command.includes(`watchdog.ts ${runner} `))));
}

async function enginesOf(service: number): Promise<readonly number[]> {
  const runners = pids(await childrenOf(service, "runner-child.ts"));
  return (await Promise.all(runners.map(async (runner) => pids(await childrenOf(runner, ENGINE))))).flat();
}

/** A pid file outlives its server, and its pid may be somebody else's by then. */
async function postmasterOf(dataDir: string, name: ServerName): Promise<readonly number[]> {
  const pid = await findServer(dataDir, name).then(
    (server) => server.pid,
    () => 0,
  );
  const command = pid > 0 ? await readFile(`/proc/${pid}/cmdline`, "latin1").catch(() => "") : "";
  return command.split("\0").includes(join(layout(dataDir).postgres, name, "data")) ? [pid] : [];
}

async function backendsOf(dataDir: string, name: ServerName): Promise<readonly number[]> {
  const [postmaster] = await postmasterOf(dataDir, name);
  return postmaster === undefined ? [] : pids(await childrenOf(postmaster));
}

function pids(entries: readonly { readonly pid: number }[]): readonly number[] {
  return entries.map(({ pid }) => pid);
}
