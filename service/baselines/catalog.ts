/** What a database holds, as far as masking and cutting down must know it. */
import type pg from "pg";
import { OF_PEOPLE, ofNoExtension } from "../../components/local/own-objects.ts";
import { createTypes, type TypeRow } from "./types.ts";

/**
 * `text`: one text; `texts`: a list of them; `other`: anything else that may hold text (JSON, XML, bytes,
 * composite types, types of extensions); `plain`: numbers, times and the like, which need no rule.
 */
export type ColumnKind = "text" | "texts" | "other" | "plain";

export interface Column {
  readonly name: string;
  /** As SQL says it, such as `character varying(40)`. */
  readonly type: string;
  readonly kind: ColumnKind;
  /** Compared without regard to case. */
  readonly ignoresCase: boolean;
  /** Characters it takes at most; of each of the list. */
  readonly maxLength?: number;
  readonly notNull: boolean;
  /** Computed from other columns. */
  readonly generated: boolean;
  /** Part of something unique; `alone`: by itself. */
  readonly unique?: "alone" | "together";
}

export interface Table {
  readonly oid: string;
  /** `users` where it lies in `public`, else `schema.users`. */
  readonly name: string;
  /** Quoted, with its schema. */
  readonly sql: string;
  readonly partitioned: boolean;
  readonly columns: readonly Column[];
}

export interface ForeignKey {
  readonly oid: string;
  readonly name: string;
  /** Quoted name of the very table it is declared on. */
  readonly on: string;
  /** Tables by oid, of a partition the whole. */
  readonly from: string;
  readonly to: string;
  readonly fromColumns: readonly string[];
  readonly toColumns: readonly string[];
  /** As `ADD CONSTRAINT` takes it. */
  readonly definition: string;
  readonly comment: string | null;
}

export interface Catalog {
  readonly tables: readonly Table[];
  readonly foreignKeys: readonly ForeignKey[];
  readonly largeObjects: number;
}

/** Tables of people's own: not the system's, not an extension's; a partitioned one stands for its partitions. */
const TABLES = `
  SELECT c.oid::text, c.relkind AS kind, format('%I.%I', n.nspname, c.relname) AS sql,
    CASE n.nspname WHEN 'public' THEN c.relname::text ELSE n.nspname || '.' || c.relname END AS name
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't'
    AND ${OF_PEOPLE} AND ${ofNoExtension("pg_class", "c.oid")}
  ORDER BY n.nspname, c.relname`;

const COLUMNS = `
  SELECT a.attrelid::text AS "table", a.attname::text AS name, a.atttypid::text AS type_oid, a.atttypmod AS modifier,
    format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS "notNull", a.attgenerated <> '' AS generated,
    (SELECT CASE WHEN bool_or(u.alone) THEN 'alone' WHEN count(*) > 0 THEN 'together' END
     FROM (
       SELECT i.indnkeyatts = 1 AS alone FROM pg_index i
       WHERE i.indrelid = a.attrelid AND i.indisunique AND a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1])
       UNION ALL
       SELECT false FROM pg_index i JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid
       WHERE i.indrelid = a.attrelid AND i.indisunique AND i.indexprs IS NOT NULL
         AND d.refobjid = a.attrelid AND d.refobjsubid = a.attnum
     ) u) AS "unique"
  FROM pg_attribute a WHERE a.attrelid = ANY ($1::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
  ORDER BY a.attrelid, a.attnum`;

const FOREIGN_KEYS = `
  SELECT k.oid::text, k.conname AS name, k.conrelid::regclass::text AS on,
    coalesce(pg_partition_root(k.conrelid), k.conrelid)::oid::text AS from,
    coalesce(pg_partition_root(k.confrelid), k.confrelid)::oid::text AS to,
    ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY AS u (n, i)
      JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.n ORDER BY u.i) AS "fromColumns",
    ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY AS u (n, i)
      JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.n ORDER BY u.i) AS "toColumns",
    pg_get_constraintdef(k.oid) AS definition, obj_description(k.oid, 'pg_constraint') AS comment
  FROM pg_constraint k WHERE k.contype = 'f' AND k.conparentid = 0 ORDER BY k.oid`;

const TYPES = `
  SELECT t.oid::text, t.typname AS name, n.nspname = 'pg_catalog' AS system, t.typtype AS kind, t.typcategory AS category,
    nullif(t.typbasetype, 0)::text AS base, t.typtypmod AS modifier, nullif(t.typelem, 0)::text AS element,
    (SELECT r.rngsubtype::text FROM pg_range r WHERE t.oid IN (r.rngtypid, r.rngmultitypid) LIMIT 1) AS subtype,
    ARRAY(SELECT a.atttypid::text FROM pg_attribute a
      WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped) AS parts
  FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace`;

interface ColumnRow extends Pick<Column, "name" | "type" | "notNull" | "generated"> {
  readonly table: string;
  readonly type_oid: string;
  readonly modifier: number;
  readonly unique: Column["unique"] | null;
}

export async function readCatalog(client: pg.Client): Promise<Catalog> {
  // Names come out whole only where nothing is found by itself.
  await client.query("SET search_path = pg_catalog");
  const tables = await client.query<{ oid: string; kind: string; sql: string; name: string }>(TABLES);
  const oids = tables.rows.map(({ oid }) => oid);
  const columns = await client.query<ColumnRow>(COLUMNS, [oids]);
  const types = createTypes((await client.query<TypeRow>(TYPES)).rows);
  const foreignKeys = await client.query<ForeignKey>(FOREIGN_KEYS);
  const objects = await client.query<{ count: number }>("SELECT count(*)::int AS count FROM pg_largeobject_metadata");
  await client.query("RESET search_path");
  const toColumn = ({ name, type, type_oid, modifier, notNull, generated, unique }: ColumnRow): Column => ({
    name,
    type,
    notNull,
    generated,
    ...types.describe(type_oid, modifier),
    ...(unique ? { unique } : {}),
  });
  return {
    tables: tables.rows.map(({ oid, kind, sql, name }) => ({
      oid,
      name,
      sql,
      partitioned: kind === "p",
      columns: columns.rows.filter(({ table }) => table === oid).map(toColumn),
    })),
    foreignKeys: foreignKeys.rows.filter(({ from, to }) => oids.includes(from) && oids.includes(to)),
    largeObjects: objects.rows[0]?.count ?? 0,
  };
}
