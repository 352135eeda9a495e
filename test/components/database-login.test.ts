/** A preview's login under the real engine: made, renewed, rotated without a gap, and gone with the preview. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { Output } from "@pulumi/pulumi";
import pg from "pg";
import { LocalTask } from "../../components/local/custom-resources.ts";
import { withClient } from "../../components/local/database-client.ts";
import { previewDatabaseName } from "../../components/local/database-names.ts";
import type { DatabaseDriver } from "../../components/ports.ts";
import { registry } from "../../components/registry.ts";
import { registerTags } from "../../infra/tags.ts";
import { startTestPostgres } from "../support/postgres.ts";
import { requires } from "../support/requires.ts";
import { createEngineWorld } from "./local/engine-world.ts";

const STACK = "shop-pr-1";
const ROLE = previewDatabaseName(STACK);
const strategies = ["clone", "schema"] as const;

describe("a preview's login", requires("engine", "postgres"), () => {
  let server: Awaited<ReturnType<typeof startTestPostgres>>;
  before(async () => {
    server = await startTestPostgres();
  });
  after(() => server.stop());

  const sql = (url: string, text: string) => withClient(url, async (client) => (await client.query(text)).rows);
  const admin = (text: string) => sql(server.url, text);
  const roles = async () => {
    const found = await admin(
      `SELECT rolname AS name, rolcanlogin AS login, rolvaliduntil > now() + interval '23 hours' AS fresh
       FROM pg_roles WHERE starts_with(rolname, '${ROLE}') ORDER BY 1`,
    );
    return found.map(({ name, login, fresh }) => [name, login, fresh]);
  };

  for (const strategy of strategies) {
    it(`${strategy}: is another one after each rotation, and the one before it ends when nothing uses it`, async () => {
      const driver = (await registry.database[strategy]()) as DatabaseDriver;
      const wish = { rotation: 0, failing: false };
      let options: unknown;
      const world = await createEngineWorld(STACK, async () => {
        registerTags({}, STACK);
        const args = { stack: STACK, tags: {}, options, generation: 0, renewed: true as const };
        const database = new driver.component("database", { ...args, rotation: wish.rotation });
        useIt(database.url, world.dataDir, wish.failing);
        return { url: database.url, identity: database.identity };
      });
      const file = join(world.dataDir, "admin.url");
      await writeFile(file, server.url, { mode: 0o600 });
      options = driver.options.parse({ server: { file }, connectionLimit: 5 });
      const up = async () => {
        const { outputs } = await world.stack.up();
        return { url: String(outputs.url?.value), identity: outputs.identity?.value };
      };
      try {
        const first = await up();
        assert.deepEqual(await roles(), [[ROLE, true, true]]);
        await sql(first.url, "CREATE TABLE orders (id int); INSERT INTO orders VALUES (1)");
        const open = new pg.Client({ connectionString: first.url });
        open.on("error", () => undefined);
        await open.connect();

        Object.assign(wish, { rotation: 1, failing: true });
        await assert.rejects(world.stack.up(), /seeding with/);
        assert.deepEqual(await roles(), [
          [ROLE, true, true],
          [`${ROLE}.1`, true, true],
        ]);
        await sql(first.url, "SELECT 1");

        wish.failing = false;
        const second = await up();
        assert.equal(second.identity, first.identity);
        assert.deepEqual(await roles(), [
          [ROLE, false, true],
          [`${ROLE}.1`, true, true],
        ]);
        await assert.rejects(sql(first.url, "SELECT 1"), /password authentication failed|not permitted to log in/);
        await assert.rejects(open.query("SELECT 1"), /terminat|not queryable|closed/);
        await sql(second.url, "ALTER TABLE orders ADD name text; RESET ROLE; CREATE TABLE later (id int)");

        wish.rotation = 2;
        const third = await up();
        assert.deepEqual((await roles()).slice(1), [[`${ROLE}.2`, true, true]]);
        await sql(third.url, "INSERT INTO orders VALUES (2, 'pot'); DROP TABLE later");
        assert.deepEqual((await up()).url, third.url);
        const { changeSummary } = await world.stack.previewRefresh();
        assert.deepEqual(Object.keys(changeSummary), ["same"]);

        await world.stack.destroy();
        assert.deepEqual(await roles(), []);
        assert.deepEqual(await driver.operations.owned?.(options, STACK), []);
      } finally {
        await world.close();
      }
    });
  }
});

/** Stands for what runs with the login: made anew with each, before the one before it goes. */
function useIt(url: Output<string>, checkout: string, failing: boolean): void {
  const command = failing ? "exit 3" : "true";
  const environment = url.apply((value): Record<string, string> => ({ DATABASE_URL: value }));
  new LocalTask(
    "use",
    { task: "seed", command, checkout, directory: ".", environment, secrets: [], key: url },
    { additionalSecretOutputs: ["key"] },
  );
}
