/** What holds of budgets, and who lifted which, in the store: every replica sees the same. */
import { type ColumnType, type Kysely, sql } from "kysely";
import { storableJson } from "../../store/json.ts";
import type { Tables } from "../../store/tables.ts";
import type { Level, Lift } from "./budget.ts";

/** One row for each budget and subject that was reached or lifted; an empty subject's lift is for all of them. */
export const BUDGETS: readonly string[] = [
  `create table budget (
     name text not null, subject text not null, standing jsonb, lift jsonb, primary key (name, subject))`,
];

/** What was found, and what of it was carried out. */
export interface KeptStanding {
  /** By what was used. */
  readonly level: Level;
  /** In spite of lifts, when it was looked last; what was done belongs to it. */
  readonly held: Level;
  /** False until what belongs to it was done: killed before, it is done again. */
  readonly done: boolean;
  /** `2026-11`: it says nothing of another one; absent of a preview's. */
  readonly month?: string;
  /** ISO 8601 of the last change. */
  readonly since: string;
}

export interface BudgetTable {
  name: string;
  subject: string;
  standing: Json<KeptStanding>;
  lift: Json<Lift>;
}

type Json<Value> = ColumnType<Value | null, string | null, string | null>;

export interface BudgetRow {
  readonly name: string;
  readonly subject: string;
  readonly standing?: KeptStanding;
  readonly lift?: Lift;
}

export interface BudgetStore {
  /** All, or those of these subjects. */
  budgetRows(subjects?: readonly string[]): Promise<readonly BudgetRow[]>;
  putBudgetStanding(name: string, subject: string, standing: KeptStanding | undefined): Promise<void>;
  putBudgetLift(name: string, subject: string, lift: Lift): Promise<void>;
  /** Of one subject, or of all of that name. */
  removeBudgetLifts(name: string, subject?: string): Promise<void>;
  /** Those that are over by then, as they stand at that moment. */
  endBudgetLifts(now: string): Promise<void>;
}

type Written = { readonly standing: string | null } | { readonly lift: string | null };

export function budgetStore({ db }: { readonly db: Kysely<Tables> }): BudgetStore {
  const tidy = () => db.deleteFrom("budget").where("standing", "is", null).where("lift", "is", null).execute();
  const put = async (name: string, subject: string, values: Written) => {
    await db
      .insertInto("budget")
      .values({ name, subject, standing: null, lift: null, ...values })
      .onConflict((conflict) => conflict.columns(["name", "subject"]).doUpdateSet(values))
      .execute();
    await tidy();
  };
  return {
    async budgetRows(subjects) {
      let query = db.selectFrom("budget").selectAll().orderBy("name").orderBy("subject");
      if (subjects) query = query.where("subject", "in", [...subjects]);
      const rows = await query.execute();
      return rows.map(({ name, subject, standing, lift }) => ({
        ...{ name, subject },
        ...(standing ? { standing } : {}),
        ...(lift ? { lift } : {}),
      }));
    },
    putBudgetStanding: (name, subject, standing) =>
      put(name, subject, { standing: standing ? storableJson(standing) : null }),
    putBudgetLift: (name, subject, lift) => put(name, subject, { lift: storableJson(lift) }),
    async removeBudgetLifts(name, subject) {
      let query = db.updateTable("budget").set({ lift: null }).where("name", "=", name);
      if (subject !== undefined) query = query.where("subject", "=", subject);
      await query.execute();
      await tidy();
    },
    async endBudgetLifts(now) {
      await db.updateTable("budget").set({ lift: null }).where(sql<string>`lift->>'until'`, "<=", now).execute();
      await tidy();
    },
  };
}
