/**
 * The queue of keys to look at: pg-boss with policy `short`, one group per preview. Many wishes for one
 * key while none runs are one job; while one runs, one more waits behind it.
 */
import { type Kysely, sql, type Transaction } from "kysely";
import type pg from "pg";
import { fromKysely, type JobInsert, PgBoss } from "pg-boss";
import type { Logger } from "pino";
import type { Origin } from "../tracing/tracing.ts";
import { codeOf } from "./database.ts";
import type { Tables } from "./tables.ts";

const QUEUE = "look";
export const WORK_CHANNEL = "stackling_work";
/** pg-boss hands a job out again when its worker has not touched it for so long (10 is its least). */
const HEARTBEAT_SECONDS = 10;
/** Engine runs end long before; pg-boss allows under 24 h. */
const EXPIRE_SECONDS = 23 * 3600;
/** Ten pushes are one job; a thousand need not all be told of. */
const TRACES_MAX = 32;

export interface Job {
  readonly id: string;
  readonly key: string;
  /** Of the delivery that made it, where one did. */
  readonly deliveryId?: string;
  /** Where the deliveries stand in their traces that asked for it while it waited, the first one first. */
  readonly traces?: readonly string[];
}

/** What is handed on beside its key: never read but for trace and log. */
type JobData = { readonly key: string } & Pick<Job, "deliveryId" | "traces">;

/** Who asked for a look, by the keys; the keys of others may be among them. */
export type Origins = readonly (Origin & { readonly key: string })[];

export interface Queue {
  /** Up to `limit` jobs of keys that nobody works on; empty when there are none or Postgres is away. */
  fetch(limit: number): Promise<readonly Job[]>;
  /** Those of the keys for which a job waits. */
  waiting(keys: readonly string[]): Promise<readonly string[]>;
  /** Says that these are still worked on; to be called every few seconds. */
  touch(jobs: readonly Job[]): Promise<void>;
  /** Ends a job, whatever came of it: what is to be tried again has a due time or a new wish. */
  done(job: Job): Promise<void>;
  /** Calls back when some replica enqueued something, and after a lost connection. */
  onWork(listener: () => void): () => void;
}

export interface BossQueue extends Omit<Queue, "onWork"> {
  /** Adds keys inside the caller's transaction and wakes the workers when it commits. */
  add(transaction: Transaction<Tables>, keys: readonly string[], origins?: Origins): Promise<void>;
  /** Puts back what this holder worked on in an earlier life. */
  reclaim(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** `JobInsert` has `group`, which `insert` ignores; its SQL reads `groupId` (pg-boss 12.20.0, plans.js). */
interface GroupedJob extends JobInsert {
  readonly groupId: string;
}

export function bossQueue(deps: {
  readonly db: Kysely<Tables>;
  readonly pool: pg.Pool;
  readonly holder: string;
  readonly logger: Logger;
}): BossQueue {
  const { db, pool, holder, logger } = deps;
  const boss = new PgBoss({
    db: { executeSql: (text, values) => pool.query(text, values) },
    schema: "pgboss",
    schedule: false,
    superviseIntervalSeconds: 5,
    monitorIntervalSeconds: 5,
  });
  boss.on("error", (error) => logger.warn({ code: codeOf(error) }, "the queue could not do its upkeep"));

  async function add(transaction: Transaction<Tables>, keys: readonly string[], origins: Origins = []): Promise<void> {
    if (keys.length === 0) return;
    const deliveries = new Map(origins.map(({ key, deliveryId }) => [key, deliveryId]));
    // Sorted, so that two transactions never wait for each other's rows crosswise.
    const jobs = [...new Set(keys)]
      .sort()
      .map((key): GroupedJob => ({ data: dataOf(key, deliveries.get(key)), singletonKey: key, groupId: key }));
    await boss.insert(QUEUE, jobs, { db: fromKysely(transaction) });
    await addTraces(transaction, origins);
    await sql`select pg_notify(${WORK_CHANNEL}, '')`.execute(transaction);
  }

  return {
    add,
    async start() {
      await boss.start();
      await boss.createQueue(QUEUE, {
        policy: "short",
        heartbeatSeconds: HEARTBEAT_SECONDS,
        expireInSeconds: EXPIRE_SECONDS,
        retryLimit: 1_000_000,
        retryDelay: 0,
      });
    },
    async stop() {
      await boss.stop({ graceful: false, close: false });
    },
    fetch: (limit) =>
      db.transaction().execute(async (transaction) => {
        const jobs = await boss.fetch<JobData>(QUEUE, {
          batchSize: limit,
          groupConcurrency: 1,
          db: fromKysely(transaction),
        });
        const taken = jobs.map(({ id, data }): Job => ({ id, ...data }));
        if (taken.length > 0) {
          // In the same transaction, so that a killed holder finds its work again at once.
          await transaction
            .insertInto("claim")
            .values(taken.map(({ id, key }) => ({ job_id: id, key, holder })))
            .onConflict((conflict) => conflict.column("job_id").doUpdateSet({ holder }))
            .execute();
        }
        return taken;
      }),
    async waiting(keys) {
      const { rows } = await sql<{ key: string }>`
        select distinct singleton_key as key from pgboss.job
        where name = ${QUEUE} and state < 'active' and singleton_key = any(${keys}::text[])`.execute(db);
      return rows.map((row) => row.key);
    },
    async touch(jobs) {
      const ids = jobs.map((job) => job.id);
      if (ids.length > 0) await boss.touch(QUEUE, ids);
    },
    done: (job) =>
      db.transaction().execute(async (transaction) => {
        const claim = transaction.deleteFrom("claim").where("job_id", "=", job.id).where("holder", "=", holder);
        // Handed to another while this one was frozen, it is the other's to end.
        if ((await claim.executeTakeFirst()).numDeletedRows === 0n) return;
        await boss.deleteJob(QUEUE, job.id, { db: fromKysely(transaction) });
        // A job of the same key may have waited for this one to end.
        await sql`select pg_notify(${WORK_CHANNEL}, '')`.execute(transaction);
      }),
    reclaim: () =>
      db.transaction().execute(async (transaction) => {
        const rows = await transaction.deleteFrom("claim").where("holder", "=", holder).returningAll().execute();
        const ids = rows.map((row) => row.job_id);
        if (ids.length > 0) await boss.deleteJob(QUEUE, ids, { db: fromKysely(transaction) });
        await add(
          transaction,
          rows.map((row) => row.key),
        );
      }),
  };
}

function dataOf(key: string, deliveryId: string | undefined): JobData {
  return { key, ...(deliveryId === undefined ? {} : { deliveryId }) };
}

/**
 * A job that waits already takes the traces of those that it does the work of too. Its row is held from here to the
 * commit, in the order of the keys, so that two transactions never wait for each other's crosswise.
 */
async function addTraces(transaction: Transaction<Tables>, origins: Origins): Promise<void> {
  const traced = origins.flatMap(({ key, traceparent }) => (traceparent === undefined ? [] : [{ key, traceparent }]));
  if (traced.length === 0) return;
  await sql`
    with asked as (
      select key, jsonb_agg(trace) as traces
      from unnest(${traced.map(({ key }) => key)}::text[], ${traced.map((one) => one.traceparent)}::text[]) as one (key, trace)
      group by key
    ), held as (
      select job.id, asked.traces from pgboss.job as job join asked on asked.key = job.singleton_key
      where job.name = ${QUEUE} and job.state < 'active'
      order by job.singleton_key for update of job
    )
    update pgboss.job as job
    set data = job.data || jsonb_build_object('traces', jsonb_path_query_array(
      coalesce(job.data->'traces', '[]') || held.traces, '$[0 to $last]', jsonb_build_object('last', ${TRACES_MAX} - 1)))
    from held where job.name = ${QUEUE} and job.id = held.id`.execute(transaction);
}
