/** What migrations made of a database, under the real engine: one of a preview's own among those of others. */
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { Output } from "@pulumi/pulumi";
import { DatabaseChanges } from "../../components/database/changes.ts";
import { schemaDatabase } from "../../components/database/schema.ts";
import { withClient } from "../../components/local/database-client.ts";
import { SCHEMAS_DATABASE } from "../../components/local/database-names.ts";
import { adminUrlOf } from "../../components/local/database-server.ts";
import type { SchemaDiff } from "../../components/local/schema-diff.ts";
import type { DatabaseConnection, ServiceComponent } from "../../components/ports.ts";
import { PreviewComponent } from "../../components/preview-component.ts";
import { registerTags } from "../../infra/tags.ts";
import { startTestPostgres } from "../support/postgres.ts";
import { requires } from "../support/requires.ts";
import { createEngineWorld } from "./local/engine-world.ts";

/** Migrates as soon as it has the address. */
class Migrating extends PreviewComponent implements ServiceComponent {
  readonly addresses: Output<Readonly<Record<string, string>>>;

  constructor(name: string, url: Output<string>, migration: string) {
    super("stackling:service:Migrating", name, {});
    this.addresses = url.apply(async (known): Promise<Readonly<Record<string, string>>> => {
      if (migration !== "") await withClient(known, (client) => client.query(migration));
      return {};
    });
    this.registerOutputs({});
  }
}

describe("what migrations made of a preview's schema", requires("engine", "postgres"), () => {
  let server: Awaited<ReturnType<typeof startTestPostgres>>;
  let world: Awaited<ReturnType<typeof createEngineWorld>>;
  let options: ReturnType<typeof schemaDatabase.options.parse>;
  let wish = { version: "one", migration: "", generation: 0 };

  before(async () => {
    server = await startTestPostgres();
    world = await createEngineWorld("shop-pr-1", async () => {
      registerTags({}, "shop-pr-1");
      const { generation, version, migration } = wish;
      const made: DatabaseConnection = new schemaDatabase.component("database", {
        stack: "shop-pr-1",
        tags: {},
        options,
        generation,
      });
      const changes = new DatabaseChanges("schema", { database: made });
      const { url } = changes.database;
      return { url, schema: changes.readBehind(new Migrating("service", url, migration), version) };
    });
    const file = join(world.dataDir, "admin.url");
    await writeFile(file, server.url, { mode: 0o600 });
    options = { server: { file }, connectionLimit: 5 };
  });
  after(async () => {
    await world.stack.destroy();
    await world.close();
    await server.stop();
  });

  const up = async () => {
    const { outputs } = await world.stack.up();
    return {
      url: String(outputs.url?.value),
      schema: outputs.schema?.value as SchemaDiff | undefined,
      hidden: [outputs.url?.secret, outputs.schema?.secret],
    };
  };
  const readState = async () => {
    const text = await readFile(join(world.dataDir, ".pulumi/stacks/stackling/shop-pr-1.json"), "utf8");
    return (JSON.parse(text) as { checkpoint: { latest: { resources: { type: string }[] } } }).checkpoint.latest
      .resources;
  };
  const admin = (sql: string) => withClient(adminUrlOf(server.url, SCHEMAS_DATABASE), (client) => client.query(sql));
  const told = ({ schema }: Pick<Awaited<ReturnType<typeof up>>, "schema">) =>
    schema?.changes.map(({ change, kind, table, name }) => `${change} ${kind} ${table ? `${table}.` : ""}${name}`);

  it("is told against what the preview was given, whatever was migrated when, and of no other's", async () => {
    wish = { ...wish, migration: "CREATE TABLE IF NOT EXISTS orders (id int PRIMARY KEY, note text)" };
    const first = await up();
    assert.deepEqual(told(first), ["added table orders"]);
    assert.deepEqual(first.hidden, [true, false]);
    const read = (await readState()).filter(({ type }) => type.startsWith("stackling:local:Schema"));
    assert.equal(read.length, 2);
    assert.ok(!JSON.stringify(read).includes(new URL(first.url).password));

    wish = { ...wish, version: "two", migration: "ALTER TABLE orders DROP note; CREATE TYPE size AS ENUM ('s', 'm')" };
    const second = await up();
    assert.deepEqual(told(second), ["added table orders", "added enum size"]);
    assert.notEqual(second.schema?.digest, first.schema?.digest);

    // Made anew, it is compared with what it is made from now.
    wish = { version: "one", generation: 1, migration: "CREATE TABLE orders (id int PRIMARY KEY, note text)" };
    const again = await up();
    assert.deepEqual(told(again), ["added table orders"]);
    assert.equal(again.schema?.digest, first.schema?.digest);
  });

  it("is not told, and fails nothing, when the database is not to be read", async () => {
    await admin("REVOKE SELECT ON pg_trigger FROM PUBLIC");
    wish = { version: "three", generation: 1, migration: "" };
    assert.equal((await up()).schema, undefined);
    await admin("GRANT SELECT ON pg_trigger TO PUBLIC");
    wish = { ...wish, version: "four" };
    assert.deepEqual(told(await up()), ["added table orders"]);
  });
});
