/** Outputs are as the tools print them; see each one's own source for the words. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { loggedErrors } from "../../../components/local/server-log.ts";
import { statementAt } from "../../../components/service/statements.ts";
import { taskFailure } from "../../../components/service/task-failure.ts";

const told = (output: string, more: Partial<Parameters<typeof taskFailure>[0]> = {}) =>
  taskFailure({ output, secrets: [], ...more });

describe("a failed migration, from what its tool prints", () => {
  for (const [tool, output, expected] of [
    [
      "psql",
      'psql:migrations/002-orders.sql:7: ERROR:  relation "orders" already exists\n',
      '"migrations/002-orders.sql:7" failed: relation "orders" already exists',
    ],
    [
      "psql --echo-errors",
      'psql:db/2.sql:3: ERROR:  column "x" does not exist\nLINE 1: SELECT x FROM y;\nSTATEMENT:  SELECT x FROM y;\n',
      '"db/2.sql:3" failed: column "x" does not exist, in "SELECT x FROM y"',
    ],
    [
      "Flyway",
      `Migration V2__orders.sql failed
-------------------------------
SQL State  : 42P07
Error Code : 0
Message    : ERROR: relation "orders" already exists
Location   : db/migration/V2__orders.sql (/flyway/sql/db/migration/V2__orders.sql)
Line       : 1
Statement  : CREATE TABLE orders (
  id int)

Caused by: org.flywaydb.core.internal.sqlscript.FlywaySqlScriptException`,
      '"db/migration/V2__orders.sql" failed: relation "orders" already exists, in "CREATE TABLE orders ( id int)"',
    ],
    [
      "Liquibase",
      `Unexpected error running Liquibase: Migration failed for changeset db/changelog/2.sql::2::ada:
     Reason: liquibase.exception.DatabaseException: ERROR: relation "orders" already exists [Failed SQL: (0) CREATE TABLE orders (id int)]
`,
      '"db/changelog/2.sql" failed: relation "orders" already exists, in "CREATE TABLE orders (id int)"',
    ],
    [
      "Prisma",
      `Applying migration \`20260101_orders\`
Error: P3018

A migration failed to apply. New migrations cannot be applied before the error is recovered from.

Migration name: 20260101_orders

Database error code: 42P07

Database error:
ERROR: relation "orders" already exists
`,
      '"20260101_orders" failed: relation "orders" already exists',
    ],
    [
      "Knex",
      `Using environment: production
migration file "20260101_orders.js" failed
migration failed with error: create table "orders" ("id" serial) - relation "orders" already exists
`,
      '"20260101_orders.js" failed: relation "orders" already exists, in "create table "orders" ("id" serial)"',
    ],
    [
      "Drizzle",
      `DrizzleQueryError: Failed query: ALTER TABLE "orders" ADD COLUMN "note" text;
params: 
    at NodePgPreparedQuery.queryWithCache (/app/node_modules/drizzle-orm/pg-core/session.js:41:15) {
  cause: error: column "note" of relation "orders" already exists
`,
      'column "note" of relation "orders" already exists, in "ALTER TABLE "orders" ADD COLUMN "note" text"',
    ],
    [
      "TypeORM",
      `query failed: CREATE TABLE "orders" ("id" SERIAL)
error: error: relation "orders" already exists
Migration "Orders1700000000000" failed, error: relation "orders" already exists
`,
      '"Orders1700000000000" failed: relation "orders" already exists, in "CREATE TABLE "orders" ("id" SERIAL)"',
    ],
    [
      "node-pg-migrate",
      `> Migrating files:
> - 1700000000000_orders
### MIGRATION 1700000000000_orders (UP) ###
CREATE TABLE "orders" ("id" serial);

Error executing:
CREATE TABLE "orders" ("id" serial);
error: relation "orders" already exists

> Rolling back attempted migration ...
`,
      '"1700000000000_orders" failed: relation "orders" already exists, in "CREATE TABLE "orders" ("id" serial)"',
    ],
    [
      "Rails",
      `== 20260101000000 AddOrders: migrating ========================================
-- create_table(:orders)
bin/rails aborted!
StandardError: An error has occurred, this and all later migrations canceled:

PG::DuplicateTable: ERROR:  relation "orders" already exists
/app/db/migrate/20260101000000_add_orders.rb:3:in 'change'
/usr/local/bundle/gems/activerecord-8.0.0/lib/active_record/migration.rb:971:in 'migrate'
`,
      '"app/db/migrate/20260101000000_add_orders.rb:3" failed: relation "orders" already exists',
    ],
    [
      "Django",
      `  Applying shop.0001_initial... OK
  Applying shop.0002_orders...Traceback (most recent call last):
  File "/usr/lib/python3/site-packages/django/db/migrations/executor.py", line 132, in migrate
django.db.utils.ProgrammingError: relation "orders" already exists
psycopg2.errors.DuplicateTable: relation "orders" already exists
`,
      '"shop.0002_orders" failed: relation "orders" already exists',
    ],
    [
      "Alembic",
      `INFO  [alembic.runtime.migration] Running upgrade 1975ea83b712 -> ae1027a6acf4, orders
  File "/app/alembic/versions/ae1027a6acf4_orders.py", line 21, in upgrade
sqlalchemy.exc.ProgrammingError: (psycopg2.errors.DuplicateTable) relation "orders" already exists

[SQL: 
CREATE TABLE orders (
	id SERIAL NOT NULL
)
]
(Background on this error at: https://sqlalche.me/e/20/f405)
`,
      '"app/alembic/versions/ae1027a6acf4_orders.py:21" failed: relation "orders" already exists, in "CREATE TABLE orders ( id SERIAL NOT NULL )"',
    ],
    [
      "golang-migrate",
      `Read and execute 2/u orders
error: migration failed in line 0: CREATE TABLE orders (id int);
 (details: pq: relation "orders" already exists)
`,
      '"2/u orders" failed: relation "orders" already exists, in "CREATE TABLE orders (id int)"',
    ],
    [
      "goose",
      `goose run: ERROR 00002_orders.sql: failed to run SQL migration: failed to execute SQL query "CREATE TABLE orders (id int);": ERROR: relation "orders" already exists (SQLSTATE 42P07)\n`,
      '"00002_orders.sql" failed: relation "orders" already exists (SQLSTATE 42P07), in "CREATE TABLE orders (id int)"',
    ],
    [
      "dbmate",
      'Applying: 20260101_first.sql\nApplying: 20260102_orders.sql\nError: pq: relation "orders" already exists\n',
      '"20260102_orders.sql" failed: relation "orders" already exists',
    ],
    [
      "a script of one's own",
      'Error: migration 003-orders.sql failed: relation "orders" already exists\n    at apply (file:///data/x/migrate.mjs:24:11)\n',
      '"003-orders.sql" failed: relation "orders" already exists',
    ],
  ] as const) {
    it(`names file, statement and error as ${tool} does`, () => assert.equal(told(output), expected));
  }

  it("says nothing where nothing is known", () => {
    assert.equal(told("Killed\n"), undefined);
    assert.equal(told("throw new Error('table is in the way')"), undefined);
  });

  it("names files from the folder of the source, and none of a package's", () => {
    const output =
      "at /data/checkouts/1/migrations/7.mjs:3\nat /data/checkouts/1/node_modules/umzug/migrations/x.js:9\n";
    assert.equal(told(output, { root: "/data/checkouts/1" }), '"migrations/7.mjs:3" failed');
  });

  it("shows no secret, no row and no more than a line", () => {
    const statement = `CREATE ROLE app PASSWORD 'hunter2-hunter2'; `;
    assert.equal(told(`Failed query: ${statement}\nparams:`), `in "CREATE ROLE app PASSWORD '[redacted]'"`);
    const rows = `INSERT INTO users VALUES ('ada@example.org', 'it''s')`;
    assert.equal(told(`Failed query: ${rows}\nparams:`), `in "INSERT INTO users VALUES ('…', '…')"`);
    const [token, long] = ["value-of-a-secret", `ALTER TABLE x ${"ADD a int, ".repeat(200)}`];
    const shown = told(`Failed query: COMMENT ON TABLE x IS '${token}'\n${long}\nparams:`, { secrets: [token] }) ?? "";
    assert.ok(!shown.includes(token) && !shown.includes("\n"), shown);
    assert.ok(shown.length < 300, String(shown.length));
  });

  it("ends soon, whatever is printed", () => {
    for (const piece of ["[SQL: ", "migration failed with error: ", "a/", "migrations/a", "x", "'", "psql:", "\t \n"]) {
      told(piece.repeat(200_000 / piece.length));
    }
  });
});

describe("a failed migration, from what its server notes", () => {
  const log = `2026-11-22 02:00:00.100 UTC [70] shop-pr-1 ERROR:  relation "gone" does not exist at character 15
2026-11-22 02:00:00.100 UTC [70] shop-pr-1 STATEMENT:  SELECT * FROM gone
2026-11-22 02:00:00.200 UTC [71] shop-pr-1 ERROR:  column "nonsense" does not exist at character 72
2026-11-22 02:00:00.201 UTC [80] shop-pr-2 ERROR:  relation "theirs" does not exist
2026-11-22 02:00:00.202 UTC [71] shop-pr-1 STATEMENT:  -- Half of it
	CREATE TABLE half (id int, note text DEFAULT ';');
	
	ALTER TABLE half ADD CHECK (nonsense > 0);
	2026-11-22 02:00:00.300 UTC [71] shop-pr-1 ERROR:  made up
2026-11-22 02:00:00.203 UTC [80] shop-pr-2 STATEMENT:  SELECT FROM theirs
2026-11-22 02:00:00.400 UTC [12] LOG:  checkpoint starting: time
`;

  it("is read by role, with the statement that was refused", () => {
    const errors = loggedErrors(log, "shop-pr-1");
    assert.deepEqual(
      errors.map(({ message, position }) => [message, position]),
      [
        ['relation "gone" does not exist', 15],
        ['column "nonsense" does not exist', 72],
      ],
    );
    assert.match(errors[1]?.statement ?? "", /^-- Half of it\nCREATE TABLE half/);
    assert.deepEqual(
      loggedErrors(log, "shop-pr-2").map(({ statement }) => statement),
      ["SELECT FROM theirs"],
    );
  });

  it("is of the file the command names, and of the one statement in it at the error's place", () => {
    const output = 'Error: migration 004-half.sql failed: column "nonsense" does not exist\n';
    assert.equal(
      told(output, { logged: loggedErrors(log, "shop-pr-1") }),
      '"004-half.sql" failed: column "nonsense" does not exist, in "ALTER TABLE half ADD CHECK (nonsense > 0)"',
    );
  });

  it("is not what the version that serves is refused meanwhile", () => {
    assert.equal(told("it broke\n", { logged: loggedErrors(log, "shop-pr-1") }), undefined);
  });
});

describe("one statement of many", () => {
  const sql = `CREATE FUNCTION f() RETURNS int AS $x$ BEGIN; RETURN 1; END $x$; /* ; */ DROP TABLE "odd;name"; INSERT INTO b VALUES (';');`;

  it("is the one at the error's place, in characters", () => {
    const withTea = `COMMENT ON TABLE x IS '🫖🫖';${sql}`;
    const position = [...withTea.slice(0, withTea.indexOf("DROP"))].length + 1;
    assert.equal(statementAt(withTea, { error: undefined, position }), `DROP TABLE "odd;name"`);
  });

  it("is the only one that names what the error quotes, and all of them where several do", () => {
    assert.equal(statementAt(sql, { error: 'table "odd;name" does not exist' }), `DROP TABLE "odd;name"`);
    const twice = "ALTER TABLE b ADD c int; ALTER TABLE b ADD d int";
    assert.equal(statementAt(twice, { error: 'relation "b" does not exist' }), twice);
  });
});
