/** Leases with fences: one engine per stack. By the database server's clock only, for those of replicas differ. */
import { type Kysely, sql, type Transaction } from "kysely";
import type { Logger } from "pino";
import { ConflictError } from "../../components/errors.ts";
import type { EngineProcess, Lease } from "../../infra/stacks.ts";
import { codeOf } from "./database.ts";
import type { Store } from "./store.ts";
import type { Tables } from "./tables.ts";

const LEASE_SECONDS = 20;
const RENEW_EVERY_MS = 3_000;
/** The watchdog ends the run when it hears of no renewal for so long; the holder gives up at the same time. */
const LOST_AFTER_MS = 10_000;
const ENGINES_KEPT = 20;

export interface LeaseDeps {
  readonly db: Kysely<Tables>;
  /** Name of this instance, the same in its next life. */
  readonly holder: string;
  readonly logger: Logger;
}

export type HeldLease = Lease & { release(): Promise<void> };

/** What names a lease in a write that is only for its holder. */
export type WriteLease = Pick<Lease, "stack" | "fence">;

/**
 * Takes the lease of a stack and renews it every 3 s until released or lost. Undefined while another
 * holder's is not past. The fence rises with every holder and, being at least the server's clock in
 * milliseconds, also over the loss of the store.
 */
export async function acquireLease(deps: LeaseDeps, stack: string): Promise<HeldLease | undefined> {
  const { rows } = await sql<{ fence: string }>`
    insert into lease as held (stack, holder, fence, expires_at)
    values (${stack}, ${deps.holder}, ${serverMs}, ${expiry})
    on conflict (stack) do update
      set holder = excluded.holder, fence = greatest(held.fence + 1, excluded.fence), expires_at = excluded.expires_at
      where held.expires_at < clock_timestamp()
    returning fence`.execute(deps.db);
  return rows[0] ? hold(deps, stack, Number(rows[0].fence)) : undefined;
}

/** Ends what this holder's earlier life held, so that its own restart need not wait 20 s for itself. */
export async function releaseLeasesOf({ db, holder }: LeaseDeps): Promise<void> {
  await sql`update lease set expires_at = '-infinity' where holder = ${holder}`.execute(db);
}

/**
 * Throws `ConflictError` (`FenceLost`) when a later holder took the lease, which waits for the end of this
 * transaction if it comes now: who was frozen and goes on writes nothing over its successor.
 */
export async function requireLease(transaction: Transaction<Tables>, { stack, fence }: WriteLease): Promise<void> {
  const { rows } = await sql`select 1 from lease where stack = ${stack} and fence = ${fence} for share`.execute(
    transaction,
  );
  if (rows.length > 0) return;
  throw new Overtaken({
    reason: "FenceLost",
    userMessage: `writing down what became of stack "${stack}": run ${fence} was overtaken`,
  });
}

/** True when nothing was written because another holder came: what it writes is newer. */
export function isOvertaken(error: unknown): boolean {
  return error instanceof Overtaken;
}

class Overtaken extends ConflictError {}

/** The same store, whose writes about a preview count only under this lease. */
export function writesUnder<S extends HeldWrites>(store: S, lease: WriteLease): S {
  return {
    ...store,
    setStatus: (key, status) => store.setStatus(key, status, lease),
    update: (key, change) => store.update(key, change, lease),
    addReceipt: (receipt) => store.addReceipt(receipt, lease),
  };
}

type HeldWrites = Pick<Store, "setStatus" | "update" | "addReceipt">;

const serverMs = sql`(extract(epoch from clock_timestamp()) * 1000)::bigint`;
const expiry = sql`clock_timestamp() + make_interval(secs => ${LEASE_SECONDS})`;

function hold(deps: LeaseDeps, stack: string, fence: number): HeldLease {
  const { db, holder, logger } = deps;
  const lost = new AbortController();
  const listeners = new Set<() => void>();
  let renewedAt = performance.now();
  let renewing = false;
  const timer = setInterval(() => void renew(), RENEW_EVERY_MS);

  async function renew(): Promise<void> {
    if (performance.now() - renewedAt > LOST_AFTER_MS) return lose("it could not be renewed in time");
    if (renewing) return;
    renewing = true;
    const askedAt = performance.now();
    try {
      const { numAffectedRows = 0n } = await sql`
        update lease set expires_at = ${expiry}
        where stack = ${stack} and holder = ${holder} and fence = ${fence} and expires_at > clock_timestamp()`.execute(
        db,
      );
      if (numAffectedRows === 0n) return lose("another holder took it");
      renewedAt = askedAt;
      for (const listener of listeners) listener();
    } catch (error) {
      logger.warn({ stack, code: codeOf(error) }, "renewing a lease failed");
    } finally {
      renewing = false;
    }
  }

  function lose(why: string): void {
    clearInterval(timer);
    if (lost.signal.aborted) return;
    logger.warn({ stack, fence }, `lost the lease: ${why}`);
    lost.abort(new Error(`lost the lease of "${stack}": ${why}`));
  }

  return {
    stack,
    fence,
    lost: lost.signal,
    onRenewed(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    recordEngine: (engine) => recordEngine(db, stack, engine),
    priorEngines: () => priorEngines(db, stack),
    async release() {
      clearInterval(timer);
      listeners.clear();
      await free().catch((error: unknown) => {
        freeLater();
        throw error;
      });
    },
  };

  async function free(): Promise<void> {
    await sql`update lease set expires_at = '-infinity'
              where stack = ${stack} and holder = ${holder} and fence = ${fence}`.execute(db);
  }

  /** A store that was away for a second must not keep the stack for 20. */
  function freeLater(): void {
    let tries = LEASE_SECONDS;
    const again = setInterval(() => {
      if (--tries === 0) clearInterval(again);
      free().then(
        () => clearInterval(again),
        () => {},
      );
    }, 1_000);
    again.unref();
  }
}

async function recordEngine(db: Kysely<Tables>, stack: string, engine: EngineProcess): Promise<void> {
  // One statement and so one commit, because the engine waits for it; the new row is not among those seen here.
  await sql`
    with recorded as (
      insert into engine_run (stack, host, pid, start_time)
      values (${stack}, ${engine.host}, ${engine.pid}, ${engine.startTime}))
    delete from engine_run where stack = ${stack} and id not in
      (select id from engine_run where stack = ${stack} order by id desc limit ${ENGINES_KEPT - 1})`.execute(db);
}

async function priorEngines(db: Kysely<Tables>, stack: string): Promise<readonly EngineProcess[]> {
  const rows = await db
    .selectFrom("engine_run")
    .select(["host", "pid", "start_time"])
    .where("stack", "=", stack)
    .orderBy("id", "desc")
    .execute();
  return rows.map((row) => ({ host: row.host, pid: row.pid, startTime: row.start_time }));
}
