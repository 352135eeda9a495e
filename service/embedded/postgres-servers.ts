import { chmod, mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "pino";
import {
  type EmbeddedPostgres,
  isRunning,
  SUPERUSER,
  startEmbeddedPostgres,
  stopEmbeddedPostgres,
} from "./postgres.ts";
import { findPrograms, findSystemUser } from "./postgres-binaries.ts";

export interface EmbeddedServers {
  readonly store: EmbeddedPostgres;
  readonly previews: EmbeddedPostgres;
  stop(): Promise<void>;
}

export interface EmbeddedServersOptions {
  readonly dir: string;
  readonly logger: Pick<Logger, "info" | "warn">;
}

/** File in the folder of the servers that holds the previews server's admin URL, mode 0600. */
export const PREVIEWS_URL_FILE = "previews.url";

const LOOK_EVERY_MS = 1_000;

const SETTINGS = {
  store: { shared_buffers: "64MB" },
  previews: {
    max_connections: "500",
    // A forgotten transaction of an application would keep its dead rows for ever.
    idle_in_transaction_session_timeout: "1h",
  },
} as const;

/**
 * The two servers of the embedded default in `dir` (`<data>/postgres`): one for the store, one for the
 * previews' databases, so that an application can neither reach nor starve the store. One that dies is
 * started again. Leaves none running when one fails to start. Errors as `startEmbeddedPostgres`.
 */
export async function startEmbeddedServers({ dir, logger }: EmbeddedServersOptions): Promise<EmbeddedServers> {
  await mkdir(dir, { recursive: true });
  await chmod(dir, 0o711);
  // Once and first: both need the same system user and programs, and would make them at the same time.
  await findPrograms(await findSystemUser(SUPERUSER));
  const keep = (name: keyof typeof SETTINGS) => keepRunning({ dir: join(dir, name), settings: SETTINGS[name], logger });
  const started = await Promise.allSettled([keep("store"), keep("previews")]);
  const stop = async () => {
    await Promise.all(started.map((outcome) => outcome.status === "fulfilled" && outcome.value.stop()));
  };
  const [store, previews] = started;
  if (store.status === "rejected" || previews.status === "rejected") {
    await stop();
    throw [store, previews].find((outcome) => outcome.status === "rejected")?.reason;
  }
  const file = join(dir, PREVIEWS_URL_FILE);
  await writeFile(`${file}.new`, `${previews.value.url}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
  return { store: store.value, previews: previews.value, stop };
}

/** Ends both servers when they run, without starting them. */
export async function stopEmbeddedServers(dir: string): Promise<void> {
  await Promise.all(Object.keys(SETTINGS).map((name) => stopEmbeddedPostgres(join(dir, name))));
}

/** Starts a server, and starts it again whenever it is found dead, until it is stopped. */
async function keepRunning(options: Parameters<typeof startEmbeddedPostgres>[0]): Promise<EmbeddedPostgres> {
  const { dir, logger } = options;
  const first = await startEmbeddedPostgres(options);
  let current = first;
  let stopped = false;
  let looking = Promise.resolve();
  const timer = setInterval(() => {
    looking = looking.then(look).catch((error) => logger.warn({ dir, err: error }, "restarting PostgreSQL failed"));
  }, LOOK_EVERY_MS);
  timer.unref();

  async function look(): Promise<void> {
    if (stopped || (await isRunning(dir))) return;
    logger.warn({ dir }, "PostgreSQL ended; starting it again");
    current = await startEmbeddedPostgres(options);
  }

  return {
    ...first,
    async stop() {
      stopped = true;
      clearInterval(timer);
      await looking;
      await current.stop();
    },
  };
}
