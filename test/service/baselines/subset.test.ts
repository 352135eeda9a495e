import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import pg from "pg";
import { withClient } from "../../../components/local/database-client.ts";
import { readCatalog } from "../../../service/baselines/catalog.ts";
import { withoutConstraints } from "../../../service/baselines/constraints.ts";
import { cutDown } from "../../../service/baselines/subset.ts";
import type { SubsetRule } from "../../../service/config/baselines.ts";
import { startTestPostgres } from "../../support/postgres.ts";
import { requires } from "../../support/requires.ts";

const SCHEMA = `
  CREATE TABLE countries (id int PRIMARY KEY);
  CREATE TABLE customers (id int PRIMARY KEY, country int REFERENCES countries, recommended_by int REFERENCES customers);
  CREATE TABLE addresses (id int PRIMARY KEY, customer int NOT NULL REFERENCES customers);
  CREATE TABLE products (id int PRIMARY KEY);
  CREATE TABLE orders (id int PRIMARY KEY, customer int NOT NULL REFERENCES customers, follows int REFERENCES orders, year int)
    PARTITION BY RANGE (id);
  CREATE TABLE orders_low PARTITION OF orders FOR VALUES FROM (0) TO (3);
  CREATE TABLE orders_high PARTITION OF orders FOR VALUES FROM (3) TO (100);
  CREATE TABLE items (id int PRIMARY KEY, "order" int NOT NULL REFERENCES orders, product int NOT NULL REFERENCES products);
  CREATE TABLE returns (item int NOT NULL REFERENCES items);
  CREATE TABLE settings (name text);
  ALTER TABLE customers ADD last_order int REFERENCES orders;
  INSERT INTO countries VALUES (1), (2), (3);
  INSERT INTO customers VALUES (1, 1, NULL), (2, 2, 1), (3, 3, NULL), (4, 3, 3);
  INSERT INTO addresses VALUES (1, 1), (2, 2), (3, 3);
  INSERT INTO products VALUES (1), (2), (3);
  INSERT INTO orders VALUES (1, 1, NULL, 2024), (2, 2, NULL, 2024), (3, 3, NULL, 2024), (4, 2, 2, 2026), (5, 2, 4, 2026);
  INSERT INTO items VALUES (1, 1, 1), (4, 4, 2), (5, 5, 2);
  INSERT INTO returns VALUES (1), (4);
  INSERT INTO settings VALUES ('a')`;

describe("cutting a database down", requires("postgres"), () => {
  let server: Awaited<ReturnType<typeof startTestPostgres>>;
  let count = 0;

  before(async () => {
    server = await startTestPostgres();
  });
  after(() => server.stop());

  async function cut(subset: Partial<SubsetRule>, more = ""): Promise<Readonly<Record<string, readonly number[]>>> {
    count += 1;
    const name = `cut_${count}`;
    await withClient(server.url, (client) => client.query(`CREATE DATABASE ${name}`));
    const url = new URL(server.url);
    url.pathname = `/${name}`;
    return withClient(url.href, async (client) => {
      await client.query(`${SCHEMA};${more}`);
      const catalog = await readCatalog(client);
      const rule = { table: "orders", where: "year >= 2026", whole: [], ...subset };
      await withoutConstraints(client, catalog, () =>
        cutDown(client, { subset: rule, catalog, onStep: () => undefined }),
      );
      const left: Record<string, readonly number[]> = {};
      for (const table of ["countries", "customers", "addresses", "products", "orders", "items", "returns"]) {
        const key = table === "returns" ? "item" : "id";
        const { rows } = await client.query<{ id: number }>(
          `SELECT ${key} AS id FROM ${pg.escapeIdentifier(table)} ORDER BY 1`,
        );
        left[table] = rows.map(({ id }) => id);
      }
      const settings = await client.query("SELECT FROM settings");
      assert.equal(settings.rowCount, 1);
      return left;
    });
  }

  it("keeps the rows that were asked for, what they need, and what hangs on them", async () => {
    const left = await cut({ where: "orders.year >= 2026" });
    // Order 4 follows order 2, which is needed although it is older; 1 and 3 go, and what refers to them.
    assert.deepEqual(left.orders, [2, 4, 5]);
    assert.deepEqual(left.items, [4, 5]);
    assert.deepEqual(left.returns, [4]);
  });

  it("removes from tables that are referred to what nothing needs, and what refers to that", async () => {
    const left = await cut({});
    assert.deepEqual(left.products, [2]);
    // A customer refers to an order and an order to a customer: none of them refers to one that went.
    assert.deepEqual(left.customers, [1, 2, 3, 4]);
    assert.deepEqual(left.addresses, [1, 2, 3]);
  });

  it("leaves tables whole that are named", async () => {
    assert.deepEqual((await cut({ whole: ["products"] })).products, [1, 2, 3]);
  });

  it("ends where references go round", async () => {
    const left = await cut(
      {},
      "UPDATE customers SET last_order = 3 WHERE id = 3; UPDATE customers SET last_order = 5 WHERE id = 2",
    );
    assert.deepEqual(left.orders, [2, 4, 5]);
    // Customer 3's last order went, so they go; customer 4 was recommended by them.
    assert.deepEqual(left.customers, [1, 2]);
    assert.deepEqual(left.addresses, [1, 2]);
  });

  it("leaves nothing of the table when nothing meets the condition", async () => {
    const left = await cut({ where: "false" });
    assert.deepEqual([left.orders, left.items, left.returns, left.products], [[], [], [], []]);
  });

  it("refuses a condition that the server does not take, and a table that is not there", async () => {
    await assert.rejects(
      cut({ where: "yaer > 1" }),
      /cutting down "orders": the condition "yaer > 1" is not taken: column/,
    );
    await assert.rejects(cut({ table: "oders" }), /there is no table "oders"/);
  });
});
