/** The declared rules against what a database holds: what is to be done, or everything that is wrong. Pure. */
import { TerminalError } from "../../components/errors.ts";
import type { BaselineConfig, ColumnRule, ColumnRules } from "../config/baselines.ts";
import { closest } from "../config/closest.ts";
import type { Catalog, Column, Table } from "./catalog.ts";

export interface Unclassified {
  readonly table: string;
  readonly column: string;
  readonly type: string;
}

/** A build that stops because nobody said what becomes of these columns. */
export class UnclassifiedError extends TerminalError {
  readonly columns: readonly Unclassified[];

  constructor(baseline: string, columns: readonly Unclassified[], yaml: string) {
    const list = columns.map(({ table, column, type }) => `  ${table}.${column} (${type})`);
    const what = columns.length === 1 ? "1 column is" : `${columns.length} columns are`;
    super({
      reason: "Unclassified",
      userMessage: [
        `building baseline "${baseline}": ${what} not classified, so nothing was built:`,
        ...list,
        `say what becomes of each under baselines.${baseline} (CHOOSE: keep, null, hash, format, {fake: KIND}, {truncate: LENGTH} or {sql: EXPRESSION}):`,
        yaml,
      ].join("\n"),
    });
    this.columns = columns;
  }
}

export interface ColumnMask {
  readonly column: Column;
  readonly rule: Exclude<ColumnRule, "keep">;
}

export interface TableMask {
  readonly table: Table;
  readonly columns: readonly ColumnMask[];
}

/**
 * What is to be changed, table by table. Throws `UnclassifiedError` when columns that may hold text have no
 * rule, else `TerminalError` (`BaselineRules`) with every rule that cannot be followed.
 */
export function planMasks(
  { name, columns: rules, largeObjects }: Pick<BaselineConfig, "name" | "columns" | "largeObjects">,
  catalog: Catalog,
): readonly TableMask[] {
  if (rules === "keep") return [];
  const unclassified = catalog.tables.flatMap((table) =>
    table.columns
      .filter((column) => column.kind !== "plain" && !column.generated && ruleOf(rules, table, column) === undefined)
      .map((column) => ({ table, column })),
  );
  if (unclassified.length > 0) {
    const listed = unclassified.map(({ table, column }) => ({
      table: table.name,
      column: column.name,
      type: column.type,
    }));
    throw new UnclassifiedError(name, listed, yamlFor(unclassified));
  }
  const faults = [
    ...strangers(rules, catalog),
    ...catalog.tables.flatMap((table) => table.columns.flatMap((column) => misfits(rules, table, column))),
    ...brokenJoins(rules, catalog),
    ...(catalog.largeObjects > 0 && !largeObjects
      ? [`there are ${catalog.largeObjects} large objects: say "largeObjects: keep" or "largeObjects: remove"`]
      : []),
  ];
  if (faults.length > 0) {
    throw new TerminalError({
      reason: "BaselineRules",
      userMessage: [`building baseline "${name}": its rules do not fit the data:`, ...faults.map((f) => `  ${f}`)].join(
        "\n",
      ),
    });
  }
  return catalog.tables.flatMap((table) => {
    const columns = table.columns.flatMap((column): ColumnMask[] => {
      const rule = ruleOf(rules, table, column);
      return rule === undefined || rule === "keep" ? [] : [{ column, rule }];
    });
    return columns.length === 0 ? [] : [{ table, columns }];
  });
}

/** A table by the name that a person may write: `users`, `public.users`, `audit.log`. */
export function findTable(catalog: Catalog, name: string): Table | undefined {
  return catalog.tables.find((table) => table.name === name || `public.${table.name}` === name);
}

/** Whether its values are made up, so that a name in it is nobody's. */
export function isFaked(rules: BaselineConfig["columns"], table: Table, column: Column): boolean {
  const rule = rules === "keep" ? undefined : ruleOf(rules, table, column);
  return typeof rule === "object" && "fake" in rule;
}

function ruleOf(rules: ColumnRules, table: Table, column: Column): ColumnRule | undefined {
  const names = [table.name, `public.${table.name}`];
  const of = names.map((name) => (Object.hasOwn(rules, name) ? rules[name] : undefined)).find(Boolean);
  return of && Object.hasOwn(of, column.name) ? of[column.name] : undefined;
}

function strangers(rules: ColumnRules, catalog: Catalog): readonly string[] {
  return Object.entries(rules).flatMap(([name, columns]) => {
    const table = findTable(catalog, name);
    if (!table) {
      return [`there is no table "${name}"${hintFor(name, catalog.tables)}`];
    }
    const twice = table.name !== name && Object.hasOwn(rules, table.name);
    const unknown = Object.keys(columns).filter((column) => !table.columns.some((known) => known.name === column));
    return [
      ...(twice ? [`table "${name}" has rules twice, as "${table.name}" too`] : []),
      ...unknown.map((column) => `there is no column "${name}.${column}"${hintFor(column, table.columns)}`),
    ];
  });
}

function hintFor(name: string, known: readonly { readonly name: string }[]): string {
  const hint = closest(
    name,
    known.map((one) => one.name),
  );
  return hint ? `; did you mean "${hint}"?` : "";
}

function misfits(rules: ColumnRules, table: Table, column: Column): readonly string[] {
  const rule = ruleOf(rules, table, column);
  if (rule === undefined || rule === "keep") return [];
  const at = `"${table.name}.${column.name}"`;
  if (column.generated) return [`${at} is computed from other columns: take its rule out`];
  if (rule === "null") return column.notNull ? [`${at} cannot be null: it is NOT NULL`] : [];
  if (typeof rule === "object" && "sql" in rule) return [];
  if (column.kind !== "text" && column.kind !== "texts")
    return [`${at} is of type ${column.type}, which ${describeRule(rule)} cannot change: keep, null or {sql: …} can`];
  if (typeof rule === "object" && "truncate" in rule && column.unique === "alone")
    return [`${at} is unique and would not stay so when truncated: hash, format or {fake: …} can`];
  return [];
}

/** Both ends of a foreign key must come out the same. */
function brokenJoins(rules: ColumnRules, { tables, foreignKeys }: Catalog): readonly string[] {
  return foreignKeys.flatMap((key) => {
    const from = tables.find(({ oid }) => oid === key.from);
    const to = tables.find(({ oid }) => oid === key.to);
    if (!from || !to) return [];
    return key.fromColumns.flatMap((name, index) => {
      const child = from.columns.find((column) => column.name === name);
      const parent = to.columns.find((column) => column.name === key.toColumns[index]);
      if (!child || !parent || child.generated || parent.generated) return [];
      const [ours, theirs] = [ruleOf(rules, from, child) ?? "keep", ruleOf(rules, to, parent) ?? "keep"];
      const bySql = (rule: ColumnRule) => typeof rule === "object" && "sql" in rule;
      const same = JSON.stringify(ours) === JSON.stringify(theirs);
      if (same || ours === "null" || (bySql(ours) && bySql(theirs))) return [];
      return [
        `"${from.name}.${child.name}" refers to "${to.name}.${parent.name}" and would find it no more: give both one rule (they are ${describeRule(ours)} and ${describeRule(theirs)})`,
      ];
    });
  });
}

function describeRule(rule: ColumnRule): string {
  if (typeof rule === "string") return rule;
  const [[kind, value] = []] = Object.entries(rule);
  return `{${kind}: ${String(value)}}`;
}

/** Lines to be copied into the config; what cannot be guessed must be chosen before it is taken. */
function yamlFor(unclassified: readonly { readonly table: Table; readonly column: Column }[]): string {
  const lines = ["columns:"];
  let table: Table | undefined;
  for (const one of unclassified) {
    if (one.table !== table) lines.push(`  ${quoted(one.table.name)}:`);
    table = one.table;
    lines.push(`    ${quoted(one.column.name)}: ${guess(one.column)}`);
  }
  return lines.map((line) => `  ${line}`).join("\n");
}

const GUESSES: readonly (readonly [RegExp, string])[] = [
  [/e_?mail/i, "{fake: email}"],
  [/first_?name|given_?name/i, "{fake: firstName}"],
  [/last_?name|sur_?name|family_?name/i, "{fake: lastName}"],
  [/user_?name|login|nick/i, "{fake: username}"],
  [/^(full_?)?name$|display_?name/i, "{fake: name}"],
  [/phone|mobile|fax/i, "{fake: phone}"],
  [/street|address/i, "{fake: street}"],
  [/^city$|town/i, "{fake: city}"],
  [/zip|post(al)?_?code/i, "{fake: zip}"],
  [/company/i, "{fake: company}"],
  [/(^|_)ip(_|$)/i, "{fake: ip}"],
  [/password|token|secret|api_?key|hash/i, "hash"],
];

function guess({ name, kind, notNull }: Column): string {
  if (kind !== "text" && kind !== "texts") return notNull ? "CHOOSE" : '"null"';
  return GUESSES.find(([pattern]) => pattern.test(name))?.[1] ?? "CHOOSE";
}

function quoted(name: string): string {
  return /^[A-Za-z_][\w.]*$/.test(name) && !/^(null|true|false|yes|no|on|off|y|n)$/i.test(name)
    ? name
    : JSON.stringify(name);
}
