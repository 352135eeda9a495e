import { chmod, mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "pino";
import { replaceFile } from "../../components/local/json-file.ts";
import { LOG_LINE_PREFIX } from "../../components/local/server-log.ts";
import {
  type EmbeddedPostgres,
  isRunning,
  SUPERUSER,
  startEmbeddedPostgres,
  stopEmbeddedPostgres,
} from "./postgres.ts";
import { findPrograms, findSystemUser } from "./postgres-binaries.ts";

export interface EmbeddedServers {
  /** Those that were asked for. */
  readonly store?: EmbeddedPostgres;
  readonly previews?: EmbeddedPostgres;
  stop(): Promise<void>;
}

export type ServerName = keyof typeof SETTINGS;

export interface EmbeddedServersOptions {
  readonly dir: string;
  readonly needed: readonly ServerName[];
  readonly logger: Pick<Logger, "info" | "warn">;
}

/** File in the folder of the servers that holds the previews server's admin URL, mode 0600. */
export const PREVIEWS_URL_FILE = "previews.url";

const LOOK_EVERY_MS = 1_000;

const SETTINGS = {
  store: { shared_buffers: "64MB" },
  previews: {
    max_connections: "500",
    log_line_prefix: LOG_LINE_PREFIX,
    // A forgotten transaction of an application would keep its dead rows for ever.
    idle_in_transaction_session_timeout: "1h",
  },
} as const;

/**
 * The two servers of the embedded default in `dir` (`<data>/postgres`): one for the store, one for the
 * previews' databases, so that an application can neither reach nor starve the store. One that dies is
 * started again. Starts only those that are needed, and leaves none running when one fails to start. Errors as `startEmbeddedPostgres`.
 */
export async function startEmbeddedServers(options: EmbeddedServersOptions): Promise<EmbeddedServers> {
  const { dir, needed, logger } = options;
  if (needed.length === 0) return { stop: async () => undefined };
  await mkdir(dir, { recursive: true });
  await chmod(dir, 0o711);
  // Once and first: both need the same system user and programs, and would make them at the same time.
  await findPrograms(await findSystemUser(SUPERUSER));
  const started = await Promise.allSettled(
    needed.map(async (name) => {
      const server = await keepRunning({ dir: join(dir, name), settings: SETTINGS[name], logger });
      return [name, server] as const;
    }),
  );
  const running = started.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
  const stop = async () => {
    await Promise.all(running.map(([, server]) => server.stop()));
  };
  const failed = started.find((outcome) => outcome.status === "rejected");
  if (failed) {
    await stop();
    throw failed.reason;
  }
  const servers: Partial<Record<ServerName, EmbeddedPostgres>> = Object.fromEntries(running);
  if (servers.previews) await publishUrl(dir, servers.previews.url);
  return { ...servers, stop };
}

async function publishUrl(dir: string, url: string): Promise<void> {
  await replaceFile(join(dir, PREVIEWS_URL_FILE), `${url}\n`);
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
