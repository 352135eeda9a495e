/** Against a real PostgreSQL: what is read of a database, and what is not. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { withClient } from "../../../components/local/database-client.ts";
import { diffSchemas, type SchemaObject } from "../../../components/local/schema-diff.ts";
import { readSchema } from "../../../components/local/schema-read.ts";
import { testDatabase } from "../../support/postgres.ts";
import { requires } from "../../support/requires.ts";

const BASE = `
  CREATE TYPE mood AS ENUM ('calm', 'wide awake');
  CREATE DOMAIN email AS text CHECK (VALUE LIKE '%@%');
  CREATE TABLE customers (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email email NOT NULL, mood mood);
  CREATE TABLE orders (id serial PRIMARY KEY, customer bigint REFERENCES customers, note text, total int DEFAULT 0);
  CREATE INDEX orders_note ON orders (lower(note));
  CREATE VIEW totals AS SELECT customer, sum(total) AS total FROM orders GROUP BY customer;
  CREATE FUNCTION twice(n int) RETURNS int LANGUAGE sql AS 'SELECT n * 2';
  CREATE SEQUENCE tickets;
  CREATE TABLE visits (at date NOT NULL) PARTITION BY RANGE (at);
  CREATE TABLE visits_2026 PARTITION OF visits FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
  CREATE SCHEMA audit;
  CREATE TABLE audit.entries (what text);`;

describe("the schema of a database", requires("postgres"), () => {
  let url: string;
  let drop: () => Promise<void>;
  before(async () => {
    ({ url, drop } = await testDatabase());
    await run(BASE);
  });
  after(() => drop());

  const run = (sql: string) => withClient(url, (client) => client.query(sql));
  const read = async (): Promise<readonly SchemaObject[]> => (await readSchema(url))?.objects ?? [];
  /** What `sql` changes; it is undone. */
  async function changesOf(sql: string, undo: string): Promise<readonly string[]> {
    const was = await read();
    await run(sql);
    const { changes } = diffSchemas(was, await read());
    await run(undo);
    return changes.map(({ change, kind, table, name }) => `${change} ${kind} ${table ? `${table}.` : ""}${name}`);
  }

  it("is told as what people made, each thing once", async () => {
    const told = (await read()).map(
      ({ kind, table, name, says }) => `${kind} ${table ? `${table}.` : ""}${name} ${says}`,
    );
    const says = (line: string) => assert.ok(told.includes(line), `${line} in\n${told.join("\n")}`);
    says("column orders.id integer not null default nextval('public.orders_id_seq'::regclass)");
    says("column customers.id bigint not null identity");
    says("column customers.mood public.mood");
    says("constraint orders.orders_customer_fkey FOREIGN KEY (customer) REFERENCES public.customers(id)");
    says("index orders.orders_note btree (lower(note))");
    says("enum mood 'calm', 'wide awake'");
    says("sequence tickets bigint");
    says("table visits partitioned by RANGE (at)");
    says("table audit.entries ");
    says("schema audit ");
    const never = /visits_2026|_id_seq |orders_pkey .*btree|pg_|information_schema/;
    assert.deepEqual(
      told.filter((line) => never.test(line.split("'")[0] ?? "")),
      [],
    );
  });

  const cases: readonly (readonly [sql: string, undo: string, changes: readonly string[]])[] = [
    [
      "ALTER TABLE orders DROP total CASCADE",
      "ALTER TABLE orders ADD total int DEFAULT 0; CREATE VIEW totals AS SELECT customer, sum(total) AS total FROM orders GROUP BY customer",
      ["dropped column orders.total", "dropped view totals"],
    ],
    [
      "ALTER TABLE orders ALTER note SET NOT NULL",
      "ALTER TABLE orders ALTER note DROP NOT NULL",
      ["changed column orders.note"],
    ],
    [
      "ALTER TABLE orders ALTER total SET DEFAULT 1",
      "ALTER TABLE orders ALTER total SET DEFAULT 0",
      ["changed column orders.total"],
    ],
    ["CREATE UNIQUE INDEX one ON orders (note)", "DROP INDEX one", ["added index orders.one"]],
    [
      "ALTER TYPE mood RENAME VALUE 'calm' TO 'quiet'",
      "ALTER TYPE mood RENAME VALUE 'quiet' TO 'calm'",
      ["changed enum mood"],
    ],
    [
      "CREATE OR REPLACE FUNCTION twice(n int) RETURNS int LANGUAGE sql AS 'SELECT n + n'",
      "CREATE OR REPLACE FUNCTION twice(n int) RETURNS int LANGUAGE sql AS 'SELECT n * 2'",
      ["changed function twice(n integer)"],
    ],
    [
      "ALTER TABLE orders ADD CHECK (total >= 0)",
      "ALTER TABLE orders DROP CONSTRAINT orders_total_check",
      ["added constraint orders.orders_total_check"],
    ],
    [
      "ALTER TABLE orders ENABLE ROW LEVEL SECURITY",
      "ALTER TABLE orders DISABLE ROW LEVEL SECURITY",
      ["changed table orders"],
    ],
    [
      "INSERT INTO customers (email) VALUES ('a@example.com'); CREATE TEMP TABLE scratch (a int)",
      "DELETE FROM customers",
      [],
    ],
  ];
  for (const [sql, undo, changes] of cases) {
    it(`tells what "${sql.slice(0, 60)}" changes`, async () => assert.deepEqual(await changesOf(sql, undo), changes));
  }

  it("calls nothing that the database's own people made", async () => {
    await run(`
      CREATE FUNCTION public.left(text, int) RETURNS text LANGUAGE sql AS 'SELECT ''fooled''';
      CREATE FUNCTION public.concat_ws(text, text, text, text, text, text) RETURNS text LANGUAGE sql AS 'SELECT ''fooled''';
      CREATE TABLE public.pg_class (oid oid, relname name, relnamespace oid);
      ALTER DATABASE ${new URL(url).pathname.slice(1)} SET search_path = public, pg_catalog`);
    const told = await read();
    assert.ok(told.some(({ kind, name }) => kind === "table" && name === "orders"));
    assert.deepEqual(
      told.filter(({ says }) => says === "fooled"),
      [],
    );
  });

  it("is told by the same names when a migration changed where they are looked for", async () => {
    const was = await readSchema(url);
    assert.ok(was);
    await run(`ALTER DATABASE ${new URL(url).pathname.slice(1)} SET search_path = audit`);
    const now = await readSchema(url, { home: was.home });
    assert.deepEqual(diffSchemas(was.objects, now?.objects ?? []).changes, []);
    assert.notDeepEqual(diffSchemas(was.objects, (await readSchema(url))?.objects ?? []).changes, []);
  });

  it("is not asked of a server of another kind", async () => {
    assert.equal(await readSchema("mysql://user:word@127.0.0.1:1/db"), undefined);
  });
});
