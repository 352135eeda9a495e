/** People's names as a database holds them, taken down before they are masked, to be looked for afterwards. */
import pg from "pg";
import type { TableMask } from "./rules.ts";

/** Whole names: a first or a last name alone is too often a word, or somebody else's. */
export type Names = readonly string[];

const MOST = 100_000;

/** Of columns that are faked as names, and of pairs of first and last name in one row. */
export async function collectNames(client: pg.Client, masks: readonly TableMask[]): Promise<Names> {
  const names = new Set<string>();
  for (const { table, columns } of masks) {
    const of = (kind: string) =>
      columns.filter(
        ({ column, rule }) =>
          typeof rule === "object" && "fake" in rule && rule.fake === kind && column.kind === "text",
      );
    const [first, last] = [of("firstName")[0], of("lastName")[0]];
    const whole = of("name").map(({ column }) => `${id(column.name)}::text`);
    const pairs = first && last ? [`${id(first.column.name)}::text || ' ' || ${id(last.column.name)}::text`] : [];
    for (const value of [...whole, ...pairs]) {
      const { rows } = await client.query<{ name: string }>(
        `SELECT DISTINCT ${value} AS name FROM ${table.sql} WHERE ${value} ~ '\\S\\s+\\S' LIMIT ${MOST - names.size}`,
      );
      for (const { name } of rows) names.add(name);
    }
  }
  return [...names];
}

const id = pg.escapeIdentifier;
