/** What holds for all previews at once: the kill switch, and what the sweeps found. */
import { type Kysely, sql } from "kysely";
import { stopper } from "../money/budgets/words.ts";
import type { PauseSpan } from "../pauses.ts";
import type { SweepReport } from "../sweep/report.ts";
import { storableJson } from "./json.ts";
import type { Tables } from "./tables.ts";

/** Set by `stop-all`: nothing is brought up and everything is asleep until `resume-all`. */
export interface Pause {
  /** ISO 8601 */
  readonly at: string;
  /** Who asked: `api`, `page`, … */
  readonly by: string;
  /** ISO 8601; only of one that is over. */
  readonly to?: string;
}

export interface OperationStore {
  /** Undefined while nothing is stopped; the same for every replica. */
  pause(): Promise<Pause | undefined>;
  /** When everything was stopped, oldest first, with the one that lasts: the newest hundred. */
  pauses(): Promise<readonly PauseSpan[]>;
  /** The first one stays until it is taken back with `undefined`; a budget's becomes that of the person who asks for one too. */
  setPause(pause: Pause | undefined): Promise<void>;
  /** Takes back the one that is `by`'s, of that time where it is said; any other stays. */
  endPause(by: string, at?: string): Promise<void>;
  /** The newest report; undefined before the first sweep. */
  lastSweep(): Promise<SweepReport | undefined>;
  addSweep(report: SweepReport): Promise<void>;
}

const PAUSE = "pause";
/** Behind it stands when it began. */
const PAST = "pause ";
const PAST_KEPT = 100;
const SWEEPS_KEPT = 100;

export function operationStore({
  db,
  now,
}: {
  readonly db: Kysely<Tables>;
  readonly now: () => string;
}): OperationStore {
  return {
    async pause() {
      const row = await db.selectFrom("setting").select("body").where("name", "=", PAUSE).executeTakeFirst();
      return row?.body;
    },
    async pauses() {
      const rows = await db
        .selectFrom("setting")
        .select("body")
        .where((of) => of.or([of("name", "=", PAUSE), of("name", "like", `${PAST}%`)]))
        .execute();
      const spans = rows.map(({ body: { at, to } }): PauseSpan => ({ from: at, ...(to === undefined ? {} : { to }) }));
      return spans.sort((one, other) => (one.from < other.from ? -1 : 1));
    },
    async setPause(pause) {
      if (!pause) return endPause(db, now());
      await db
        .insertInto("setting")
        .values({ name: PAUSE, body: storableJson(pause) })
        .onConflict((conflict) =>
          conflict
            .column("name")
            .doUpdateSet({ body: sql`setting.body || jsonb_build_object('by', excluded.body->>'by')` })
            .where(sql`setting.body->>'by'`, "like", `${stopper("")}%`),
        )
        .execute();
    },
    endPause: (by, at) => endPause(db, now(), at === undefined ? { by } : { by, at }),
    async lastSweep() {
      const row = await db.selectFrom("sweep").select("body").orderBy("id", "desc").limit(1).executeTakeFirst();
      return row?.body;
    },
    addSweep: (report) =>
      db.transaction().execute(async (transaction) => {
        await transaction
          .insertInto("sweep")
          .values({ at: report.at, body: storableJson(report) })
          .execute();
        await sql`delete from sweep where id <= (select max(id) from sweep) - ${SWEEPS_KEPT}`.execute(transaction);
      }),
  };
}

/** In one statement, so that the time it took is known whenever the switch is back; again, it does nothing. */
async function endPause(db: Kysely<Tables>, to: string, only: Partial<Pause> = {}): Promise<void> {
  await sql`
    with ended as (
      delete from setting where name = ${PAUSE} and body @> ${storableJson(only)}::jsonb returning body)
    insert into setting (name, body)
    select ${PAST} || (body->>'at'), body || jsonb_build_object('to', ${to}::text) from ended
    on conflict (name) do update set body = excluded.body`.execute(db);
  await sql`
    delete from setting where name like ${`${PAST}%`} and name not in (
      select name from setting where name like ${`${PAST}%`} order by name desc limit ${PAST_KEPT})`.execute(db);
}
