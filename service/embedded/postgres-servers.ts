import { chmod, mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "pino";
import { type EmbeddedPostgres, startEmbeddedPostgres, stopEmbeddedPostgres } from "./postgres.ts";

export interface EmbeddedServers {
  readonly store: EmbeddedPostgres;
  readonly previews: EmbeddedPostgres;
  stop(): Promise<void>;
}

/** File in the folder of the servers that holds the previews server's admin URL, mode 0600. */
export const PREVIEWS_URL_FILE = "previews.url";

/**
 * The two servers of the embedded default in `dir` (`<data>/postgres`): one for the store, one for the
 * previews' databases, so that an application can neither reach nor starve the store. Leaves none
 * running when one fails to start. Errors as `startEmbeddedPostgres`.
 */
export async function startEmbeddedServers(options: {
  readonly dir: string;
  readonly logger: Pick<Logger, "info" | "warn">;
}): Promise<EmbeddedServers> {
  const { dir, logger } = options;
  await mkdir(dir, { recursive: true });
  await chmod(dir, 0o711);
  // One after the other: both may have to make the same system user and copy the same programs.
  const store = await startEmbeddedPostgres({ dir: join(dir, "store"), logger, settings: { shared_buffers: "64MB" } });
  try {
    const previews = await startEmbeddedPostgres({ dir: join(dir, "previews"), logger, settings: PREVIEWS });
    const file = join(dir, PREVIEWS_URL_FILE);
    await writeFile(`${file}.new`, `${previews.url}\n`, { mode: 0o600 });
    await rename(`${file}.new`, file);
    return { store, previews, stop: async () => void (await Promise.all([store.stop(), previews.stop()])) };
  } catch (error) {
    await store.stop();
    throw error;
  }
}

/** Ends both servers when they run, without starting them. */
export async function stopEmbeddedServers(dir: string): Promise<void> {
  await Promise.all(["store", "previews"].map((name) => stopEmbeddedPostgres(join(dir, name))));
}

const PREVIEWS = {
  max_connections: "500",
  // A forgotten transaction of an application would keep its dead rows for ever.
  idle_in_transaction_session_timeout: "1h",
};
