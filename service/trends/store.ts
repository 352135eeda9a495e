/** Samples in the store, one an hour over all replicas, for a year and a little. */
import { type Kysely, sql } from "kysely";
import { storableJson } from "../store/json.ts";
import type { Tables } from "../store/tables.ts";
import type { Ended, Sample } from "./sample.ts";

/** Table of the samples; its key is the hour, so that two replicas never both count it. */
export const TRENDS: readonly string[] = [
  "create table trend (hour timestamptz primary key, body jsonb not null)",
  "create index if not exists receipt_at on receipt (at)",
  "create index if not exists history_at on history (at)",
];

export interface TrendStore {
  /** The first of its hour stays. */
  addSample(sample: Sample): Promise<void>;
  /** Oldest first. */
  samples(since: string): Promise<readonly Sample[]>;
  /** `begun`: ISO 8601 from where the history is read. */
  ended(since: string, begun: string): Promise<Ended>;
}

const KEPT_DAYS = 400;
/** A flood of changes must not fill the memory: what is beyond is not counted. */
const MOVES_MAX = 100_000;

export function trendStore({ db }: { readonly db: Kysely<Tables> }): TrendStore {
  return {
    addSample: (sample) =>
      db.transaction().execute(async (transaction) => {
        await sql`insert into trend (hour, body) values (date_trunc('hour', ${sample.at}::timestamptz), ${storableJson(sample)})
          on conflict do nothing`.execute(transaction);
        await sql`delete from trend where hour < ${sample.at}::timestamptz - make_interval(days => ${KEPT_DAYS})`.execute(
          transaction,
        );
      }),
    async samples(since) {
      const rows = await db
        .selectFrom("trend")
        .select("body")
        .where("hour", ">=", new Date(Date.parse(since) - 3_600_000))
        .orderBy("hour")
        .execute();
      return rows.map(({ body }) => body).filter(({ at }) => at > since);
    },
    async ended(since, begun) {
      const moves = await db
        .selectFrom("history")
        .select(["key", "at", "reason"])
        .where("at", ">", new Date(begun))
        .orderBy("id")
        .limit(MOVES_MAX)
        .execute();
      const tornDown = await db
        .selectFrom("receipt")
        .select("key")
        .where("at", ">", new Date(since))
        .limit(MOVES_MAX)
        .execute();
      return { moves: moves.map((move) => ({ ...move, at: move.at.toISOString() })), tornDown };
    },
  };
}
