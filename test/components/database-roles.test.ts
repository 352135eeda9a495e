/** What the role of a preview may do, and for how long, on every strategy that a PostgreSQL server of ours serves. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import pg from "pg";
import { type DatabaseState, databaseResource } from "../../components/local/database.ts";
import { type AccessInputs, type AccessState, databaseAccessResource } from "../../components/local/database-access.ts";
import { withClient } from "../../components/local/database-client.ts";
import { databaseLoginResource, type LoginState } from "../../components/local/database-login.ts";
import { previewDatabaseName, SCHEMAS_DATABASE } from "../../components/local/database-names.ts";
import type { ResourceContext } from "../../components/local/resource.ts";
import type { DatabaseDriver } from "../../components/ports.ts";
import { registry } from "../../components/registry.ts";
import { createBaseline } from "../../service/baselines/baselines.ts";
import { startTestPostgres } from "../support/postgres.ts";
import { requires } from "../support/requires.ts";

/** What the operator says, and where the preview is let in: a database of its own, or one of many. */
const strategies: Record<
  string,
  { more: object; baseline?: string; into?: Pick<AccessInputs, "database" | "access"> }
> = {
  clone: { more: {}, baseline: "main" },
  empty: { more: {} },
  schema: { more: {}, into: { database: { name: SCHEMAS_DATABASE, own: true }, access: { kind: "schema" } } },
  shared: {
    more: { database: "development", role: "developers", run: [] },
    into: { database: { name: "development", own: false }, access: { kind: "member", of: "developers" } },
  },
  replica: {
    more: { database: "development", schemas: ["public"] },
    into: { database: { name: "development", own: false }, access: { kind: "reader", schemas: ["public"] } },
  },
};
const isolating = ["clone", "empty", "schema"];

describe("the role of a preview", requires("postgres"), () => {
  let server: Awaited<ReturnType<typeof startTestPostgres>>;
  let folder: string;
  before(async () => {
    server = await startTestPostgres();
    folder = await mkdtemp(join(tmpdir(), "stackling-roles-"));
    await writeFile(join(folder, "admin.url"), server.url, { mode: 0o600 });
    await withClient(server.url, async (client) => {
      await client.query("CREATE ROLE developers");
      await client.query("CREATE DATABASE development OWNER developers");
      // As on the embedded server, and as `doctor` asks of another.
      await client.query("REVOKE CONNECT ON DATABASE postgres, template1, development FROM PUBLIC");
    });
  });
  before(() =>
    createBaseline({ adminUrl: server.url, name: "main", now: "2026-01-01T00:00:00Z", fill: async () => {} }),
  );
  after(async () => {
    await server.stop();
    await rm(folder, { recursive: true });
  });

  const sql = (url: string, text: string) => withClient(url, async (client) => (await client.query(text)).rows);
  const admin = (text: string) => sql(server.url, text);
  const contextOf = (stack: string): ResourceContext => ({
    settings: { dataDir: folder, adminUrl: server.url },
    stack,
    admit: async () => undefined,
    signal: new AbortController().signal,
    log: () => undefined,
  });

  /** As the strategy's component declares it. */
  async function make(strategy: string, stack: string, { rotation = 0, validHours = 24 } = {}) {
    const context = contextOf(stack);
    const { into, ...from } = strategies[strategy] ?? {};
    const common = { name: previewDatabaseName(stack), generation: 0, connectionLimit: 3, validHours };
    const made = into
      ? (await databaseAccessResource.create(context, { ...common, ...into }, "access")).state
      : (await databaseResource.create(context, { ...common, tags: {}, ...baselineOf(from) }, "database")).state;
    const login = await letIn(stack, made, rotation);
    return { ...made, url: login.url, login, stack, into };
  }

  const letIn = async (stack: string, made: AccessState | DatabaseState, rotation: number): Promise<LoginState> => {
    const access = "access" in made ? { access: made.access, database: made.database.name } : { database: made.name };
    const { name: role, url: base, identity } = made;
    const inputs = { role, base, identity, rotation, connectionLimit: 3, validHours: 24, ...access };
    return (await databaseLoginResource.create(contextOf(stack), inputs, "login")).state;
  };

  async function drop(made: Awaited<ReturnType<typeof make>>): Promise<void> {
    const { stack, name, login } = made;
    await databaseLoginResource.delete(contextOf(stack), login.login, login);
    if ("access" in made) await databaseAccessResource.delete(contextOf(stack), name, made as AccessState);
    else await databaseResource.delete(contextOf(stack), name, made as DatabaseState);
  }

  async function operationsOf(strategy: string, more: object = {}) {
    const driver = (await registry.database[strategy as "clone"]()) as unknown as DatabaseDriver;
    const given = { server: { file: join(folder, "admin.url") }, ...strategies[strategy]?.more, ...more };
    const options = driver.options.parse(given);
    return { options, operations: driver.operations };
  }
  const hoursLeft = async (role: string) => {
    const [found] = await admin(
      `SELECT rolvaliduntil = 'infinity' AS ever,
         round(extract(epoch FROM nullif(rolvaliduntil, 'infinity') - now()) / 3600) AS hours
       FROM pg_roles WHERE rolname = '${role}'`,
    );
    return found?.ever ? "ever" : Number(found?.hours);
  };
  const expire = (role: string) => admin(`ALTER ROLE ${pg.escapeIdentifier(role)} VALID UNTIL '2026-01-01'`);

  for (const strategy of Object.keys(strategies)) {
    it(`${strategy}: may use its database and nothing of the server`, async () => {
      const made = await make(strategy, "shop-pr-1", { rotation: 1 });
      const [found] = await admin(
        `SELECT bool_or(rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls) AS more,
           min(rolconnlimit) FILTER (WHERE rolcanlogin) AS sessions, count(*)::int AS roles
         FROM pg_roles WHERE starts_with(rolname, 'shop_pr_1')`,
      );
      assert.deepEqual(found, { more: false, sessions: 3, roles: 2 });
      for (const text of [
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT pg_ls_dir('/')",
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "COPY (SELECT 1) TO '/tmp/stackling-copied'",
        "SELECT rolpassword FROM pg_authid",
        "SELECT passwd FROM pg_shadow",
        "CREATE ROLE more",
        "CREATE DATABASE more",
        "ALTER ROLE shop_pr_1 SUPERUSER",
        "ALTER ROLE shop_pr_1 LOGIN",
        "ALTER ROLE \"shop_pr_1.1\" VALID UNTIL 'infinity'",
        'ALTER ROLE "shop_pr_1.1" CONNECTION LIMIT 100',
        "ALTER SYSTEM SET work_mem = '1GB'",
        "COMMENT ON ROLE shop_pr_1 IS 'mine'",
        "SET ROLE postgres",
        "SET SESSION AUTHORIZATION postgres",
        "CREATE EXTENSION file_fdw",
        "CREATE TABLE pg_catalog.mine (id int)",
        "SELECT lo_import('/etc/passwd')",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'postgres' LIMIT 1",
      ]) {
        await assert.rejects(sql(made.url, text), /permission denied|must be|read-only|not (allowed|permitted)/, text);
      }
      for (const other of ["postgres", "template1"]) {
        const url = new URL(made.url);
        url.pathname = `/${other}`;
        await assert.rejects(sql(url.href, "SELECT 1"), /permission denied for database/, other);
      }
      await drop(made);
    });

    it(`${strategy}: ends by itself after a day, or when the operator says, and is renewed until then`, async () => {
      const made = await make(strategy, "shop-pr-2");
      assert.equal(await hoursLeft("shop_pr_2"), 24);
      const { options, operations } = await operationsOf(strategy, { credentialHours: 6 });
      const of = { options, stack: "shop-pr-2" };
      const open = new pg.Client({ connectionString: made.url });
      await open.connect();
      await expire("shop_pr_2");
      await assert.rejects(sql(made.url, "SELECT 1"), /password authentication failed/);
      await open.query("SELECT 1");
      const before = Date.now();
      const until = Date.parse((await operations.renew?.(of)) ?? "");
      assert.ok(Math.abs(until - before - 6 * 3_600_000) < 600_000);
      assert.equal(await hoursLeft("shop_pr_2"), 6);
      await sql(made.url, "SELECT 1");
      await open.end();

      const second = await letIn("shop-pr-2", made, 1);
      for (const role of ["shop_pr_2", second.login]) await expire(role);
      await operations.renew?.(of);
      assert.deepEqual([await hoursLeft("shop_pr_2"), await hoursLeft("shop_pr_2.1")], [6, 6]);
      await databaseLoginResource.delete(contextOf("shop-pr-2"), made.login.login, made.login);
      await expire("shop_pr_2");
      await operations.renew?.(of);
      assert.ok(Number(await hoursLeft("shop_pr_2")) < 0, "a login that was revoked is not renewed");
      assert.equal(await operations.renew?.({ ...of, options: { ...Object(options), credentialHours: 0 } }), undefined);
      assert.equal(await hoursLeft("shop_pr_2.1"), "ever");
      await drop({ ...made, login: second });
      assert.equal(await operations.renew?.(of), undefined);
    });

    it(`${strategy}: works in the preview's name by whichever login, and leaves none behind`, async () => {
      const made = await make(strategy, "shop-pr-3");
      const second = await letIn("shop-pr-3", made, 1);
      for (const { url } of [made, second]) {
        const begin =
          "SELECT current_setting('search_path') AS path, current_setting('default_transaction_read_only') AS read";
        assert.deepEqual(await sql(url, begin), await sql(made.url, begin));
        if (strategy === "replica") {
          await assert.rejects(
            sql(url, "SET default_transaction_read_only = off; COMMIT; CREATE TABLE t (id int)"),
            /permission/,
          );
        } else {
          await sql(
            url,
            "CREATE TABLE IF NOT EXISTS t (id int); ALTER TABLE t ADD COLUMN IF NOT EXISTS n int; INSERT INTO t VALUES (1)",
          );
        }
      }
      if (strategy !== "replica") await sql(second.url, "DROP TABLE t; RESET ROLE; CREATE TABLE mine (id int)");
      await databaseLoginResource.delete(contextOf("shop-pr-3"), second.login, second);
      if (strategy !== "replica") await sql(made.url, "DROP TABLE mine");
      await drop(made);
      assert.deepEqual(await admin("SELECT rolname FROM pg_roles WHERE starts_with(rolname, 'shop_pr_3')"), []);
    });

    it(`${strategy}: has one login for each rotation, though what made it was killed before it could say so`, async () => {
      const made = await make(strategy, "shop-pr-7");
      const [lost, again] = [await letIn("shop-pr-7", made, 1), await letIn("shop-pr-7", made, 1)];
      const found = await admin(
        "SELECT rolname AS name FROM pg_roles WHERE starts_with(rolname, 'shop_pr_7') ORDER BY 1",
      );
      assert.deepEqual(
        found.map(({ name }) => name),
        ["shop_pr_7", "shop_pr_7.1"],
      );
      await assert.rejects(sql(lost.url, "SELECT 1"), /password authentication failed/);
      // The engine deletes what it knows of; what took its place bears the same name.
      await databaseLoginResource.delete(contextOf("shop-pr-7"), lost.login, lost);
      await sql(again.url, "SELECT 1");
      for (const state of [made.login, made.login]) {
        await databaseLoginResource.delete(contextOf("shop-pr-7"), state.login, state);
      }
      await assert.rejects(sql(made.url, "SELECT 1"), /password authentication failed|not permitted to log in/);
      await sql(again.url, "SELECT 1");
      await drop({ ...made, login: again });
    });

    it(`${strategy}: is found and taken away with all its logins where no stack knows of it any more`, async () => {
      const made = await make(strategy, "shop-pr-4");
      await letIn("shop-pr-4", made, 1);
      const { options, operations } = await operationsOf(strategy);
      const owned = (await operations.owned?.(options, "shop-pr-4")) ?? [];
      const found = owned.filter(({ kind }) => kind === "role").map(({ id }) => id);
      assert.deepEqual(found, ["shop_pr_4", "shop_pr_4.1"]);
      for (const thing of owned) await operations.remove?.(options, thing);
      assert.deepEqual(await operations.owned?.(options, "shop-pr-4"), []);
      assert.deepEqual(await admin("SELECT rolname FROM pg_roles WHERE starts_with(rolname, 'shop_pr_4')"), []);
    });
  }

  for (const strategy of isolating) {
    it(`${strategy}: sees nothing of another preview's, nor logs in to it`, async () => {
      const [one, two] = [await make(strategy, "shop-pr-5"), await make(strategy, "shop-pr-6", { rotation: 1 })];
      for (const { url } of [one, two]) await sql(url, "CREATE TABLE orders (id int); INSERT INTO orders VALUES (1)");
      await sql(one.url, "INSERT INTO orders VALUES (2)");
      assert.deepEqual(await sql(two.url, "SELECT id FROM orders"), [{ id: 1 }]);
      const other = new URL(one.url);
      other.pathname = new URL(two.url).pathname;
      if (strategy === "schema") {
        await assert.rejects(sql(one.url, "SELECT FROM shop_pr_6.orders"), /permission denied for schema/);
        await assert.rejects(sql(one.url, "CREATE TABLE shop_pr_6.mine (id int)"), /permission denied for schema/);
      } else await assert.rejects(sql(other.href, "SELECT 1"), /permission denied for database/);
      for (const role of ["shop_pr_6", "shop_pr_6.1"]) {
        await assert.rejects(sql(one.url, `SET ROLE ${pg.escapeIdentifier(role)}`), /permission denied/);
      }
      const theirs = new URL(one.url);
      theirs.username = two.login.login;
      await assert.rejects(sql(theirs.href, "SELECT 1"), /password authentication failed/);
      for (const made of [one, two]) await drop(made);
      for (const stack of ["shop-pr-5", "shop-pr-6"]) {
        const { options, operations } = await operationsOf(strategy);
        assert.deepEqual(await operations.owned?.(options, stack), []);
      }
    });
  }
});

function baselineOf({ baseline }: { readonly baseline?: string }) {
  return baseline === undefined ? {} : { baseline };
}
