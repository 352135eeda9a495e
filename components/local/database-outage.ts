/** Tells a command that failed by its own fault from one whose database server was away: no push mends that. */
import { StacklingError, TerminalError } from "../errors.ts";
import { withClient } from "./database-client.ts";

/** What ran with which database, and for how long. */
export interface Ran {
  /** Secret. */
  readonly environment: Readonly<Record<string, string>>;
  readonly elapsedMs: number;
}

/** The failure itself; where its database was away meanwhile, one that is tried again (`DatabaseFailed`). */
export async function withoutOutage(failure: unknown, { environment, elapsedMs }: Ran): Promise<unknown> {
  const { DATABASE_URL: url = "" } = environment;
  if (!(failure instanceof TerminalError) || !/^postgres(ql)?:/.test(url)) return failure;
  if (!(await wasDatabaseAway(url, elapsedMs))) return failure;
  const { userMessage, excerpt } = failure;
  return new StacklingError({
    reason: "DatabaseFailed",
    userMessage: `${userMessage}; the database server was away meanwhile`,
    excerpt,
    cause: failure,
  });
}

/**
 * True when a command of the last `elapsedMs` may have failed because its PostgreSQL server was away: it does
 * not answer now, or began anew meanwhile, as it also does when one of its processes crashes: its statistics are
 * reset then (PostgreSQL documentation, "The Cumulative Statistics System"). Goes by its own clock. `url` is secret.
 */
export async function wasDatabaseAway(url: string, elapsedMs: number): Promise<boolean> {
  try {
    return await withClient(url, async (client) => {
      const { rows } = await client.query<{ ms: string }>(
        `SELECT extract(epoch FROM clock_timestamp() - greatest(pg_postmaster_start_time(), stats_reset)) * 1000 AS ms
         FROM pg_stat_bgwriter`,
      );
      return Number(rows[0]?.ms) < elapsedMs;
    });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    // A server that refuses is there, but for one that is starting, ending or full; so is a wrong name no outage.
    const refuses = /^[0-9]/.test(code) && !/^(57P0|08|53)/.test(code);
    return !refuses && code !== "ENOTFOUND";
  }
}
