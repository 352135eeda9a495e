/** Previews on this machine lie in one data folder: another one over the same store would build all of them once more. */
import { stat } from "node:fs/promises";
import { hostname } from "node:os";
import { type Kysely, sql } from "kysely";
import { TerminalError } from "../../components/errors.ts";
import { every } from "../every.ts";
import { codeOf } from "./database.ts";
import type { LeaseDeps } from "./lease.ts";
import type { Tables } from "./tables.ts";

export interface DataFolder {
  /** Equal for the same folder on the same machine only; without spaces. */
  readonly id: string;
  readonly host: string;
  /** Absolute. */
  readonly path: string;
}

/** Of no stack: those begin with a letter. */
const MARK = "@folder";
const SECONDS = 20;
const RENEW_EVERY_MS = 3_000;
/** Any fixed number: of several that start at once, each sees those before it. */
const TURN = 7_302_512;

/** @param machine what no other machine has; the same for all that run on it */
export async function identifyFolder(path: string, machine: string): Promise<DataFolder> {
  const { dev, ino } = await stat(path);
  return { id: `${machine}:${dev}:${ino}`, host: hostname(), path };
}

/**
 * Says in the store, by a lease that is renewed until the returned function is called, where this instance's
 * previews lie; several may share a folder. Throws `TerminalError` (`SecondDataFolder`) while another folder's is
 * not past: that instance runs, or was killed less than 20 s ago.
 */
export async function claimFolder({ db, holder, logger }: LeaseDeps, folder: DataFolder): Promise<() => Promise<void>> {
  const { id, host, path } = folder;
  const name = [MARK, id, host, path].join(" ");
  await db.transaction().execute(async (transaction) => {
    await sql`select pg_advisory_xact_lock(${TURN})`.execute(transaction);
    await sql`delete from lease where starts_with(stack, ${`${MARK} `}) and expires_at < clock_timestamp()`.execute(
      transaction,
    );
    const { rows } = await sql<{ name: string }>`
      select stack as name from lease
      where starts_with(stack, ${`${MARK} `}) and not starts_with(stack, ${`${MARK} ${id} `})`.execute(transaction);
    if (rows[0]) throw refused(folder, rows[0].name);
    await renew(transaction);
  });
  const timer = every(RENEW_EVERY_MS, () =>
    renew(db).catch((error) => logger.warn({ code: codeOf(error) }, "renewing the data folder's lease failed")),
  );
  return async () => {
    await timer.close();
    await sql`delete from lease where stack = ${name}`.execute(db);
  };

  async function renew(on: Kysely<Tables>): Promise<void> {
    await sql`
      insert into lease (stack, holder, fence, expires_at)
      values (${name}, ${holder}, 0, clock_timestamp() + make_interval(secs => ${SECONDS}))
      on conflict (stack) do update set holder = excluded.holder, expires_at = excluded.expires_at`.execute(on);
  }
}

function refused({ host, path }: DataFolder, other: string): TerminalError {
  const [, otherHost, otherPath] = /^\S+ \S+ (\S*) (.*)$/s.exec(other) ?? [];
  return new TerminalError({
    reason: "SecondDataFolder",
    userMessage: `starting with data folder "${path}" on "${host}": a Stackling with data folder "${otherPath}" on "${otherHost}" is at work over the same store, and previews of the local target lie in one folder; stop that one (if it was killed, its claim is past after ${SECONDS} s), or give this one a store of its own`,
  });
}
