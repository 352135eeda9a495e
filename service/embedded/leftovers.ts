import { join } from "node:path";
import { layout } from "../../components/local/layout.ts";
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
    const logger = { info: () => undefined, warn: () => undefined, error: () => undefined };
    const supervisor = createSupervisor({ dataDir, logger, clock: () => new Date() });
    await supervisor.stop({ endServices: true });
    for (const name of ["store", "previews"]) {
      const dir = join(layout(dataDir).postgres, name);
      if (!(await findPostmaster(join(dir, "data")))) continue;
      await stopEmbeddedPostgres(dir);
      ended.push(`the Postgres server "${name}"`);
    }
  } finally {
    await instance.close();
  }
  return ended;
}
