/** One pool for tables and queue alike: the only place that opens connections to the store. */
import { AsyncLocalStorage } from "node:async_hooks";
import { Kysely, PostgresDialect, type PostgresPool, type PostgresPoolClient } from "kysely";
import pg from "pg";
import type { Logger } from "pino";
import { StacklingError } from "../../components/errors.ts";
import type { Tables } from "./tables.ts";

export interface Database {
  readonly db: Kysely<Tables>;
  readonly pool: pg.Pool;
}

/** A server that stopped answering must not hold a delivery longer than its forge waits. */
const QUERY_TIMEOUT_MS = 9_000;
/** A process that was frozen in a transaction must not hold its rows before its successor for longer than its lease. */
const IDLE_TRANSACTION_MS = 10_000;

/**
 * @param url Postgres URL; may hold a password and is never logged.
 * @param connections Most connections held at once.
 */
export function openDatabase({
  url,
  connections,
  logger,
  queryTimeoutMs = QUERY_TIMEOUT_MS,
  idleTransactionMs = IDLE_TRANSACTION_MS,
}: DatabaseOptions): Database {
  const pool = new pg.Pool({
    connectionString: url,
    max: connections,
    application_name: "stackling",
    connectionTimeoutMillis: 5_000,
    query_timeout: queryTimeoutMs,
    idle_in_transaction_session_timeout: idleTransactionMs,
    keepAlive: true,
  });
  // Without a listener, the server going away would end the process: of the pool for idle connections,
  // of each one for those in use, between two statements of a transaction.
  // Bound, for it is heard as a part of whatever opened the connection, of which it says nothing.
  pool.on(
    "error",
    AsyncLocalStorage.bind((error) => logger.warn({ code: codeOf(error) }, "the store dropped an idle connection")),
  );
  pool.on("connect", (client) => client.on("error", () => undefined));
  return { pool, db: new Kysely<Tables>({ dialect: new PostgresDialect({ pool: discarding(pool) }) }) };
}

export interface DatabaseOptions {
  readonly url: string;
  readonly connections: number;
  readonly logger: Logger;
  readonly queryTimeoutMs?: number;
  /** After which the server ends a transaction of which it hears nothing. */
  readonly idleTransactionMs?: number;
}

/** SQLSTATE or system code of a driver's error; its message may quote the URL and stays out of the log. */
export function codeOf(error: unknown): string {
  if (error instanceof StacklingError) return codeOf(error.cause);
  return error instanceof Error && "code" in error ? String(error.code) : "unknown";
}

/** A server that is starting, ending, full or out of reach (PostgreSQL docs, appendix A); anything else is a fault of ours. */
function described(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const isAway =
    /^(E[A-Z]+|08...|25P03|57P0.|53...)$/.test(codeOf(error)) ||
    (!(error instanceof pg.DatabaseError) && /timeout|terminated|connection|not queryable/i.test(error.message));
  if (!isAway) return error;
  return new StacklingError({
    reason: "StoreUnavailable",
    userMessage: "asking the store: it does not answer",
    cause: error,
  });
}

/**
 * A connection whose query the server did not answer is thrown away. The server may carry it out yet,
 * and a `begin` that comes late would swallow what others write behind it.
 */
function discarding(pool: pg.Pool): PostgresPool {
  const connect = async (): Promise<PostgresPoolClient> => {
    const client = await pool.connect().catch((error: unknown) => {
      throw described(error);
    });
    let unanswered = false;
    const query = async (text: string, values: readonly unknown[]) => {
      try {
        return await client.query(text, [...values]);
      } catch (error) {
        if (!(error instanceof pg.DatabaseError)) unanswered = true;
        throw described(error);
      }
    };
    const release = (destroy = false) => client.release(destroy || unanswered);
    return Object.assign(Object.create(client), { query, release });
  };
  return { options: pool.options, connect, end: () => pool.end() };
}
