/** What is said of a migration that its database refuses, on the server that Stackling runs itself. */
import assert from "node:assert/strict";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { withClient } from "../../../components/local/database-client.ts";
import { layout } from "../../../components/local/layout.ts";
import { LOG_LINE_PREFIX } from "../../../components/local/server-log.ts";
import { taskResource } from "../../../components/local/task.ts";
import { createRepository, type TestRepository } from "../../support/git-repository.ts";
import { startTestPostgres } from "../../support/postgres.ts";
import { requires } from "../../support/requires.ts";
import { createLocalWorld, failureOf } from "./local-world.ts";

const MIGRATE = `
import { readFileSync } from "node:fs";
import pg from "pg";
const client = new pg.Client(process.env.DATABASE_URL);
await client.connect();
const file = process.argv[2];
try { await client.query(readFileSync(file, "utf8")); }
catch (error) { console.error(file + ": " + error.message); process.exitCode = 1; }
await client.end();
`;

describe("a migration that its database refuses", requires("postgres"), () => {
  let repository: TestRepository;
  let world: Awaited<ReturnType<typeof createLocalWorld>>;
  let server: Awaited<ReturnType<typeof startTestPostgres>>;
  let checkout: string;
  let url: string;

  before(async () => {
    repository = await createRepository({
      files: {
        "migrate.mjs": MIGRATE,
        "db/1.sql": "CREATE TABLE teas (id int);\n",
        "db/2.sql": "-- Prices\nCREATE TABLE prices (id int);\nALTER TABLE tea ADD price int;\n",
        "db/3.sql": "CREATE ROLE other PASSWORD 'hunter2-hunter2';",
      },
    });
    [world, server] = [await createLocalWorld(), await startTestPostgres({ log_line_prefix: LOG_LINE_PREFIX })];
    checkout = await world.checkOut({ repository: repository.path, commit: await repository.head("main") });
    await symlink(fileURLToPath(new URL("../../../node_modules", import.meta.url)), join(checkout, "node_modules"));
    const { previewsUrl, previewsLog } = layout(world.dataDir);
    await mkdir(join(previewsLog, ".."), { recursive: true });
    await writeFile(previewsUrl, `${server.url}\n`);
    await symlink(server.logFile, previewsLog);
    await withClient(server.url, (client) => client.query("CREATE ROLE tea LOGIN PASSWORD 'tea-password'"));
    await withClient(server.url, (client) =>
      client.query("GRANT CREATE ON SCHEMA public TO tea; GRANT CONNECT ON DATABASE postgres TO tea"),
    );
    const own = new URL(server.url);
    [own.username, own.password] = ["tea", "tea-password"];
    url = own.href;
  });
  after(async () => {
    await server.stop();
    await world.remove();
    await repository.remove();
  });

  const migrate = (file: string) => {
    const environment = { DATABASE_URL: url };
    const inputs = { checkout, directory: ".", environment, secrets: ["tea-password"], key: file };
    const command = `node migrate.mjs ${file}`;
    return taskResource.create(world.context(), { ...inputs, task: "migrate", command }, "migrate");
  };

  it("names file and statement, of several that were sent at once", async () => {
    const { userMessage, reason } = await failureOf(migrate("db/2.sql"));
    assert.equal(reason, "MigrationFailed");
    assert.equal(
      userMessage,
      'migrating with "node migrate.mjs db/2.sql": it exited with code 1; "db/2.sql" failed: relation "tea" does not exist, in "ALTER TABLE tea ADD price int"',
    );
  });

  it("shows no password that stands in it", async () => {
    const { userMessage } = await failureOf(migrate("db/3.sql"));
    assert.match(userMessage, /in "CREATE ROLE other PASSWORD '\[redacted\]'"$/);
  });

  it("has statements noted for as long as it runs, and no others", async () => {
    await migrate("db/1.sql");
    const { rows } = await withClient(server.url, (client) =>
      client.query("SELECT setconfig FROM pg_db_role_setting JOIN pg_roles ON oid = setrole WHERE rolname = 'tea'"),
    );
    assert.deepEqual(rows, []);
  });
});
