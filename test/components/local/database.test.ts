import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import pg from "pg";
import { ConflictError, TerminalError } from "../../../components/errors.ts";
import { type DatabaseInputs, type DatabaseState, databaseResource } from "../../../components/local/database.ts";
import { withClient } from "../../../components/local/database-client.ts";
import { previewDatabaseName } from "../../../components/local/database-names.ts";
import { find, findOwned } from "../../../components/local/database-server.ts";
import type { ResourceContext } from "../../../components/local/resource.ts";
import { createBaseline } from "../../../service/baselines/baselines.ts";
import { startTestPostgres } from "../../support/postgres.ts";
import { requires } from "../../support/requires.ts";

describe("a preview's database", requires("postgres"), () => {
  let server: Awaited<ReturnType<typeof startTestPostgres>>;

  before(async () => {
    server = await startTestPostgres();
    await createBaseline({ adminUrl: server.url, name: "main", now: "2026-01-01T00:00:00Z", fill: shop });
  });
  after(() => server.stop());

  const contextOf = (stack: string, change: Partial<ResourceContext> = {}): ResourceContext => ({
    settings: { dataDir: "/nowhere", adminUrl: server.url },
    stack,
    admit: async () => undefined,
    signal: new AbortController().signal,
    log: () => undefined,
    ...change,
  });
  const inputsOf = (stack: string, change: Partial<DatabaseInputs> = {}): DatabaseInputs => ({
    name: previewDatabaseName(stack),
    generation: 0,
    connectionLimit: 3,
    baseline: "main",
    tags: { preview: stack },
    ...change,
  });
  const make = (stack: string, change: Partial<DatabaseInputs> = {}) =>
    databaseResource.create(contextOf(stack), inputsOf(stack, change), "database");
  const drop = (stack: string, state: DatabaseState) => databaseResource.delete(contextOf(stack), state.name, state);
  const admin = <T>(work: (client: pg.Client) => Promise<T>) => withClient(server.url, work);
  const sql = (url: string, text: string) => withClient(url, async (client) => (await client.query(text)).rows);

  it("has the baseline's rows, and its role may change their tables", async () => {
    const { id, state } = await make("shop-pr-1");
    assert.equal(id, "shop_pr_1");
    assert.deepEqual(await sql(state.url, "SELECT name FROM items ORDER BY 1"), [{ name: "cup" }, { name: "pot" }]);
    await sql(
      state.url,
      "ALTER TABLE items ADD price int; DROP VIEW cheap; CREATE SCHEMA extra; INSERT INTO items VALUES ('pan')",
    );
    await drop("shop-pr-1", state);
  });

  it("is empty when there is no baseline, and its role may make tables", async () => {
    const { state } = await make("shop-pr-2", { baseline: undefined });
    await sql(state.url, "CREATE TABLE t (id int)");
    await drop("shop-pr-2", state);
  });

  it("lets no preview's role log in to another's database, the server's own, a template or a baseline", async () => {
    const [one, two] = await Promise.all([make("shop-pr-3"), make("shop-pr-4")]);
    for (const other of [two.state.name, "postgres", "template1", "template0", "baseline.main"]) {
      const url = new URL(one.state.url);
      url.pathname = `/${other}`;
      await assert.rejects(sql(url.href, "SELECT 1"), /permission denied|not currently accepting connections/, other);
    }
    const theft = `SET ROLE ${pg.escapeIdentifier(two.state.role)}`;
    await assert.rejects(sql(one.state.url, theft), /permission denied/);
    await drop("shop-pr-3", one.state);
    await drop("shop-pr-4", two.state);
  });

  it("refuses more sessions than its limit", async () => {
    const { state } = await make("shop-pr-5", { connectionLimit: 1 });
    await withClient(state.url, async () => {
      await assert.rejects(sql(state.url, "SELECT 1"), /too many connections/);
    });
    await drop("shop-pr-5", state);
  });

  it("is seen as gone by read when somebody dropped it, and made anew with another identity", async () => {
    const first = await make("shop-pr-6");
    const read = () => databaseResource.read(contextOf("shop-pr-6"), first.id, first.state);
    assert.deepEqual(await read(), first.state);
    await admin((client) => client.query("DROP DATABASE shop_pr_6 WITH (FORCE)"));
    assert.equal(await read(), undefined);
    const second = await make("shop-pr-6");
    assert.notEqual(second.state.identity, first.state.identity);
    assert.equal(await read(), undefined);
    await drop("shop-pr-6", second.state);
  });

  it("leaves neither database nor role when it is deleted with sessions open, and deleting again succeeds", async () => {
    const { state } = await make("shop-pr-7");
    const open = new pg.Client({ connectionString: state.url });
    open.on("error", () => undefined);
    await open.connect();
    await drop("shop-pr-7", state);
    await drop("shop-pr-7", state);
    assert.deepEqual(await admin((client) => find(client, state.name)), { role: undefined, database: undefined });
    assert.deepEqual(await admin((client) => findOwned(client, "shop-pr-7")), []);
    await open.end().catch(() => undefined);
  });

  it("is adopted with its rows and identity when the state of its create was lost", async () => {
    const first = await make("shop-pr-8");
    await sql(first.state.url, "INSERT INTO items VALUES ('kept')");
    const again = await make("shop-pr-8");
    assert.equal(again.state.identity, first.state.identity);
    assert.equal((await sql(again.state.url, "SELECT FROM items WHERE name = 'kept'")).length, 1);
    await assert.rejects(sql(first.state.url, "SELECT 1"), /password authentication failed/);
    await drop("shop-pr-8", again.state);
  });

  for (const steps of [1, 2, 3]) {
    it(`is finished when an earlier create stopped at its admission ${steps}`, async () => {
      const stack = `shop-pr-5${steps}`;
      let left = steps;
      const admit = async () => {
        if (--left < 0) throw new ConflictError({ reason: "Fenced", userMessage: "a later holder" });
      };
      const started = databaseResource.create(contextOf(stack, { admit }), inputsOf(stack), "database");
      await started.catch((error) => assert.ok(error instanceof ConflictError));
      const { state } = await make(stack);
      assert.equal((await sql(state.url, "SELECT FROM items")).length, 2);
      await drop(stack, state);
    });
  }

  it("is finished when a killed create left its copy closed and half handed over", async () => {
    const { state } = await make("shop-pr-9");
    await admin(async (client) => {
      const { role } = await find(client, state.name);
      const comment = JSON.stringify({ ...role?.marker, complete: false });
      await client.query(`COMMENT ON ROLE shop_pr_9 IS ${pg.escapeLiteral(`stackling:${comment}`)}`);
      await client.query("ALTER DATABASE shop_pr_9 WITH ALLOW_CONNECTIONS false");
    });
    const again = await make("shop-pr-9");
    assert.equal((await sql(again.state.url, "SELECT FROM items")).length, 2);
    await drop("shop-pr-9", again.state);
  });

  it("is made anew when its generation was raised, even if the old one was not deleted", async () => {
    const { state } = await make("shop-pr-10");
    await sql(state.url, "INSERT INTO items VALUES ('old')");
    const next = inputsOf("shop-pr-10", { generation: 1 });
    assert.deepEqual(databaseResource.diff(state, next), {
      changes: true,
      replaces: ["generation"],
      deleteBeforeReplace: true,
    });
    const again = await make("shop-pr-10", { generation: 1 });
    assert.equal((await sql(again.state.url, "SELECT FROM items")).length, 2);
    assert.notEqual(again.state.identity, state.identity);
    // An engine that makes the new one first deletes the old one last.
    await drop("shop-pr-10", state);
    assert.equal((await sql(again.state.url, "SELECT FROM items")).length, 2);
    await drop("shop-pr-10", again.state);
  });

  it("changes the limit of sessions in place", async () => {
    const { id, state } = await make("shop-pr-11");
    const inputs = inputsOf("shop-pr-11", { connectionLimit: 1 });
    assert.deepEqual(databaseResource.diff(state, inputs).replaces, []);
    const changed = await databaseResource.update?.(contextOf("shop-pr-11"), id, state, inputs);
    assert.equal(changed?.url, state.url);
    await withClient(state.url, () => assert.rejects(sql(state.url, "SELECT 1"), /too many connections/));
    await drop("shop-pr-11", state);
  });

  it("never touches a database or role of its name that Stackling did not make", async () => {
    await admin((client) => client.query("CREATE DATABASE shop_pr_12"));
    await assert.rejects(
      make("shop-pr-12"),
      (error) => error instanceof TerminalError && error.reason === "DatabaseFailed",
    );
    await admin((client) => client.query("CREATE ROLE shop_pr_13"));
    await assert.rejects(make("shop-pr-13"), /role "shop_pr_13" already that was not made by Stackling/);
    const { state } = await make("shop-pr-14");
    await databaseResource.delete(contextOf("shop-pr-12"), "shop_pr_12", { ...state, name: "shop_pr_12" });
    await databaseResource.delete(contextOf("shop-pr-13"), "shop_pr_13", { ...state, name: "shop_pr_13" });
    assert.equal((await admin((client) => find(client, "shop_pr_12"))).database?.owner, "postgres");
    assert.ok((await admin((client) => find(client, "shop_pr_13"))).role);
    await drop("shop-pr-14", state);
  });

  it("leaves nothing behind and names the baseline when that does not exist", async () => {
    await assert.rejects(
      make("shop-pr-15", { baseline: "mian" }),
      /creating a database: baseline "mian" does not exist/,
    );
    assert.deepEqual(await admin((client) => findOwned(client, "shop-pr-15")), []);
  });

  it("is copied many times at once from one baseline", async () => {
    const stacks = Array.from({ length: 6 }, (_, index) => `shop-pr-2${index}`);
    const made = await Promise.all(stacks.map((stack) => make(stack)));
    assert.equal(new Set(made.map(({ state }) => state.identity)).size, stacks.length);
    await Promise.all(made.map(({ state }, index) => drop(stacks[index] ?? "", state)));
  });

  it("can be copied while its baseline is built anew, and then has the new rows", async () => {
    let during: DatabaseState | undefined;
    const fill = async (url: string) => {
      during = (await make("shop-pr-30", { baseline: "other" })).state;
      await shop(url);
      await sql(url, "INSERT INTO items VALUES ('new')");
    };
    await createBaseline({ adminUrl: server.url, name: "other", now: "2026-01-01T00:00:00Z", fill: shop });
    await createBaseline({ adminUrl: server.url, name: "other", now: "2026-01-02T00:00:00Z", fill });
    const { state } = await make("shop-pr-31", { baseline: "other" });
    assert.equal((await sql(state.url, "SELECT FROM items")).length, 3);
    assert.ok(during);
    assert.equal((await sql(during.url, "SELECT FROM items")).length, 2);
    await drop("shop-pr-30", during);
    await drop("shop-pr-31", state);
  });

  it("keeps its password out of everything but the URL", async () => {
    const { id, state } = await make("shop-pr-32");
    const { password } = new URL(state.url);
    assert.ok(password.length >= 32);
    assert.ok(!JSON.stringify({ ...state, url: "", id }).includes(password));
    await drop("shop-pr-32", state);
  });
});

async function shop(url: string): Promise<void> {
  await withClient(url, (client) =>
    client.query(`
      CREATE TABLE items (name text PRIMARY KEY);
      INSERT INTO items VALUES ('cup'), ('pot');
      CREATE VIEW cheap AS SELECT name FROM items;
      CREATE SCHEMA stock; CREATE TABLE stock.places (id serial);
      CREATE FUNCTION count_items() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM items';
    `),
  );
}
