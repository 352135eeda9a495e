import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { openStore, type PostgresStore } from "../../service/store/postgres.ts";
import { testDatabase } from "../support/postgres.ts";
import { aDraft } from "../support/previews.ts";
import { silent } from "../support/reconcile-world.ts";

const NOW = "2026-03-01T12:00:00.000Z";

describe("the store, asked for what no text of its own can be", () => {
  let database: Awaited<ReturnType<typeof testDatabase>>;
  let store: PostgresStore;
  before(async () => {
    database = await testDatabase();
    store = await openStore({ url: database.url, holder: "one", logger: silent, now: () => NOW });
    await store.create(aDraft(1, NOW));
  });
  after(async () => {
    await store?.close();
    await database?.drop();
  });

  for (const text of ["\0", "shop#1\0", "shop#1\uD800"]) {
    it(`has nothing of ${JSON.stringify(text)}`, async () => {
      assert.equal(await store.find(text), undefined);
      assert.equal(await store.findByStack(text), undefined);
      const days = { from: "2026-03-01", to: "2026-03-31" };
      assert.deepEqual(await store.costs({ ...days, key: text }), []);
      assert.deepEqual(await store.costs({ ...days, repositories: [text] }), []);
      assert.deepEqual((await store.audit({ key: text, limit: 1 })).entries, []);
      assert.equal(await store.revokeToken(text), undefined);
    });
  }
});
