/** Takes away what would act on, or refuse, rows while they are changed, and puts it back. */
import pg from "pg";
import { TerminalError } from "../../components/errors.ts";
import type { Catalog } from "./catalog.ts";
import { serverWords } from "./server-words.ts";

/**
 * Foreign keys are dropped and made again, by which the server checks that every reference still leads
 * somewhere; triggers and rules rest, lest an audit table gets the values that are taken out; row security
 * does not hide rows from their owner. The session's search path is the default one.
 */
export async function withoutConstraints(
  client: pg.Client,
  { foreignKeys }: Catalog,
  work: () => Promise<void>,
): Promise<void> {
  const paused = await readPaused(client);
  for (const { name, on } of foreignKeys) await client.query(`ALTER TABLE ${on} DROP CONSTRAINT ${id(name)}`);
  for (const { off } of paused) await client.query(off);
  await work();
  for (const { on } of paused) await client.query(on);
  for (const key of foreignKeys) {
    try {
      await client.query(`ALTER TABLE ${key.on} ADD CONSTRAINT ${id(key.name)} ${key.definition}`);
    } catch (cause) {
      const why = serverWords(cause);
      throw new TerminalError({
        reason: "BaselineRules",
        userMessage: `masking: the foreign key "${key.name}" of ${key.on} holds no more: ${why}`,
        cause,
      });
    }
    if (key.comment !== null)
      await client.query(`COMMENT ON CONSTRAINT ${id(key.name)} ON ${key.on} IS ${pg.escapeLiteral(key.comment)}`);
  }
}

const id = pg.escapeIdentifier;

/** Of ordinary and partitioned tables: `tgenabled`, `ev_enabled` are O, D, R or A (PostgreSQL documentation, "pg_trigger"). */
const PAUSED = `
  WITH own AS (
    SELECT c.oid, format('%I.%I', n.nspname, c.relname) AS sql, c.relforcerowsecurity AS forced
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
      AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_toast%'
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
  )
  SELECT format('ALTER TABLE ONLY %s DISABLE TRIGGER %I', sql, t.tgname) AS off,
    format('ALTER TABLE ONLY %s ENABLE %sTRIGGER %I', sql,
      CASE t.tgenabled WHEN 'R' THEN 'REPLICA ' WHEN 'A' THEN 'ALWAYS ' ELSE '' END, t.tgname) AS on
  FROM own JOIN pg_trigger t ON t.tgrelid = own.oid WHERE NOT t.tgisinternal AND t.tgenabled <> 'D'
  UNION ALL
  SELECT format('ALTER TABLE %s DISABLE RULE %I', sql, r.rulename),
    format('ALTER TABLE %s ENABLE %sRULE %I', sql,
      CASE r.ev_enabled WHEN 'R' THEN 'REPLICA ' WHEN 'A' THEN 'ALWAYS ' ELSE '' END, r.rulename)
  FROM own JOIN pg_rewrite r ON r.ev_class = own.oid WHERE r.ev_enabled <> 'D'
  UNION ALL
  SELECT format('ALTER TABLE %s NO FORCE ROW LEVEL SECURITY', sql), format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', sql)
  FROM own WHERE forced`;

async function readPaused(client: pg.Client): Promise<readonly { readonly off: string; readonly on: string }[]> {
  return (await client.query<{ off: string; on: string }>(PAUSED)).rows;
}
