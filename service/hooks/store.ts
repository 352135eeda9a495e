/** What is told elsewhere, in the store: written down before it is sent, so that no restart loses it. */
import { randomUUID } from "node:crypto";
import { type Kysely, sql } from "kysely";
import { type ReadyEvent, readyMark } from "../ready-event.ts";
import { storableJson } from "../store/json.ts";
import type { Tables } from "../store/tables.ts";
import type { Told } from "./tables.ts";

/** Nobody else sends what one replica took, for so long; then it died with it. */
const TAKEN_SECONDS = 60;
const KEPT_DAYS = { delivered: 3, failed: 30 };

export interface HookDelivery {
  /** The same at every attempt: receivers tell by it what they had already. */
  readonly id: string;
  readonly body: ReadyEvent;
  /** Attempts before this one. */
  readonly attempts: number;
}

export interface HookTrouble {
  readonly hook: string;
  /** Given up, and still being tried. */
  readonly failed: number;
  readonly waiting: number;
  /** What came of the last attempt. */
  readonly answer: string;
}

export interface HookStore {
  told(place: string, key: string): Promise<Told | undefined>;
  tell(place: string, key: string, body: Told): Promise<void>;
  /** Puts the event into each hook's outbox that was not told the same last; resolves with how many that were. */
  putHookEvents(hooks: readonly string[], event: ReadyEvent): Promise<number>;
  /** Deliveries of a hook whose time has come, each for one caller only. */
  takeHookDeliveries(hook: string, limit: number): Promise<readonly HookDelivery[]>;
  /** Delivered, or given up for ever: it is not sent again. */
  endHookDelivery(id: string, how: { readonly delivered: boolean; readonly answer: string }): Promise<void>;
  retryHookDelivery(id: string, how: { readonly afterMs: number; readonly answer: string }): Promise<void>;
  /** Hooks that gave something up in the last days and had nothing taken since, or that fail now. */
  hookTroubles(): Promise<readonly HookTrouble[]>;
  /** Gives up what is for none of these hooks, and forgets what is long over. */
  trimHookDeliveries(hooks: readonly string[]): Promise<void>;
}

export function hookStore({ db }: { readonly db: Kysely<Tables> }): HookStore {
  return {
    async told(place, key) {
      const row = await db
        .selectFrom("told")
        .select("body")
        .where("place", "=", place)
        .where("key", "=", key)
        .executeTakeFirst();
      return row?.body;
    },
    async tell(place, key, body) {
      const said = { body: storableJson(body), at: new Date() };
      await db
        .insertInto("told")
        .values({ place, key, body: said.body })
        .onConflict((conflict) => conflict.columns(["place", "key"]).doUpdateSet(said))
        .execute();
    },
    putHookEvents: (hooks, event) =>
      db.transaction().execute(async (transaction) => {
        const mark = JSON.stringify({ mark: readyMark(event) });
        let put = 0;
        // In one order everywhere, so that two transactions never wait for each other crosswise.
        for (const hook of hooks.toSorted()) {
          const { rows } = await sql`
            insert into told (place, key, body) values (${placeOf(hook)}, ${event.key}, ${mark}::jsonb)
            on conflict (place, key) do update set body = excluded.body, at = now()
              where told.body->>'mark' is distinct from excluded.body->>'mark'
            returning 1`.execute(transaction);
          if (rows.length === 0) continue;
          const body = storableJson(event);
          const row = { id: randomUUID(), hook, key: event.key, event: event.event, body, due_at: sql<Date>`now()` };
          await transaction.insertInto("hook_delivery").values(row).execute();
          put++;
        }
        return put;
      }),
    async takeHookDeliveries(hook, limit) {
      const { rows } = await sql<{ id: string; body: ReadyEvent; attempts: number }>`
        update hook_delivery set due_at = now() + make_interval(secs => ${TAKEN_SECONDS}), attempts = attempts + 1
        where id in (
          select id from hook_delivery where hook = ${hook} and due_at <= now()
          order by due_at limit ${limit} for update skip locked)
        returning id, body, attempts - 1 as attempts`.execute(db);
      return rows;
    },
    async endHookDelivery(id, { delivered, answer }) {
      const over = delivered ? { delivered_at: sql<Date>`now()` } : { failed_at: sql<Date>`now()` };
      await db
        .updateTable("hook_delivery")
        .set({ due_at: null, answer, ...over })
        .where("id", "=", id)
        .execute();
    },
    async retryHookDelivery(id, { afterMs, answer }) {
      const due_at = sql<Date>`now() + make_interval(secs => ${afterMs / 1000})`;
      await db.updateTable("hook_delivery").set({ due_at, answer }).where("id", "=", id).execute();
    },
    async hookTroubles() {
      const { rows } = await sql<{ hook: string; failed: number; waiting: number; answer: string | null }>`
        select hook, count(failed_at)::int as failed, (count(*) - count(failed_at))::int as waiting,
          (array_agg(answer order by at desc))[1] as answer
        from hook_delivery as one
        where (failed_at > now() - make_interval(days => ${KEPT_DAYS.delivered}) and not exists (
            select 1 from hook_delivery as later where later.hook = one.hook and later.delivered_at > one.failed_at))
          or (due_at is not null and attempts > 1 and answer is not null)
        group by hook order by hook`.execute(db);
      return rows.map(({ answer, ...row }) => ({ ...row, answer: answer ?? "" }));
    },
    async trimHookDeliveries(hooks) {
      const { delivered, failed } = KEPT_DAYS;
      await sql`
        update hook_delivery set due_at = null, failed_at = now(), answer = 'it is not in the configuration any more'
        where due_at is not null and not (hook = any(${[...hooks]}::text[]))`.execute(db);
      await sql`
        delete from hook_delivery where delivered_at < now() - make_interval(days => ${delivered})
          or failed_at < now() - make_interval(days => ${failed})`.execute(db);
      await sql`
        delete from told where at < now() - make_interval(days => ${failed})
          and not exists (select 1 from preview where preview.key = told.key)`.execute(db);
    },
  };
}

function placeOf(hook: string): string {
  return `hook ${hook}`;
}
