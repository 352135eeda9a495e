import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import pg from "pg";
import { ConflictError, TerminalError } from "../../../components/errors.ts";
import { databaseResource } from "../../../components/local/database.ts";
import {
  type AccessInputs,
  type AccessState,
  databaseAccessResource,
} from "../../../components/local/database-access.ts";
import { withClient } from "../../../components/local/database-client.ts";
import { previewDatabaseName, SCHEMAS_DATABASE, sharedDatabaseName } from "../../../components/local/database-names.ts";
import { adminUrlOf } from "../../../components/local/database-server.ts";
import type { ResourceContext } from "../../../components/local/resource.ts";
import { startTestPostgres } from "../../support/postgres.ts";
import { requires } from "../../support/requires.ts";

const SHOP = sharedDatabaseName("shop");
const strategies = {
  schema: { database: { name: SCHEMAS_DATABASE, own: true }, access: { kind: "schema" } },
  shared: { database: { name: SHOP, own: true, group: SHOP }, access: { kind: "member", of: SHOP } },
  replica: { database: { name: "staging", own: false }, access: { kind: "reader", schemas: ["public"] } },
} as const satisfies Record<string, Pick<AccessInputs, "database" | "access">>;
type Strategy = keyof typeof strategies;
const all = Object.keys(strategies) as Strategy[];

/** By a superuser, and by an admin as a managed server gives it. */
for (const admins of ["superuser", "managed admin"] as const) {
  describe(`a preview's role in a database of many, made by a ${admins}`, requires("postgres"), () => {
    let server: Awaited<ReturnType<typeof startTestPostgres>>;
    let adminUrl: string;

    before(async () => {
      server = await startTestPostgres();
      const url = new URL(server.url);
      await withClient(server.url, async (client) => {
        await client.query("CREATE ROLE manager LOGIN CREATEDB CREATEROLE PASSWORD 'word'");
        await client.query("CREATE DATABASE staging OWNER manager");
        await client.query("REVOKE ALL ON DATABASE staging FROM PUBLIC");
        // As everybody may on a server that is not the embedded one.
        await client.query("GRANT CONNECT ON DATABASE postgres, template0 TO manager");
      });
      if (admins === "managed admin") Object.assign(url, { username: "manager", password: "word" });
      adminUrl = url.href;
      await staging("CREATE TABLE orders (id int); INSERT INTO orders VALUES (1); CREATE SEQUENCE numbers");
    });
    after(() => server.stop());

    const contextOf = (stack: string, change: Partial<ResourceContext> = {}): ResourceContext => ({
      settings: { dataDir: "/nowhere", adminUrl },
      stack,
      admit: async () => undefined,
      signal: new AbortController().signal,
      log: () => undefined,
      ...change,
    });
    const inputsOf = (strategy: Strategy, stack: string, change: Partial<AccessInputs> = {}): AccessInputs => ({
      ...strategies[strategy],
      name: previewDatabaseName(stack),
      generation: 0,
      connectionLimit: 3,
      ...change,
    });
    const make = (strategy: Strategy, stack: string, change: Partial<AccessInputs> = {}) =>
      databaseAccessResource.create(contextOf(stack), inputsOf(strategy, stack, change), "access");
    const read = (stack: string, state: AccessState) =>
      databaseAccessResource.read(contextOf(stack), state.name, state);
    const drop = (stack: string, state: AccessState) =>
      databaseAccessResource.delete(contextOf(stack), state.name, state);
    const sql = (url: string, text: string) => withClient(url, async (client) => (await client.query(text)).rows);
    const root = (text: string, database = "postgres") => sql(adminUrlOf(server.url, database), text);
    const staging = (text: string) => sql(adminUrlOf(adminUrl, "staging"), text);

    for (const strategy of all) {
      it(`${strategy}: leaves no role and no schema, and takes no session along but its own`, async () => {
        const [one, two] = [await make(strategy, "shop-pr-1"), await make(strategy, "shop-pr-2")];
        if (strategy !== "replica") {
          await sql(one.state.url, "CREATE TABLE made (id int); SELECT lo_create(0)");
        }
        const open = new pg.Client({ connectionString: one.state.url });
        open.on("error", () => undefined);
        await open.connect();
        await withClient(two.state.url, async (other) => {
          await drop("shop-pr-1", one.state);
          await drop("shop-pr-1", one.state);
          await other.query("SELECT 1");
        });
        await open.end().catch(() => undefined);
        assert.deepEqual(await root("SELECT FROM pg_roles WHERE rolname = 'shop_pr_1'"), []);
        const { database } = strategies[strategy];
        assert.deepEqual(await root("SELECT FROM pg_namespace WHERE nspname = 'shop_pr_1'", database.name), []);
        await assert.rejects(sql(one.state.url, "SELECT 1"), /password authentication failed/);
        await drop("shop-pr-2", two.state);
        await root("DROP TABLE IF EXISTS made", SHOP).catch(() => undefined);
      });

      it(`${strategy}: lets no preview's role log in as another, act as it, or into another's own database`, async () => {
        const [one, two] = [await make(strategy, "shop-pr-3"), await make(strategy, "shop-pr-4")];
        const own = { name: "shop_pr_5", generation: 0, connectionLimit: 3, tags: {} };
        const alone = await databaseResource.create(contextOf("shop-pr-5"), own, "database");
        const other = new URL(two.state.url);
        other.password = new URL(one.state.url).password;
        await assert.rejects(sql(other.href, "SELECT 1"), /password authentication failed/);
        await assert.rejects(sql(one.state.url, "SET ROLE shop_pr_4"), /permission denied/);
        for (const database of ["shop_pr_5", "postgres", "template1"]) {
          const url = adminUrlOf(one.state.url, database);
          await assert.rejects(sql(url, "SELECT 1"), /permission denied|not currently accepting/, database);
        }
        await assert.rejects(
          sql(adminUrlOf(alone.state.url, one.state.database.name), "SELECT 1"),
          /permission denied/,
        );
        await drop("shop-pr-3", one.state);
        await drop("shop-pr-4", two.state);
        await databaseResource.delete(contextOf("shop-pr-5"), "shop_pr_5", alone.state);
      });

      it(`${strategy}: is seen as gone when its role was dropped, and made again`, async () => {
        const { state } = await make(strategy, "shop-pr-6");
        assert.deepEqual(await read("shop-pr-6", state), state);
        await root("DROP OWNED BY shop_pr_6 CASCADE", strategies[strategy].database.name);
        await root("DROP ROLE shop_pr_6");
        assert.equal(await read("shop-pr-6", state), undefined);
        const again = await make(strategy, "shop-pr-6");
        await sql(again.state.url, "SELECT 1");
        await drop("shop-pr-6", again.state);
      });

      it(`${strategy}: is adopted with its identity when the state of its create was lost`, async () => {
        const first = await make(strategy, "shop-pr-7");
        const again = await make(strategy, "shop-pr-7");
        assert.equal(again.state.identity, first.state.identity);
        await assert.rejects(sql(first.state.url, "SELECT 1"), /password authentication failed/);
        await drop("shop-pr-7", again.state);
      });

      for (const steps of admins === "superuser" ? [1, 2, 3] : []) {
        it(`${strategy}: is finished when an earlier create stopped at its admission ${steps}`, async () => {
          let left = steps;
          const admit = async () => {
            if (--left < 0) throw new ConflictError({ reason: "Fenced", userMessage: "a later holder" });
          };
          const inputs = inputsOf(strategy, "shop-pr-8");
          await databaseAccessResource
            .create(contextOf("shop-pr-8", { admit }), inputs, "access")
            .catch((error) => assert.ok(error instanceof ConflictError));
          const { state } = await make(strategy, "shop-pr-8");
          await sql(state.url, "SELECT 1");
          await drop("shop-pr-8", state);
        });
      }

      it(`${strategy}: never touches a role of its name that Stackling did not make for it`, async () => {
        await root("CREATE ROLE shop_pr_9");
        await assert.rejects(make(strategy, "shop-pr-9"), /role of that name already that was not made by Stackling/);
        const { state } = await make(strategy, "shop-pr-10");
        await drop("shop-pr-9", { ...state, name: "shop_pr_9" });
        assert.equal((await root("SELECT FROM pg_roles WHERE rolname = 'shop_pr_9'")).length, 1);
        await root("DROP ROLE shop_pr_9");
        await drop("shop-pr-10", state);
      });

      it(`${strategy}: changes the limit of sessions in place, and keeps its password out of all but the URL`, async () => {
        const { state } = await make(strategy, "shop-pr-11");
        const inputs = inputsOf(strategy, "shop-pr-11", { connectionLimit: 1 });
        assert.deepEqual(databaseAccessResource.diff(state, inputs).replaces, []);
        const changed = await databaseAccessResource.update?.(contextOf("shop-pr-11"), state.name, state, inputs);
        assert.equal(changed?.url, state.url);
        await withClient(state.url, () => assert.rejects(sql(state.url, "SELECT 1"), /too many connections/));
        assert.ok(!JSON.stringify({ ...state, url: "" }).includes(new URL(state.url).password));
        await drop("shop-pr-11", state);
      });

      it(`${strategy}: is made for many previews at once`, async () => {
        const stacks = Array.from({ length: 6 }, (_, index) => `shop-pr-2${index}`);
        const made = await Promise.all(stacks.map((stack) => make(strategy, stack)));
        await Promise.all(made.map(({ state }) => sql(state.url, "SELECT 1")));
        await Promise.all(made.map(({ state }, index) => drop(stacks[index] ?? "", state)));
      });
    }

    it("schema: keeps two previews' tables of one name apart, and lets neither into the other's", async () => {
      const [one, two] = [await make("schema", "shop-pr-1"), await make("schema", "shop-pr-2")];
      for (const [index, { state }] of [one, two].entries()) {
        await sql(state.url, `CREATE TABLE orders (id int); INSERT INTO orders VALUES (${index})`);
      }
      assert.deepEqual(await sql(one.state.url, "SELECT id FROM orders"), [{ id: 0 }]);
      await assert.rejects(sql(one.state.url, "SELECT FROM shop_pr_2.orders"), /permission denied for schema/);
      await assert.rejects(sql(one.state.url, "CREATE TABLE public.meeting (id int)"), /permission denied for schema/);
      await assert.rejects(sql(one.state.url, "CREATE SCHEMA mine"), /permission denied for database/);
      await assert.rejects(sql(one.state.url, "ALTER SCHEMA shop_pr_1 RENAME TO other"), /must be owner/);
      await drop("shop-pr-1", one.state);
      assert.deepEqual(await sql(two.state.url, "SELECT id FROM orders"), [{ id: 1 }]);
      await drop("shop-pr-2", two.state);
    });

    it("schema: is made anew, with another identity, when it was dropped or its generation was raised", async () => {
      const { state } = await make("schema", "shop-pr-1");
      await root("DROP SCHEMA shop_pr_1 CASCADE", SCHEMAS_DATABASE);
      assert.equal(await read("shop-pr-1", state), undefined);
      const second = await make("schema", "shop-pr-1");
      await sql(second.state.url, "CREATE TABLE old (id int)");
      const next = inputsOf("schema", "shop-pr-1", { generation: 1 });
      assert.deepEqual(databaseAccessResource.diff(second.state, next).replaces, ["generation"]);
      const third = await make("schema", "shop-pr-1", { generation: 1 });
      await assert.rejects(sql(third.state.url, "SELECT FROM old"), /does not exist/);
      assert.equal(new Set([state, second.state, third.state].map(({ identity }) => identity)).size, 3);
      // An engine that makes the new one first deletes the old one last.
      await drop("shop-pr-1", second.state);
      await sql(third.state.url, "CREATE TABLE still (id int)");
      await drop("shop-pr-1", third.state);
    });

    it("schema: never touches a schema that Stackling did not make, and refuses where previews would meet", async () => {
      const database = { name: "staging", own: false };
      await staging("CREATE SCHEMA shop_pr_1");
      await assert.rejects(make("schema", "shop-pr-1", { database }), /has one of that name already/);
      assert.deepEqual(await root("SELECT FROM pg_roles WHERE rolname = 'shop_pr_1'"), []);
      await staging("DROP SCHEMA shop_pr_1; CREATE SCHEMA open; GRANT CREATE ON SCHEMA open TO PUBLIC");
      await assert.rejects(make("schema", "shop-pr-1", { database }), /everybody may create in its schema "open"/);
      await staging("DROP SCHEMA open");
      const { state } = await make("schema", "shop-pr-1", { database });
      await assert.rejects(sql(state.url, "SELECT FROM public.orders"), /permission denied for table orders/);
      await drop("shop-pr-1", state);
      assert.equal((await staging("SELECT FROM orders")).length, 1);
    });

    it("shared: what one preview makes, the others change, and it stays when that one goes", async () => {
      const [one, two] = [await make("shared", "shop-pr-1"), await make("shared", "shop-pr-2")];
      assert.equal(one.state.identity, two.state.identity);
      await sql(one.state.url, "CREATE TABLE carts (id int); SET ROLE NONE; CREATE TABLE put_off (id int)");
      await sql(two.state.url, "ALTER TABLE carts ADD price int; INSERT INTO carts VALUES (1, 2)");
      await drop("shop-pr-1", one.state);
      assert.equal((await sql(two.state.url, "SELECT FROM carts")).length, 1);
      await sql(two.state.url, "DROP TABLE put_off; DROP TABLE carts");
      await drop("shop-pr-2", two.state);
    });

    it("shared: gives no preview the rights of a role that may do more than use databases", async () => {
      await root("CREATE ROLE boss CREATEROLE; CREATE ROLE deputy; GRANT boss TO deputy");
      for (const role of ["boss", "deputy", "postgres", "pg_read_all_data", "nobody_there"]) {
        const access = { kind: "member", of: role } as const;
        await assert.rejects(make("shared", "shop-pr-1", { access }), (error) => {
          assert.ok(error instanceof TerminalError && error.userMessage.includes(role), String(error));
          return true;
        });
        assert.deepEqual(await root("SELECT FROM pg_roles WHERE rolname = 'shop_pr_1'"), []);
      }
    });

    it("shared: makes its database once, and never takes one of that name that it did not make", async () => {
      const name = sharedDatabaseName("other");
      const theirs = { database: { name, own: true, group: name }, access: { kind: "member", of: name } as const };
      await root(`CREATE DATABASE "${name}"`);
      await assert.rejects(make("shared", "shop-pr-1", theirs), /already that was not made by Stackling/);
      await root(`DROP DATABASE "${name}"`);
      const { state } = await make("shared", "shop-pr-1", theirs);
      await drop("shop-pr-1", state);
      assert.equal((await root(`SELECT FROM pg_database WHERE datname = '${name}'`)).length, 1);
    });

    it("replica: reads what is there and what comes, and refuses to write, whatever its application sets", async () => {
      const { state } = await make("replica", "shop-pr-1");
      await staging("CREATE TABLE later (id int)");
      assert.deepEqual(await sql(state.url, "SELECT id FROM orders"), [{ id: 1 }]);
      assert.deepEqual(await sql(state.url, "SELECT id FROM later"), []);
      await assert.rejects(sql(state.url, "INSERT INTO orders VALUES (2)"), /read-only transaction/);
      const writes = [
        "INSERT INTO orders VALUES (2)",
        "DELETE FROM orders",
        "TRUNCATE later",
        "CREATE TABLE t (id int)",
      ];
      for (const write of [...writes, "DROP TABLE orders", "SELECT nextval('numbers')", "CREATE SCHEMA s"]) {
        const anyway = `SET default_transaction_read_only = off; COMMIT; BEGIN READ WRITE; ${write}; COMMIT`;
        await assert.rejects(sql(state.url, anyway), /permission denied|must be owner/, write);
      }
      await drop("shop-pr-1", state);
      await staging("DROP TABLE later");
      assert.equal((await staging("SELECT FROM orders")).length, 1);
    });

    it("replica: refuses where everybody may write, and is seen as gone when its role came to", async () => {
      await staging("GRANT INSERT ON orders TO PUBLIC");
      await assert.rejects(make("replica", "shop-pr-1"), /everybody may write its table "orders"/);
      await staging("REVOKE INSERT ON orders FROM PUBLIC");
      const { state } = await make("replica", "shop-pr-1");
      await staging("GRANT UPDATE (id) ON orders TO shop_pr_1");
      assert.equal(await read("shop-pr-1", state), undefined);
      await drop("shop-pr-1", state);
    });

    it("names a database or schema that is not there, and leaves no role", async () => {
      const nowhere = { database: { name: "stagign", own: false } };
      await assert.rejects(make("replica", "shop-pr-1", nowhere), /"stagign": the server has none of that name/);
      const missing = { access: { kind: "reader", schemas: ["public", "sales"] } } as const;
      await assert.rejects(make("replica", "shop-pr-1", missing), /has no schema "sales"/);
      assert.deepEqual(await root("SELECT FROM pg_roles WHERE rolname = 'shop_pr_1'"), []);
    });
  });
}

describe("what a preview had by one strategy", requires("postgres"), () => {
  it("is not taken, changed or dropped by another", async () => {
    const server = await startTestPostgres();
    try {
      const context = {
        settings: { dataDir: "/nowhere", adminUrl: server.url },
        stack: "shop-pr-1",
        admit: async () => undefined,
        signal: new AbortController().signal,
        log: () => undefined,
      };
      const inputs = { ...strategies.schema, name: "shop_pr_1", generation: 0, connectionLimit: 3 };
      const { state } = await databaseAccessResource.create(context, inputs, "access");
      const own = { name: "shop_pr_1", generation: 0, connectionLimit: 3, tags: {} };
      await assert.rejects(databaseResource.create(context, own, "database"), /by another strategy/);
      const before = { ...own, role: "shop_pr_1", url: state.url, identity: "1-a" };
      await databaseResource.delete(context, "shop_pr_1", before);
      const shared = { ...inputs, ...strategies.shared };
      await assert.rejects(databaseAccessResource.create(context, shared, "access"), /by another strategy/);
      await databaseAccessResource.delete(context, "shop_pr_1", { ...state, ...shared, identity: "x" });
      assert.deepEqual(await databaseAccessResource.read(context, "shop_pr_1", state), state);
    } finally {
      await server.stop();
    }
  });
});
