import { join } from "node:path";
import { firewallFault, removeFirewall } from "../../components/local/firewall.ts";
import { layout } from "../../components/local/layout.ts";
import { isRunning } from "../../components/local/release.ts";
import { listReleases, listStacks, readState } from "../../components/local/release-files.ts";
import { createSupervisor } from "../../components/local/supervisor.ts";
import { openInstance } from "./instance.ts";
import { stopEmbeddedPostgres } from "./postgres.ts";
import { findPostmaster } from "./postgres-process.ts";

/**
 * Ends what a killed instance left running: the previews' processes, to be restored by the next start,
 * and both Postgres servers. Names what there was; nothing is success. Throws `WrongUse` when the
 * folder is in use after all.
 */
export async function stopLeftovers(dataDir: string): Promise<readonly string[]> {
  const instance = await openInstance(dataDir);
  const ended: string[] = [];
  try {
    const services = (await whatRuns(dataDir)).services;
    const logger = { info: () => undefined, warn: () => undefined, error: () => undefined };
    const supervisor = createSupervisor({ dataDir, logger, clock: () => new Date() });
    await supervisor.stop({ endServices: true });
    if ((await firewallFault()) === undefined) await removeFirewall(dataDir);
    if (services > 0) ended.push(counted(services, "service"));
    for (const name of await serversOf(dataDir)) {
      await stopEmbeddedPostgres(join(layout(dataDir).postgres, name));
      ended.push(`the Postgres server "${name}"`);
    }
  } finally {
    await instance.close();
  }
  return ended;
}

/** Names of our Postgres servers that run; an operator's own are none of them. */
export async function serversOf(dataDir: string): Promise<readonly string[]> {
  const names = ["store", "previews"];
  const running = await Promise.all(names.map((name) => findPostmaster(join(layout(dataDir).postgres, name, "data"))));
  return names.filter((_name, index) => running[index] !== undefined);
}

/** Previews with something running, and how many services that is. */
export async function whatRuns(dataDir: string): Promise<{ readonly previews: number; readonly services: number }> {
  const stacks = await Promise.all(
    (await listStacks(dataDir)).map(async (stack) => {
      const running = (await listReleases(dataDir, stack)).map(async (release) => {
        const state = await readState(release);
        return state !== undefined && (await isRunning(release, state));
      });
      return (await Promise.all(running)).filter(Boolean).length;
    }),
  );
  const running = stacks.filter((count) => count > 0);
  return { previews: running.length, services: running.reduce((sum, count) => sum + count, 0) };
}

/** `1 service`, `3 services`. */
export function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
