/** The schema of a PostgreSQL database, as far as two of them are compared. */
import type pg from "pg";
import { withClient } from "./database-client.ts";
import { OF_PEOPLE, ofNoExtension } from "./own-objects.ts";
import type { SchemaObject } from "./schema-diff.ts";

/** Of more nobody reads a list of differences. */
const MOST_OBJECTS = 20_000;
const TIMEOUT_MS = 10_000;
/** Longer definitions are told apart by their digest. */
const SAYS_MAX = 160;

export interface SchemaRead {
  /** Schema that names are told without: where its sessions make things. */
  readonly home: string;
  readonly objects: readonly SchemaObject[];
}

/**
 * All that whoever logs in by `url` (secret) may see and no extension brought; undefined where it is no PostgreSQL
 * server, or holds more than anybody compares. Takes no lock that anything waits for.
 *
 * @param home as an earlier reading had it, which this one is compared with: a migration may have changed it
 */
export async function readSchema(
  url: string,
  { home, signal }: { readonly home?: string; readonly signal?: AbortSignal } = {},
): Promise<SchemaRead | undefined> {
  if (!/^postgres(ql)?:/.test(url)) return undefined;
  return withClient(url, (client) => readIn(client, home), signal);
}

async function readIn(client: pg.Client, before: string | undefined): Promise<SchemaRead | undefined> {
  // In one transaction: a pooler may give the next one to another session.
  await client.query("BEGIN READ ONLY");
  const { rows: at } = await client.query<{ home: string | null }>("SELECT (current_schemas(false))[1] AS home");
  const home = before ?? at[0]?.home ?? "public";
  // Nothing of the database's own is called, and names come out whole.
  await client.query(`SET LOCAL search_path = pg_catalog; SET LOCAL statement_timeout = ${TIMEOUT_MS}`);
  const { rows } = await client.query<SchemaObject>(OBJECTS, [home, SAYS_MAX, MOST_OBJECTS + 1]);
  await client.query("COMMIT");
  return rows.length > MOST_OBJECTS ? undefined : { home, objects: rows };
}

/**
 * Sources: PostgreSQL documentation, "System Catalogs". What belongs to something else is told with it: the index of
 * a constraint, the sequence of a column, the partitions of a table. $1 is the schema that names are told without.
 */
const OBJECTS = `
  WITH spaces AS (
    SELECT n.oid, n.nspname AS name, CASE n.nspname WHEN $1 THEN '' ELSE n.nspname || '.' END AS prefix
    FROM pg_namespace n WHERE ${OF_PEOPLE} AND has_schema_privilege(n.oid, 'USAGE')
  ), relations AS (
    SELECT c.oid, c.relkind AS kind, s.prefix || c.relname AS name, c.relrowsecurity AS guarded
    FROM pg_class c JOIN spaces s ON s.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S') AND c.relpersistence <> 't' AND NOT c.relispartition
      AND ${ofNoExtension("pg_class", "c.oid")}
  ), tables AS (SELECT * FROM relations WHERE kind IN ('r', 'p', 'f')),
  objects AS (
    SELECT 'schema' AS kind, '' AS "table", name, '' AS says FROM spaces WHERE name <> $1
    UNION ALL
    SELECT 'table', '', name, concat_ws(', ', CASE kind WHEN 'p' THEN 'partitioned by ' || pg_get_partkeydef(oid)
      WHEN 'f' THEN 'foreign' END, CASE WHEN guarded THEN 'row security' END) FROM tables
    UNION ALL
    SELECT 'column', t.name, a.attname::text, concat_ws(' ', format_type(a.atttypid, a.atttypmod),
      (SELECT 'collate ' || quote_ident(l.collname) FROM pg_collation l JOIN pg_type y ON y.oid = a.atttypid
        WHERE l.oid = a.attcollation AND a.attcollation <> y.typcollation),
      CASE WHEN a.attnotnull THEN 'not null' END,
      CASE a.attidentity WHEN 'a' THEN 'identity' WHEN 'd' THEN 'identity by default' END,
      CASE WHEN a.attgenerated <> '' THEN 'generated ' ELSE 'default ' END || pg_get_expr(d.adbin, d.adrelid))
    FROM tables t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
      LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    UNION ALL
    SELECT 'constraint', t.name, k.conname::text, pg_get_constraintdef(k.oid)
    FROM tables t JOIN pg_constraint k ON k.conrelid = t.oid AND k.contype IN ('c', 'f', 'p', 'u', 'x')
    UNION ALL
    SELECT 'index', t.name, i.relname::text, CASE WHEN x.indisunique THEN 'unique ' ELSE '' END
      || substr(pg_get_indexdef(i.oid), strpos(pg_get_indexdef(i.oid), ' USING ') + 7)
    FROM relations t JOIN pg_index x ON x.indrelid = t.oid JOIN pg_class i ON i.oid = x.indexrelid
    WHERE NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.oid AND k.contype IN ('p', 'u', 'x'))
    UNION ALL
    SELECT 'trigger', t.name, g.tgname::text, pg_get_triggerdef(g.oid)
    FROM relations t JOIN pg_trigger g ON g.tgrelid = t.oid AND NOT g.tgisinternal
    UNION ALL
    SELECT 'policy', t.name, p.polname::text, md5(concat_ws('|', p.polcmd, p.polpermissive,
      pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)))
    FROM tables t JOIN pg_policy p ON p.polrelid = t.oid
    UNION ALL
    SELECT CASE kind WHEN 'm' THEN 'materialized view' ELSE 'view' END, '', name, md5(pg_get_viewdef(oid))
    FROM relations WHERE kind IN ('v', 'm')
    UNION ALL
    SELECT 'sequence', '', r.name, format_type(q.seqtypid, NULL) FROM relations r JOIN pg_sequence q ON q.seqrelid = r.oid
    WHERE NOT EXISTS (SELECT FROM pg_depend o WHERE o.classid = 'pg_class'::regclass AND o.objid = r.oid AND o.deptype IN ('a', 'i'))
    UNION ALL
    SELECT 'function', '', s.prefix || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')',
      md5(concat_ws('|', p.prosrc, p.prokind, p.proretset, format_type(p.prorettype, NULL), p.provolatile, p.prosecdef,
        p.proconfig::text, (SELECT l.lanname FROM pg_language l WHERE l.oid = p.prolang)))
    FROM pg_proc p JOIN spaces s ON s.oid = p.pronamespace WHERE ${ofNoExtension("pg_proc", "p.oid")}
    UNION ALL
    SELECT CASE y.typtype WHEN 'e' THEN 'enum' WHEN 'd' THEN 'domain' ELSE 'type' END, '', s.prefix || y.typname,
      CASE y.typtype
        WHEN 'e' THEN (SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder)
          FROM pg_enum e WHERE e.enumtypid = y.oid)
        WHEN 'd' THEN concat_ws(' ', format_type(y.typbasetype, y.typtypmod), CASE WHEN y.typnotnull THEN 'not null' END,
          (SELECT string_agg(pg_get_constraintdef(k.oid), ' ' ORDER BY k.conname) FROM pg_constraint k
            WHERE k.contypid = y.oid AND k.contype = 'c'))
        ELSE (SELECT string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod), ', ' ORDER BY a.attnum)
          FROM pg_attribute a WHERE a.attrelid = y.typrelid AND a.attnum > 0 AND NOT a.attisdropped) END
    FROM pg_type y JOIN spaces s ON s.oid = y.typnamespace LEFT JOIN pg_class c ON c.oid = y.typrelid
    WHERE (y.typtype IN ('e', 'd', 'r') OR c.relkind = 'c') AND ${ofNoExtension("pg_type", "y.oid")}
    UNION ALL
    SELECT 'extension', '', x.extname::text, x.extversion FROM pg_extension x
  )
  SELECT kind, "table", name, CASE WHEN length(says) > $2::int THEN left(says, $2::int - 20) || '… ' || left(md5(says), 8)
    ELSE coalesce(says, '') END AS says
  FROM objects ORDER BY 1, 2, 3 LIMIT $3::int`;
