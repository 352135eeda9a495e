/** Changes every row as the rules say, inside the draft database, by the server itself. */
import { createHash, hkdfSync } from "node:crypto";
import pg from "pg";
import { type StacklingError, TerminalError } from "../../components/errors.ts";
import type { FakeKind } from "../config/baselines.ts";
import type { Column, Table } from "./catalog.ts";
import { createFakes, type Fakes } from "./fakes.ts";
import { type KeyPads, padsOf } from "./keyed.ts";
import type { ColumnMask, TableMask } from "./rules.ts";
import { serverWords } from "./server-words.ts";

export interface MaskOptions {
  readonly masks: readonly TableMask[];
  /** What hashes and fakes depend on; secret. */
  readonly key: Uint8Array;
  readonly onStep: (doing: string) => void;
  readonly signal?: AbortSignal;
}

/** Foreign keys and triggers must be out of the way: see `withoutConstraints`. */
export async function maskRows(client: pg.Client, { masks, key, onStep, signal }: MaskOptions): Promise<void> {
  const fakes = createFakes(derive(key, "fakes"));
  await client.query(MAP);
  for (const dictionary of dictionariesOf(masks)) {
    signal?.throwIfAborted();
    onStep(`making up values: ${dictionary.kind}`);
    await fillDictionary(client, dictionary, fakes);
  }
  await client.query("ANALYZE pg_temp.stackling_fakes");
  for (const { table, columns } of masks) {
    signal?.throwIfAborted();
    onStep(`masking ${table.name}`);
    await maskTable(client, { table, columns }, padsOf(derive(key, "hashes")));
  }
}

/** By digest, so that no value itself is kept even there. Gone with the session. */
const MAP = `
  CREATE TEMPORARY TABLE stackling_fakes (
    kind text NOT NULL, key bytea NOT NULL, fake text NOT NULL, is_unique boolean NOT NULL, PRIMARY KEY (kind, key)
  );
  CREATE UNIQUE INDEX stackling_fakes_unique ON stackling_fakes (kind, fake) WHERE is_unique`;

/** All columns of one kind share one, so that equal values come out equal wherever they stand. */
interface Dictionary {
  readonly kind: FakeKind | "format";
  readonly sources: readonly { readonly table: Table; readonly column: Column }[];
  readonly unique: boolean;
  readonly maxLength?: number;
}

function dictionariesOf(masks: readonly TableMask[]): readonly Dictionary[] {
  const all = masks.flatMap(({ table, columns }) =>
    columns.map(({ column, rule }) => ({ table, column, kind: kindOf(rule) })),
  );
  const kinds = new Set(all.flatMap(({ kind }) => (kind === undefined ? [] : [kind])));
  return [...kinds].map((kind) => {
    const sources = all.filter((one) => one.kind === kind);
    const lengths = sources.flatMap(({ column }) => (column.maxLength === undefined ? [] : [column.maxLength]));
    return {
      kind,
      sources,
      unique: sources.some(({ column }) => column.unique !== undefined),
      ...(lengths.length > 0 ? { maxLength: Math.min(...lengths) } : {}),
    };
  });
}

function kindOf(rule: ColumnMask["rule"]): Dictionary["kind"] | undefined {
  if (rule === "format") return rule;
  return typeof rule === "object" && "fake" in rule ? rule.fake : undefined;
}

const BATCH = 2_000;
const ATTEMPTS = 50;

async function fillDictionary(client: pg.Client, dictionary: Dictionary, fakes: Fakes): Promise<void> {
  for (const { table, column } of dictionary.sources) {
    for await (const values of distinctValues(client, table, column))
      await addValues(client, dictionary, values, fakes);
  }
}

async function* distinctValues(client: pg.Client, table: Table, column: Column): AsyncGenerator<readonly string[]> {
  const from = column.kind === "texts" ? `, unnest(${id(column.name)}) AS e (v)` : "";
  const value = comparable(column.kind === "texts" ? "e.v" : id(column.name), column);
  await client.query("BEGIN");
  try {
    await client.query(
      `DECLARE stackling_values NO SCROLL CURSOR FOR
       SELECT DISTINCT ${value} AS v FROM ${only(table)}${from} WHERE ${value} <> '' ORDER BY 1`,
    );
    for (;;) {
      const { rows } = await client.query<{ v: string }>(`FETCH ${BATCH} FROM stackling_values`);
      if (rows.length === 0) break;
      yield rows.map(({ v }) => v);
    }
  } finally {
    await client.query("COMMIT");
  }
}

async function addValues(
  client: pg.Client,
  { kind, unique, maxLength }: Dictionary,
  values: readonly string[],
  fakes: Fakes,
): Promise<void> {
  let left = new Map(values.map((value) => [keyOf(value), value]));
  const known = await client.query<{ key: string }>(
    "SELECT encode(key, 'hex') AS key FROM pg_temp.stackling_fakes WHERE kind = $1 AND key = ANY (SELECT decode(k, 'hex') FROM unnest($2::text[]) AS k)",
    [kind, [...left.keys()]],
  );
  for (const { key } of known.rows) left.delete(key);
  for (let attempt = 0; left.size > 0; attempt += 1) {
    if (attempt === ATTEMPTS) throw tooFew(kind);
    const wished = [...left].map(([, value]) =>
      fakes({ kind, value, attempt, unique, ...(maxLength === undefined ? {} : { maxLength }) }),
    );
    const { rows } = await client.query<{ key: string }>(
      `INSERT INTO pg_temp.stackling_fakes (kind, key, fake, is_unique)
       SELECT $1, decode(k, 'hex'), f, $4 FROM unnest($2::text[], $3::text[]) AS w (k, f)
       ON CONFLICT DO NOTHING RETURNING encode(key, 'hex') AS key`,
      [kind, [...left.keys()], wished, unique],
    );
    left = new Map(left);
    for (const { key } of rows) left.delete(key);
  }
}

function tooFew(kind: string): StacklingError {
  return new TerminalError({
    reason: "BaselineRules",
    userMessage: `masking: there are too many different values in columns with "${kind}" for each to get one of its own; use hash or another kind`,
  });
}

/**
 * All rows go out, changed, and come back: in place, a new value would meet an old one of another row that is not
 * changed yet, and a unique index refuses that.
 */
async function maskTable(client: pg.Client, { table, columns }: TableMask, hash: KeyPads): Promise<void> {
  const stored = table.columns.filter(({ generated }) => !generated);
  const names = stored.map(({ name }) => id(name)).join(", ");
  const values = stored.map((column) => {
    const mask = columns.find((one) => one.column === column);
    return mask ? expressionOf(column, mask.rule) : id(column.name);
  });
  const used = columns.some(({ rule }) => rule === "hash");
  const source = only(table);
  try {
    await client.query(`CREATE TEMPORARY TABLE stackling_rows AS SELECT ${names} FROM ${source} LIMIT 0`);
    await client.query(
      `INSERT INTO pg_temp.stackling_rows (${names}) SELECT ${values.join(", ")} FROM ${source}`,
      used ? [hash.inner, hash.outer] : [],
    );
    await client.query(`TRUNCATE ${source}`);
    await client.query(
      `INSERT INTO ${table.sql} (${names}) OVERRIDING SYSTEM VALUE SELECT ${names} FROM pg_temp.stackling_rows`,
    );
    await client.query("DROP TABLE pg_temp.stackling_rows");
  } catch (cause) {
    const why = serverWords(cause);
    throw new TerminalError({ reason: "BaselineRules", userMessage: `masking "${table.name}" failed: ${why}`, cause });
  }
}

function expressionOf(column: Column, rule: ColumnMask["rule"]): string {
  const own = id(column.name);
  if (rule === "null") return "NULL";
  if (typeof rule === "object" && "sql" in rule) return `(${rule.sql})`;
  if (column.kind !== "texts")
    return `CASE WHEN ${own} <> '' THEN ${maskedText(own, column, rule)} ELSE ${own}::text END`;
  const each = `CASE WHEN e.v <> '' THEN ${maskedText("e.v", column, rule)} ELSE e.v::text END`;
  return `CASE WHEN cardinality(${own}) > 0 THEN (SELECT array_agg(${each} ORDER BY e.i) FROM unnest(${own}) WITH ORDINALITY AS e (v, i)) ELSE ${own}::text[] END`;
}

/** Of one text that is not empty. */
function maskedText(
  value: string,
  column: Column,
  rule: Exclude<ColumnMask["rule"], "null" | { readonly sql: string }>,
): string {
  const kind = kindOf(rule);
  if (kind !== undefined) {
    return `(SELECT f.fake FROM pg_temp.stackling_fakes f WHERE f.kind = '${kind}' AND f.key = sha256(convert_to(${comparable(value, column)}, 'UTF8')))`;
  }
  if (typeof rule === "object" && "truncate" in rule) return `left(${value}::text, ${rule.truncate})`;
  // HMAC (RFC 2104) by what the server has without an extension.
  const hashed = `encode(sha256($2::bytea || sha256($1::bytea || convert_to(${comparable(value, column)}, 'UTF8'))), 'hex')`;
  return `left(${hashed}, ${Math.min(column.maxLength ?? HASH_CHARACTERS, HASH_CHARACTERS)})`;
}

const HASH_CHARACTERS = 32;

/** What is equal to the column's type is the same text here. */
function comparable(value: string, { ignoresCase }: Column): string {
  return ignoresCase ? `lower(${value}::text)` : `${value}::text`;
}

/** A partitioned table holds nothing by itself; one that others inherit from holds its own rows only. */
function only({ sql, partitioned }: Table): string {
  return partitioned ? sql : `ONLY ${sql}`;
}

const id = pg.escapeIdentifier;

function keyOf(value: string): string {
  return createHash("sha256").update(value).digest("hex");
}

/** Keys of different use, so that a fake tells nothing of a hash. */
function derive(key: Uint8Array, use: string): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", key, "", `stackling baseline ${use}`, 32));
}
