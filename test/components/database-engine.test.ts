/** A schema of a preview under the real engine: what the program declares, the world has, and what is lost comes back. */
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { schemaDatabase } from "../../components/database/schema.ts";
import { withClient } from "../../components/local/database-client.ts";
import { SCHEMAS_DATABASE } from "../../components/local/database-names.ts";
import { adminUrlOf } from "../../components/local/database-server.ts";
import { registerTags } from "../../infra/tags.ts";
import { startTestPostgres } from "../support/postgres.ts";
import { requires } from "../support/requires.ts";
import { createEngineWorld } from "./local/engine-world.ts";

describe("a preview's schema", requires("engine", "postgres"), () => {
  let server: Awaited<ReturnType<typeof startTestPostgres>>;
  let world: Awaited<ReturnType<typeof createEngineWorld>>;
  let options: ReturnType<typeof schemaDatabase.options.parse>;
  let generation = 0;

  before(async () => {
    server = await startTestPostgres();
    world = await createEngineWorld("shop-pr-1", async () => {
      registerTags({}, "shop-pr-1");
      const database = new schemaDatabase.component("database", { stack: "shop-pr-1", tags: {}, options, generation });
      return { url: database.url, identity: database.identity };
    });
    const file = join(world.dataDir, "admin.url");
    await writeFile(file, server.url, { mode: 0o600 });
    options = { server: { file }, connectionLimit: 5 };
  });
  after(async () => {
    await world.close();
    await server.stop();
  });

  const up = async () => {
    const { outputs } = await world.stack.up();
    return { url: String(outputs.url?.value), hidden: outputs.url?.secret, identity: outputs.identity?.value };
  };
  const admin = (text: string) =>
    withClient(adminUrlOf(server.url, SCHEMAS_DATABASE), async (client) => (await client.query(text)).rows);
  const sql = (url: string, text: string) => withClient(url, async (client) => (await client.query(text)).rows);

  it("is made, kept by an update, seen as drift when it is dropped, made again, reset and taken away", async () => {
    const first = await up();
    assert.equal(first.hidden, true);
    await sql(first.url, "CREATE TABLE orders (id int)");
    const state = await readFile(join(world.dataDir, ".pulumi/stacks/stackling/shop-pr-1.json"), "utf8");
    assert.ok(state.includes("DatabaseAccess") && !state.includes(new URL(first.url).password));

    assert.deepEqual(await up(), first);
    await sql(first.url, "INSERT INTO orders VALUES (1)");

    await admin("DROP SCHEMA shop_pr_1 CASCADE");
    const { changeSummary } = await world.stack.previewRefresh();
    assert.equal(changeSummary.delete, 1);
    await world.stack.refresh();
    const second = await up();
    assert.notEqual(second.identity, first.identity);
    await sql(second.url, "CREATE TABLE orders (id int)");

    generation = 1;
    const third = await up();
    assert.notEqual(third.identity, second.identity);
    await assert.rejects(sql(third.url, "SELECT FROM orders"), /relation "orders" does not exist/);

    await world.stack.destroy();
    assert.deepEqual(await schemaDatabase.operations.owned?.(options), []);
    await assert.rejects(sql(third.url, "SELECT 1"), /password authentication failed/);
  });
});
