/** The ledger: what each preview took, by day, source, meter and resource, in the store. */
import { type ColumnType, type JSONColumnType, type Kysely, sql, type Transaction } from "kysely";
import { parseKey } from "../../infra/names.ts";
import { storable, storableJson } from "../store/json.ts";
import type { Tables } from "../store/tables.ts";
import { firstOfMonth } from "./month.ts";
import type { Charged, Reading } from "./reckon.ts";
import type { CostAbout, CostLine, CostSource, Meter, Unit } from "./types.ts";

/** Tables of costs. Days are text, so that no clock and no time zone moves them. */
export const COSTS: readonly string[] = [
  `create table cost (
     key text not null, day text not null, source text not null, meter text not null,
     resource text not null default '', unit text not null, currency text not null,
     quantity double precision not null, cost double precision not null,
     primary key (key, day, source, meter, resource, currency))`,
  `create index cost_day on cost (day)`,
  `create table cost_about (
     key text primary key, repository text not null, number integer, title text, author text, team text,
     cost_center text, owner text, target text not null)`,
  `create table cost_reading (key text primary key, at timestamptz not null, body jsonb not null)`,
];

export interface CostTable {
  key: string;
  day: string;
  source: CostSource;
  meter: Meter;
  resource: string;
  unit: Unit;
  currency: string;
  quantity: number;
  cost: number;
}

export interface CostAboutTable {
  key: string;
  repository: string;
  number: number | null;
  title: string | null;
  author: string | null;
  team: string | null;
  cost_center: string | null;
  owner: string | null;
  target: string;
}

export interface CostReadingTable {
  key: string;
  at: ColumnType<Date, string, string>;
  body: JSONColumnType<Reading>;
}

/** All resources of a meter on one day, by unit. */
export type DayCost = Omit<CostLine, "resource">;

export interface CostQuery {
  /** First and last day, `2026-11-01`. */
  readonly from: string;
  readonly to: string;
  readonly key?: string;
  /** Names; undefined: all. */
  readonly repositories?: readonly string[];
}

export interface LedgerStore {
  readings(): Promise<ReadonlyMap<string, Reading>>;
  /**
   * Adds lines and keeps the reading they come of, in one transaction. False, and nothing is written, where the last
   * reading is not `before` any more: another replica was quicker.
   */
  addCosts(entry: {
    readonly about: CostAbout;
    readonly lines: readonly Charged[];
    readonly reading: Reading;
    readonly before: Reading | undefined;
  }): Promise<boolean>;
  /** A vendor's word for these days in place of what it said of them before. */
  replaceCosts(replaced: {
    readonly source: Exclude<CostSource, "metered">;
    readonly days: readonly string[];
    readonly lines: readonly CostLine[];
  }): Promise<void>;
  costs(query: CostQuery): Promise<readonly DayCost[]>;
  costsAbout(keys: readonly string[]): Promise<ReadonlyMap<string, CostAbout>>;
  /** Forgets what is older than 13 months; ISO 8601 `now`. */
  trimCosts(now: string): Promise<void>;
}

const KEPT_MONTHS = 13;
/** Longer than a driver knows what one that is gone took. */
const READING_KEPT_DAYS = 60;
const ROWS = 500;

export function ledgerStore({ db }: { readonly db: Kysely<Tables> }): LedgerStore {
  return {
    async readings() {
      const rows = await db.selectFrom("cost_reading").select(["key", "body"]).execute();
      return new Map(rows.map(({ key, body }) => [key, body]));
    },
    addCosts: ({ about, lines, reading, before }) =>
      db.transaction().execute(async (transaction) => {
        if (!(await putReading(transaction, about.key, { reading, before }))) return false;
        await putAbout(transaction, about);
        for (const { key, resource, ...line } of together(lines.map((one) => ({ ...one, key: about.key })))) {
          await transaction
            .insertInto("cost")
            .values({ ...line, key, resource: storable(resource ?? "") })
            .onConflict((conflict) =>
              conflict.columns(["key", "day", "source", "meter", "resource", "currency"]).doUpdateSet({
                quantity: sql`cost.quantity + excluded.quantity`,
                cost: sql`cost.cost + excluded.cost`,
              }),
            )
            .execute();
        }
        return true;
      }),
    replaceCosts: ({ source, days, lines }) =>
      db.transaction().execute(async (transaction) => {
        if (days.length === 0) return;
        await transaction
          .deleteFrom("cost")
          .where("source", "=", source)
          .where("day", "in", [...days])
          .execute();
        const rows = together(lines.filter(({ day }) => days.includes(day))).map((line) => ({
          ...line,
          source,
          key: storable(line.key),
          resource: storable(line.resource ?? ""),
        }));
        for (let from = 0; from < rows.length; from += ROWS)
          await transaction
            .insertInto("cost")
            .values(rows.slice(from, from + ROWS))
            .execute();
        await nameUnknown(transaction, [...new Set(rows.map(({ key }) => key))]);
      }),
    async costs({ from, to, key, repositories }) {
      let query = db
        .selectFrom("cost")
        .select(["key", "day", "source", "meter", "unit", "currency"])
        .select(({ fn }) => [fn.sum<number>("quantity").as("quantity"), fn.sum<number>("cost").as("cost")])
        .where("day", ">=", from)
        .where("day", "<=", to)
        .groupBy(["key", "day", "source", "meter", "unit", "currency"]);
      if (key !== undefined) query = query.where("key", "=", storable(key));
      if (repositories !== undefined) {
        // SQL knows no empty list, and no repository is called "".
        const ours = db
          .selectFrom("cost_about")
          .select("key")
          .where("repository", "in", ["", ...repositories.map(storable)]);
        query = query.where("key", "in", ours);
      }
      return query.execute();
    },
    async costsAbout(keys) {
      const rows = await db
        .selectFrom("cost_about")
        .selectAll()
        .where("key", "=", sql<string>`any(${[...keys]}::text[])`)
        .execute();
      return new Map(rows.map((row) => [row.key, toAbout(row)]));
    },
    trimCosts: (now) =>
      db.transaction().execute(async (transaction) => {
        await transaction.deleteFrom("cost").where("day", "<", firstOfMonth(now, -KEPT_MONTHS)).execute();
        await sql`delete from cost_reading where at < ${now}::timestamptz - make_interval(days => ${READING_KEPT_DAYS})`.execute(
          transaction,
        );
        await sql`delete from cost_about as about where not exists (select from cost where cost.key = about.key)
          and not exists (select from cost_reading where cost_reading.key = about.key)`.execute(transaction);
      }),
  };
}

/** Under the row's lock, so that of two replicas one goes on from the other's. */
async function putReading(
  transaction: Transaction<Tables>,
  key: string,
  { reading, before }: { readonly reading: Reading; readonly before: Reading | undefined },
): Promise<boolean> {
  const body = storableJson(reading);
  const { numAffectedRows = 0n } =
    before === undefined
      ? await sql`insert into cost_reading (key, at, body) values (${key}, ${reading.at}, ${body})
          on conflict do nothing`.execute(transaction)
      : await sql`update cost_reading set at = ${reading.at}, body = ${body}
          where key = ${key} and body->>'at' = ${before.at}`.execute(transaction);
  return numAffectedRows > 0n;
}

async function putAbout(transaction: Transaction<Tables>, about: CostAbout): Promise<void> {
  const text = (value: string | undefined) => (value === undefined ? null : storable(value));
  const { key, repository, number = null, title, author, team, costCenter, owner, target } = about;
  const said = {
    ...{ repository, number, target, title: text(title), author: text(author), team: text(team) },
    ...{ cost_center: text(costCenter), owner: text(owner) },
  };
  await transaction
    .insertInto("cost_about")
    .values({ key, ...said })
    .onConflict((conflict) => conflict.column("key").doUpdateSet(said))
    .execute();
}

/** What a bill has and no meter of ours ever saw: its key says the repository. */
async function nameUnknown(transaction: Transaction<Tables>, keys: readonly string[]): Promise<void> {
  for (const key of keys) {
    const parsed = parseKey(key);
    const number = parsed && "number" in parsed ? parsed.number : null;
    await transaction
      .insertInto("cost_about")
      .values({ key, repository: parsed?.repository ?? key, number, target: "" })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }
}

/** One row of each kind: a statement may not touch one twice. */
function together<Line extends CostLine>(lines: readonly Line[]): readonly Line[] {
  const sums = new Map<string, Line>();
  for (const line of lines) {
    const { key, day, source, meter, resource, currency } = line;
    const name = JSON.stringify([key, day, source, meter, resource, currency]);
    const sum = sums.get(name);
    const [quantity, cost] = [line.quantity + (sum?.quantity ?? 0), line.cost + (sum?.cost ?? 0)];
    sums.set(name, { ...line, quantity, cost });
  }
  return [...sums.values()];
}

function toAbout(row: CostAboutTable): CostAbout {
  const { key, repository, number, title, author, team, cost_center: costCenter, owner, target } = row;
  const known = { number, title, author, team, costCenter, owner };
  const said = Object.fromEntries(Object.entries(known).filter(([, value]) => value !== null));
  return { key, repository, target, ...said };
}
