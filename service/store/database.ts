/** One pool for tables and queue alike: the only place that opens connections to the store. */
import { Kysely, PostgresDialect } from "kysely";
import pg from "pg";
import type { Logger } from "pino";
import type { Tables } from "./tables.ts";

export interface Database {
  readonly db: Kysely<Tables>;
  readonly pool: pg.Pool;
}

/**
 * @param url Postgres URL; may hold a password and is never logged.
 * @param connections Most connections held at once.
 */
export function openDatabase({ url, connections, logger }: DatabaseOptions): Database {
  const pool = new pg.Pool({
    connectionString: url,
    max: connections,
    application_name: "stackling",
    connectionTimeoutMillis: 5_000,
    // A server that stopped answering must not hold a delivery longer than its forge waits.
    query_timeout: 9_000,
    keepAlive: true,
  });
  // Without a listener, the server going away would end the process.
  pool.on("error", (error) => logger.warn({ code: codeOf(error) }, "the store dropped an idle connection"));
  return { pool, db: new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) }) };
}

export interface DatabaseOptions {
  readonly url: string;
  readonly connections: number;
  readonly logger: Logger;
}

/** SQLSTATE or system code of a driver's error; its message may quote the URL and stays out of the log. */
export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "unknown";
}
