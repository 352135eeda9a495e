/** What is only ever added: deliveries, history, receipts, counters, registered repositories. */
import { type Kysely, sql } from "kysely";
import { pruneDeployments } from "../deployments/store.ts";
import { prunePullRequests } from "../kpis/store.ts";
import type { Receipt } from "../status.ts";
import { storable, storableJson } from "./json.ts";
import { requireLease } from "./lease.ts";
import type { BossQueue } from "./queue.ts";
import type { HistoryEntry, Store } from "./store.ts";
import type { Tables } from "./tables.ts";

/** GitHub lets three days of deliveries be asked for again; an id must be known for longer than that. */
const DELIVERIES_KEPT_DAYS = 4;
const HISTORY_KEPT_DAYS = 90;
const ENGINES_KEPT_DAYS = 4;
const ID = /^[1-9][0-9]{0,17}$/;

type RecordStore = Pick<
  Store,
  | "receive"
  | "enqueue"
  | "enqueueDue"
  | "record"
  | "history"
  | "addReceipt"
  | "receipts"
  | "count"
  | "counters"
  | "repositories"
  | "registerRepository"
  | "forgetRepository"
>;

export interface RecordStoreDeps {
  readonly db: Kysely<Tables>;
  readonly queue: BossQueue;
  /** Told of each receipt behind its commit. Never throws. */
  readonly proved: (receipt: Receipt) => void;
}

export function recordStore({ db, queue, proved }: RecordStoreDeps): RecordStore {
  return {
    receive: (deliveries) =>
      db.transaction().execute(async (transaction) => {
        // Sorted, so that two replicas never wait for each other's rows crosswise.
        const sorted = [...deliveries].sort((a, b) => (a.deliveryId < b.deliveryId ? -1 : 1));
        const column = (name: "forge" | "deliveryId" | "event" | "key") => sorted.map((row) => row[name] ?? null);
        const { rows } = await sql<{ key: string | null; delivery_id: string }>`
          insert into delivery (forge, delivery_id, event, key)
          select * from unnest(${column("forge")}::text[], ${column("deliveryId")}::text[],
                               ${column("event")}::text[], ${column("key")}::text[])
          on conflict do nothing returning key, delivery_id`.execute(transaction);
        const taken = rows.flatMap(({ key, delivery_id: deliveryId }) => (key === null ? [] : [{ key, deliveryId }]));
        const traces = new Map(sorted.map(({ deliveryId, traceparent }) => [deliveryId, traceparent]));
        await queue.add(
          transaction,
          taken.map(({ key }) => key),
          taken.map((one) => ({ ...one, traceparent: traces.get(one.deliveryId) })),
        );
      }),
    enqueue: (keys) => db.transaction().execute((transaction) => queue.add(transaction, keys)),
    enqueueDue: (now) =>
      db.transaction().execute(async (transaction) => {
        const rows = await transaction
          .updateTable("preview")
          .set({ due_at: null })
          .where("due_at", "<=", new Date(now))
          .returning("key")
          .execute();
        await queue.add(
          transaction,
          rows.map(({ key }) => key),
        );
      }),

    record: (entry) => addHistory(db, [entry]),
    async history(key, limit, before) {
      const all = db.selectFrom("history").selectAll().where("key", "=", key);
      const older = before !== undefined && ID.test(before) ? all.where("id", "<", before) : all;
      const rows = await older.orderBy("id", "desc").limit(limit).execute();
      return rows.map((row) => ({
        id: row.id,
        key: row.key,
        at: row.at.toISOString(),
        reason: row.reason,
        message: row.message,
        ...(row.head_sha === null ? {} : { headSha: row.head_sha }),
      }));
    },
    async addReceipt(receipt, held) {
      await db.transaction().execute(async (transaction) => {
        if (held) await requireLease(transaction, held);
        const { key, at } = receipt;
        await transaction
          .insertInto("receipt")
          .values({ key, at, body: storableJson(receipt) })
          .execute();
      });
      proved(receipt);
    },
    async receipts(key) {
      const rows = await db
        .selectFrom("receipt")
        .select("body")
        .where("key", "=", key)
        .orderBy("id", "desc")
        .limit(100)
        .execute();
      return rows.map((row) => row.body);
    },
    async count(name, by = 1) {
      await sql`insert into counter as held (name, value) values (${name}, ${by})
                on conflict (name) do update set value = held.value + excluded.value`.execute(db);
    },
    async counters() {
      const rows = await db.selectFrom("counter").selectAll().orderBy("name").execute();
      return Object.fromEntries(rows.map((row) => [row.name, Number(row.value)]));
    },

    async repositories() {
      const rows = await db.selectFrom("repository").select("body").orderBy("name").execute();
      return rows.map((row) => row.body);
    },
    async registerRepository(repository) {
      const body = storableJson(repository);
      await db
        .insertInto("repository")
        .values({ name: repository.name, path: repository.path, body })
        .onConflict((conflict) => conflict.column("name").doUpdateSet({ path: repository.path, body }))
        .execute();
    },
    async forgetRepository(name) {
      await db.deleteFrom("repository").where("name", "=", name).execute();
    },
  };
}

/** Adds entries of the history, also within a transaction. */
export async function addHistory(db: Kysely<Tables>, entries: readonly HistoryEntry[]): Promise<void> {
  if (entries.length === 0) return;
  const rows = entries.map(({ key, at, reason, message, headSha }) => ({
    key,
    at,
    reason,
    message: storable(message),
    head_sha: headSha ?? null,
  }));
  await db.insertInto("history").values(rows).execute();
}

/** Forgets deliveries no forge can send again, old history, and leases and engines of stacks that are long gone. */
export async function prune(db: Kysely<Tables>): Promise<void> {
  await sql`delete from delivery where at < now() - make_interval(days => ${DELIVERIES_KEPT_DAYS})`.execute(db);
  await sql`delete from history where at < now() - make_interval(days => ${HISTORY_KEPT_DAYS})`.execute(db);
  const isGone = sql`exists (select from preview where preview.stack = held.stack
    and gone_at < now() - make_interval(days => ${ENGINES_KEPT_DAYS}))`;
  await sql`delete from engine_run as held where ${isGone}`.execute(db);
  await pruneDeployments(db);
  await prunePullRequests(db);
  // A later lease of the same stack still gets a higher fence: it is at least the server's clock.
  await sql`delete from lease as held where expires_at < now() and ${isGone}`.execute(db);
}
