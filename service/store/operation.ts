/** What holds for all previews at once: the kill switch, and what the sweeps found. */
import { type Kysely, sql } from "kysely";
import type { SweepReport } from "../sweep/report.ts";
import { storableJson } from "./json.ts";
import type { Tables } from "./tables.ts";

/** Set by `stop-all`: nothing is brought up and everything is asleep until `resume-all`. */
export interface Pause {
  /** ISO 8601 */
  readonly at: string;
  /** Who asked: `api`, `page`, … */
  readonly by: string;
}

export interface OperationStore {
  /** Undefined while nothing is stopped; the same for every replica. */
  pause(): Promise<Pause | undefined>;
  /** The first one stays until it is taken back with `undefined`. */
  setPause(pause: Pause | undefined): Promise<void>;
  /** The newest report; undefined before the first sweep. */
  lastSweep(): Promise<SweepReport | undefined>;
  addSweep(report: SweepReport): Promise<void>;
}

const PAUSE = "pause";
const SWEEPS_KEPT = 100;

export function operationStore({ db }: { readonly db: Kysely<Tables> }): OperationStore {
  return {
    async pause() {
      const row = await db.selectFrom("setting").select("body").where("name", "=", PAUSE).executeTakeFirst();
      return row?.body;
    },
    async setPause(pause) {
      if (!pause) {
        await db.deleteFrom("setting").where("name", "=", PAUSE).execute();
        return;
      }
      await db
        .insertInto("setting")
        .values({ name: PAUSE, body: storableJson(pause) })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
    },
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
