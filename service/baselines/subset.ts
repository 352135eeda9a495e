/** Cuts a database down to some rows of one table, and to what foreign keys make of the others. */
import pg from "pg";
import { TerminalError } from "../../components/errors.ts";
import type { SubsetRule } from "../config/baselines.ts";
import type { Catalog, ForeignKey, Table } from "./catalog.ts";
import { findTable } from "./rules.ts";
import { serverWords } from "./server-words.ts";

export interface SubsetOptions {
  readonly subset: SubsetRule;
  readonly catalog: Catalog;
  readonly onStep: (doing: string) => void;
}

/**
 * Kept are the rows of `table` that meet the condition, all rows of `whole` tables, and every row that any
 * of these refers to, over any number of foreign keys. Other rows of `table` go, and with them each row
 * that refers to one that goes. Of tables that are referred to by what is left of all these, the rows that
 * nothing left needs go too, and again what refers to them. Tables in no such relation stay whole.
 * Foreign keys and triggers must be out of the way: see `withoutConstraints`.
 */
export async function cutDown(client: pg.Client, { subset, catalog, onStep }: SubsetOptions): Promise<void> {
  const table = tableOf(catalog, subset.table);
  const whole = subset.whole.map((name) => tableOf(catalog, name));
  onStep(`choosing rows of ${table.name}`);
  await client.query(SETS);
  await addRows(client, "needed", table, await checked(client, table, subset.where), "");
  for (const one of whole) await addRows(client, "needed", one, "true");
  await spreadUp(client, catalog);
  await addRows(client, "gone", table, notIn("needed", table));
  await spreadDown(client, catalog);

  const below = reach([table.oid], catalog.foreignKeys, "down");
  const above = reach([...below], catalog.foreignKeys, "up");
  const kept = new Set([...below, ...whole.map(({ oid }) => oid)]);
  const [dependents, parents] = [pick(catalog, below), pick(catalog, above).filter(({ oid }) => !kept.has(oid))];
  for (const one of dependents) await addRows(client, "needed", one, notIn("gone", one));
  await spreadUp(client, catalog);
  for (const one of parents) await addRows(client, "gone", one, notIn("needed", one));
  await spreadDown(client, catalog);
  for (const one of catalog.tables) await remove(client, one, onStep);
}

/** Rows by place: nothing moves before all is chosen. A partition's own number is part of it. */
const SETS = ["needed", "gone"]
  .map(
    (set) => `CREATE TEMPORARY TABLE stackling_${set} (
      root oid NOT NULL, part oid NOT NULL, place tid NOT NULL, PRIMARY KEY (part, place))`,
  )
  .join(";");

type RowSet = "needed" | "gone";

/** A person's condition may name the table, so it gets no other name there. */
async function addRows(client: pg.Client, set: RowSet, table: Table, condition: string, alias = "t"): Promise<void> {
  await client.query(
    `INSERT INTO pg_temp.stackling_${set} SELECT ${table.oid}, tableoid, ctid FROM ${from(table)} ${alias}
     WHERE (${condition}) ON CONFLICT DO NOTHING`,
  );
}

function notIn(set: RowSet, { oid }: Table): string {
  return `NOT EXISTS (SELECT FROM pg_temp.stackling_${set} s WHERE s.root = ${oid} AND s.part = t.tableoid AND s.place = t.ctid)`;
}

/** A mistake of the operator's, found before anything is removed. */
async function checked(client: pg.Client, table: Table, where: string): Promise<string> {
  try {
    await client.query(`SELECT FROM ${from(table)} WHERE (${where}) LIMIT 0`);
    return where;
  } catch (cause) {
    const why = serverWords(cause);
    throw new TerminalError({
      reason: "BaselineRules",
      userMessage: `cutting down "${table.name}": the condition "${where}" is not taken: ${why}`,
      cause,
    });
  }
}

/** Until nothing new comes up, which cycles and references to the same table do too. */
async function spreadUp(client: pg.Client, { tables, foreignKeys }: Catalog): Promise<void> {
  await repeat(
    client,
    async (key) => {
      const [child, parent] = ends(tables, key);
      const { rowCount } = await client.query(
        `INSERT INTO pg_temp.stackling_needed SELECT ${parent.oid}, p.tableoid, p.ctid
       FROM ${from(child)} c JOIN pg_temp.stackling_needed s ON s.root = ${child.oid} AND s.part = c.tableoid AND s.place = c.ctid
       JOIN ${from(parent)} p ON ${joined(key)} ON CONFLICT DO NOTHING`,
      );
      return rowCount ?? 0;
    },
    foreignKeys,
  );
}

/** What is needed never goes: all that it refers to is needed as well. */
async function spreadDown(client: pg.Client, { tables, foreignKeys }: Catalog): Promise<void> {
  await repeat(
    client,
    async (key) => {
      const [child, parent] = ends(tables, key);
      const { rowCount } = await client.query(
        `INSERT INTO pg_temp.stackling_gone SELECT ${child.oid}, c.tableoid, c.ctid
       FROM ${from(parent)} p JOIN pg_temp.stackling_gone s ON s.root = ${parent.oid} AND s.part = p.tableoid AND s.place = p.ctid
       JOIN ${from(child)} c ON ${joined(key)}
       WHERE NOT EXISTS (SELECT FROM pg_temp.stackling_needed n WHERE n.part = c.tableoid AND n.place = c.ctid)
       ON CONFLICT DO NOTHING`,
      );
      return rowCount ?? 0;
    },
    foreignKeys,
  );
}

async function repeat(
  client: pg.Client,
  spread: (key: ForeignKey) => Promise<number>,
  keys: readonly ForeignKey[],
): Promise<void> {
  for (let added = 1; added > 0; ) {
    added = 0;
    // Nobody else does so for temporary tables, and without it a large one is taken for a small one.
    await client.query("ANALYZE pg_temp.stackling_needed, pg_temp.stackling_gone");
    for (const key of keys) added += await spread(key);
  }
}

async function remove(client: pg.Client, table: Table, onStep: (doing: string) => void): Promise<void> {
  const { rowCount } = await client.query(
    `DELETE FROM ${from(table)} t USING pg_temp.stackling_gone s
     WHERE s.root = ${table.oid} AND s.part = t.tableoid AND s.place = t.ctid`,
  );
  if (rowCount) onStep(`removed ${rowCount} rows of ${table.name}`);
}

/** Tables that are reached from some, themselves included. */
function reach(start: readonly string[], keys: readonly ForeignKey[], direction: "up" | "down"): ReadonlySet<string> {
  const reached = new Set(start);
  for (const table of reached) {
    for (const { from: child, to: parent } of keys) {
      if (direction === "down" && parent === table) reached.add(child);
      if (direction === "up" && child === table) reached.add(parent);
    }
  }
  return reached;
}

function pick({ tables }: Catalog, oids: ReadonlySet<string>): readonly Table[] {
  return tables.filter(({ oid }) => oids.has(oid));
}

function tableOf(catalog: Catalog, name: string): Table {
  const table = findTable(catalog, name);
  if (table) return table;
  throw new TerminalError({
    reason: "BaselineRules",
    userMessage: `cutting down: there is no table "${name}" to go by`,
  });
}

function ends(tables: readonly Table[], key: ForeignKey): readonly [child: Table, parent: Table] {
  const [child, parent] = [key.from, key.to].map((oid) => tables.find((table) => table.oid === oid));
  if (child && parent) return [child, parent];
  throw new Error(`the foreign key "${key.name}" is of a table that was not read`);
}

function joined({ fromColumns, toColumns }: ForeignKey): string {
  return fromColumns.map((name, i) => `c.${id(name)} = p.${id(toColumns[i] ?? "")}`).join(" AND ");
}

function from({ sql, partitioned }: Table): string {
  return partitioned ? sql : `ONLY ${sql}`;
}

const id = pg.escapeIdentifier;
