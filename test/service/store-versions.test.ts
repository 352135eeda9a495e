/** Replicas of two versions over one store, as while one is replaced by the other. */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { sql } from "kysely";
import type { Migration } from "kysely/migration";
import { withClient } from "../../components/local/database-client.ts";
import { migrations } from "../../service/store/migrations.ts";
import { openStore, type PostgresStore } from "../../service/store/postgres.ts";
import { startTestPostgres } from "../support/postgres.ts";
import { aDraft } from "../support/previews.ts";
import { silent } from "../support/reconcile-world.ts";
import { requires } from "../support/requires.ts";

const T0 = "2026-03-01T12:00:00.000Z";

/** What the next version may bring: a column and a table that this one does not know. */
const NEXT: Readonly<Record<string, Migration>> = {
  ...migrations,
  "9001-moods": {
    up: async (db) => {
      await sql`alter table preview add column mood text not null default 'calm'`.execute(db);
      await sql`create table mood (name text primary key)`.execute(db);
    },
  },
};

describe("a store that is migrated", requires("postgres"), () => {
  let server: Awaited<ReturnType<typeof startTestPostgres>>;
  let databases = 0;
  const opened: PostgresStore[] = [];
  before(async () => {
    server = await startTestPostgres();
  });
  after(() => server.stop());
  afterEach(async () => {
    for (const store of opened.splice(0)) await store.close();
  });

  const empty = async () => {
    const url = new URL(server.url);
    url.pathname = `/versions_${++databases}`;
    await withClient(server.url, (client) => client.query(`create database versions_${databases}`));
    return url.href;
  };
  const open = async (url: string, holder: string, steps = migrations) => {
    const store = await openStore({ url, holder, logger: silent, now: () => T0, steps });
    opened.push(store);
    return store;
  };
  const stepsOf = (url: string) =>
    withClient(url, async (client) => {
      const { rows } = await client.query<{ name: string }>("select name from kysely_migration order by name");
      return rows.map(({ name }) => name);
    });
  const draft = (number: number) => aDraft(number, T0);
  const works = async (store: PostgresStore, number: number) => {
    await store.create(draft(number));
    const lease = await store.acquireLease(`shop-pr-${number}`);
    await store.setStatus(`shop#${number}`, { condition: "Ready", reason: "Healthy" }, lease);
    await lease?.release();
    await store.enqueue([`shop#${number}`]);
    const jobs = await store.queue.fetch(10);
    assert.ok(jobs.some(({ key }) => key === `shop#${number}`));
    for (const job of jobs) await store.queue.done(job);
    assert.equal((await store.find(`shop#${number}`))?.status.reason, "Healthy");
  };

  it("by one of a newer version is worked on by one of the older, which may also start again", async () => {
    const url = await empty();
    const older = await open(url, "older");
    await works(older, 1);
    await open(url, "newer", NEXT);
    await works(older, 2);
    assert.equal((await older.list()).length, 2);
    await works(await open(url, "older, started again"), 3);
    assert.deepEqual(await stepsOf(url), Object.keys(NEXT));
  });

  it("by many of both versions at once ends at the newest, with each step done once", async () => {
    const url = await empty();
    const versions = [migrations, NEXT, migrations, NEXT, NEXT, migrations];
    const stores = await Promise.all(versions.map((steps, index) => open(url, `replica ${index}`, steps)));
    for (const [index, store] of stores.entries()) await works(store, index + 1);
    assert.deepEqual(await stepsOf(url), Object.keys(NEXT));
  });

  it("by a newer version in a way that breaks with this one is refused by name and left alone", async () => {
    const url = await empty();
    const breaking = { ...NEXT, "9002-breaking-names": { up: async () => {} } };
    await open(url, "newer", breaking);
    await assert.rejects(open(url, "older"), (error: Error & { reason?: string }) => {
      assert.equal(error.reason, "StoreTooNew");
      assert.match(error.message, /9002-breaking-names.*start that version/);
      return true;
    });
    assert.deepEqual(await stepsOf(url), Object.keys(breaking));
  });
});
