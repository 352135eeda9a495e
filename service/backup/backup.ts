/** The store as a file and back: JSON lines, a header first and a count last. No secret lies in the store. */
import { once } from "node:events";
import { createReadStream, createWriteStream } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { createInterface } from "node:readline";
import pg from "pg";
import { z } from "zod";
import { TerminalError } from "../../components/errors.ts";
import { withClient } from "../../components/local/database-client.ts";
import { stepsDone } from "../store/migrations.ts";
import { tablesOf } from "./tables.ts";

const ROWS_AT_ONCE = 200;
const headerSchema = z.object({
  stackling: z.literal("backup"),
  version: z.literal(1),
  at: z.string(),
  migrations: z.array(z.string()),
  tables: z.record(z.string(), z.array(z.string())),
});
const rowSchema = z.object({ table: z.string(), row: z.unknown() });
const endSchema = z.object({ rows: z.number() });

export interface BackupResult {
  readonly rows: number;
  readonly tables: number;
}

/**
 * Writes every row of the store to `file` (mode 0600, replaced at the end only), as of one moment; the
 * service may run. `now` is ISO 8601 UTC.
 */
export async function backUp({
  url,
  file,
  now,
}: {
  readonly url: string;
  readonly file: string;
  readonly now: string;
}): Promise<BackupResult> {
  const temporary = `${file}.${process.pid}.part`;
  const out = createWriteStream(temporary, { mode: 0o600, flags: "wx" });
  const failed = once(out, "error").then(([error]) => Promise.reject(error));
  failed.catch(() => {});
  const write = async (line: string) => {
    if (!out.write(`${line}\n`)) await Promise.race([once(out, "drain"), failed]);
  };
  try {
    const result = await withClient(url, async (client) => {
      await client.query("begin isolation level repeatable read read only");
      const tables = await tablesOf(client);
      const migrations = await stepsDone((text) => client.query(text));
      await write(JSON.stringify({ stackling: "backup", version: 1, at: now, migrations, tables }));
      let rows = 0;
      for (const table of Object.keys(tables)) {
        const name = pg.escapeIdentifier(table);
        await client.query(`declare rows no scroll cursor for select to_jsonb(held)::text as row from ${name} as held`);
        for (;;) {
          const read = await client.query<{ row: string }>(`fetch ${ROWS_AT_ONCE} from rows`);
          if (read.rows.length === 0) break;
          for (const { row } of read.rows) await write(`{"table":${JSON.stringify(table)},"row":${row}}`);
          rows += read.rows.length;
        }
        await client.query("close rows");
      }
      await client.query("commit");
      await write(JSON.stringify({ rows }));
      return { rows, tables: Object.keys(tables).length };
    });
    out.end();
    await Promise.race([once(out, "close"), failed]);
    const handle = await open(temporary);
    await handle.sync().finally(() => handle.close());
    await rename(temporary, file);
    return result;
  } catch (error) {
    out.destroy();
    await rm(temporary, { force: true });
    throw error;
  }
}

/**
 * Puts a backup into a store whose tables this version has made and nobody has used; all or nothing.
 * Everything is due at once afterwards. Throws `TerminalError` (`RestoreRefused`) for a store that holds
 * something, a file that is no backup or cut off, or one of another version of the tables.
 */
export async function restore({ url, file }: { readonly url: string; readonly file: string }): Promise<BackupResult> {
  return withClient(url, async (client) => {
    await client.query("begin");
    const held = { migrations: await stepsDone((text) => client.query(text)), tables: await tablesOf(client) };
    const names = Object.keys(held.tables).map((name) => pg.escapeIdentifier(name));
    await client.query(`lock table ${names.join(", ")} in access exclusive mode`);
    for (const [index, name] of names.entries()) {
      const { rowCount } = await client.query(`select from ${name} limit 1`);
      if (rowCount) throw refused(file, `the store's table "${Object.keys(held.tables)[index]}" is not empty`);
    }
    let rows = 0;
    let ended: number | undefined;
    let begun = false;
    for await (const line of createInterface({
      input: createReadStream(file, "utf8"),
      crlfDelay: Number.POSITIVE_INFINITY,
    })) {
      if (!begun) {
        checkHeader(file, line, held.migrations);
        begun = true;
        continue;
      }
      const parsed = parse(line);
      const { data: row } = rowSchema.safeParse(parsed);
      const end = row ? undefined : endSchema.safeParse(parsed).data;
      if (end) {
        ended = end.rows;
        continue;
      }
      const columns = row && held.tables[row.table];
      if (!row || !columns) throw refused(file, `line ${rows + 2} is no row of the store`);
      const list = columns.map((column) => pg.escapeIdentifier(column)).join(", ");
      const name = pg.escapeIdentifier(row.table);
      // As text, so that no number passes through a float.
      await client.query(
        `insert into ${name} (${list}) overriding system value
         select ${list} from jsonb_populate_record(null::${name}, $1::jsonb->'row')`,
        [line],
      );
      rows += 1;
    }
    if (ended !== rows) throw refused(file, "it is cut off");
    await client.query(`do $$ declare it record; begin
      for it in select table_name, column_name from information_schema.columns
        where table_schema = current_schema() and is_identity = 'YES' loop
        execute format('select setval(pg_get_serial_sequence(%L, %L), coalesce((select max(%I) from %I), 0) + 1, false)',
          it.table_name, it.column_name, it.column_name, it.table_name);
      end loop; end $$`);
    await client.query("update preview set due_at = now() where gone_at is null");
    await client.query("commit");
    return { rows, tables: names.length };
  });
}

function checkHeader(file: string, line: string, migrations: readonly string[]): void {
  const { data: header } = headerSchema.safeParse(parse(line));
  if (!header) throw refused(file, "it is no backup of a Stackling store");
  if (header.migrations.join() === migrations.join()) return;
  throw refused(
    file,
    `its tables are as of "${header.migrations.at(-1)}" and the store's as of "${migrations.at(-1)}"; restore it with the version that wrote it, which the newer one then brings up to date`,
  );
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function refused(file: string, why: string): TerminalError {
  return new TerminalError({ reason: "RestoreRefused", userMessage: `restoring "${file}": ${why}` });
}
