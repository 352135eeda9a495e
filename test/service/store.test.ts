import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { sql } from "kysely";
import { withClient } from "../../components/local/database-client.ts";
import { createInbox } from "../../service/inbox/inbox.ts";
import { openDatabase } from "../../service/store/database.ts";
import { isOvertaken, writesUnder } from "../../service/store/lease.ts";
import { listen } from "../../service/store/listener.ts";
import { openStore, type PostgresStore } from "../../service/store/postgres.ts";
import { startWorker } from "../../service/worker.ts";
import { eventually } from "../support/eventually.ts";
import { testDatabase } from "../support/postgres.ts";
import { aDraft } from "../support/previews.ts";
import { silent } from "../support/reconcile-world.ts";

const T0 = "2026-03-01T12:00:00.000Z";
let database: Awaited<ReturnType<typeof testDatabase>>;
const opened: PostgresStore[] = [];

async function open(holder = "one"): Promise<PostgresStore> {
  const store = await openStore({ url: database.url, holder, logger: silent, now: () => T0 });
  opened.push(store);
  return store;
}

const query = <T>(text: string): Promise<T[]> =>
  withClient(database.url, async (client) => (await client.query(text)).rows as T[]);

const draft = (number: number) => aDraft(number, T0);

before(async () => {
  database = await testDatabase();
});
after(() => database.drop());
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
});

describe("the store", () => {
  it("sets up its tables once when several start at the same time", async () => {
    const stores = await Promise.all(["one", "two", "three"].map(open));
    await Promise.all(stores.map((store) => store.ping()));
  });

  it("keeps the kill switch over a restart, for every replica, and the one who set it first", async () => {
    const one = await open("one");
    assert.equal(await one.pause(), undefined);
    await one.setPause({ at: T0, by: "ada" });
    await one.setPause({ at: T0, by: "grace" });
    await one.close();
    opened.splice(0);
    const two = await open("two");
    assert.deepEqual(await two.pause(), { at: T0, by: "ada" });
    await two.setPause(undefined);
    assert.equal(await two.pause(), undefined);
  });

  it("remembers when everything was stopped, once, whoever ends it and how often", async () => {
    const stores = await Promise.all(["one", "two"].map(open));
    const before = await stores[0]?.pauses();
    const at = (hour: string) => `2026-04-01T${hour}:00:00.000Z`;
    await stores[0]?.setPause({ at: at("10"), by: "ada" });
    assert.deepEqual(await stores[1]?.pauses(), [...(before ?? []), { from: at("10") }]);
    await Promise.all(stores.map((store) => store.setPause(undefined)));
    await stores[0]?.setPause({ at: at("12"), by: "ada" });
    const spans = (await stores[1]?.pauses())?.slice(before?.length);
    assert.deepEqual(
      spans?.map(({ from, to }) => [from, to === undefined]),
      [
        [at("10"), false],
        [at("12"), true],
      ],
    );
    await stores[0]?.setPause(undefined);
  });

  it("gives back the newest report of a sweep", async () => {
    const store = await open();
    assert.equal(await store.lastSweep(), undefined);
    const report = { at: T0, dryRun: false, found: [], removed: [], failed: [], unread: [] };
    await store.addSweep(report);
    await store.addSweep({ ...report, removed: ["shop-pr-9"] });
    assert.deepEqual((await store.lastSweep())?.removed, ["shop-pr-9"]);
  });

  it("gives back what was written, and tells every replica", async () => {
    const [one, two] = await Promise.all([open("one"), open("two")]);
    const told: string[] = [];
    two.onChange((key) => told.push(key));
    await one.create(draft(1));
    // By its notification, or by the look at everything once it listens; from then on only the first can be.
    await eventually(() => told.includes("shop#1"), { what: "the creation" });
    told.length = 0;
    const written = await one.update("shop#1", ({ handles }) => ({ handles: { ...handles, comment: "7" } }));
    assert.deepEqual(await two.find("shop#1"), written);
    assert.deepEqual(await two.findByStack("shop-pr-1"), written);
    assert.equal(written?.revision, 2);
    await eventually(() => told.includes("shop#1"), { what: "the change" });
    assert.equal(await one.update("shop#404", () => ({})), undefined);
  });

  it("loses no change when many are written at once", async () => {
    const store = await open();
    await store.create(draft(2));
    await Promise.all(
      Array.from({ length: 20 }, () =>
        store.update("shop#2", ({ intents }) => ({
          intents: { ...intents, generations: { ...intents.generations, deploy: intents.generations.deploy + 1 } },
        })),
      ),
    );
    assert.equal((await store.find("shop#2"))?.intents.generations.deploy, 20);
  });

  it("keeps what a program printed, whatever bytes it printed", async () => {
    const store = await open();
    await store.create(draft(1));
    // What a cut in the middle of an emoji leaves is no Unicode, and U+0000 is no text to Postgres.
    const cut = "\u{1F680}".slice(0, 1);
    await store.setStatus("shop#1", { reason: "BuildFailed", message: `failed: \0${cut}`, excerpt: ["a\0b", cut] });
    assert.deepEqual((await store.find("shop#1"))?.status.excerpt, ["a\uFFFDb", "\uFFFD"]);
    assert.equal((await store.history("shop#1", 1))[0]?.message, "failed: \uFFFD\uFFFD");
  });

  it("writes a change with its entries of history and audit, or nothing of it", async () => {
    const store = await open();
    const { key } = await store.create(draft(1));
    const entry = { at: "2026-01-01T00:00:00.000Z", reason: "Command", message: "`/preview keep` by @ada" };
    const note = { actor: "@ada", action: "keep", key, via: "comment", outcome: "done" } as const;
    const keep = await store.updateAndNote(key, ({ intents }) => ({
      fields: { intents: { ...intents, keep: true } },
      history: [entry, { ...entry, message: "another" }],
      audit: [{ ...note, at: entry.at, detail: "x".repeat(1_000) }],
    }));
    assert.equal(keep?.intents.keep, true);
    assert.deepEqual(
      (await store.history(key, 10)).map(({ message }) => message),
      ["another", entry.message],
    );
    const audited = { ...note, at: entry.at, detail: "x".repeat(500) };
    assert.deepEqual((await store.audit({ key, limit: 10 })).entries, [audited]);
    const broken = [
      { history: [{ ...entry, at: "no time" }], audit: [note] },
      { history: [entry], audit: [{ ...note, at: "no time" }] },
    ];
    for (const notes of broken) {
      const written = store.updateAndNote(key, ({ intents }) => ({
        fields: { intents: { ...intents, keep: false } },
        ...notes,
      }));
      await assert.rejects(written);
    }
    assert.equal((await store.find(key))?.intents.keep, true);
    assert.equal((await store.history(key, 10)).length, 2);
    assert.deepEqual((await store.audit({ key, limit: 10 })).entries, [audited]);
    assert.equal(await store.updateAndNote("shop#31", () => ({ fields: {}, history: [] })), undefined);
  });

  it("remembers every change of condition or reason, and no mere change of words", async () => {
    const store = await open();
    await store.create(draft(1));
    await store.setStatus("shop#1", { condition: "Reconciling", reason: "Provisioning", message: "Building." });
    await store.setStatus("shop#1", { message: "Creating database." });
    await store.setStatus("shop#1", {
      condition: "Ready",
      reason: "Healthy",
      message: "Serving.",
      headSha: "a".repeat(40),
    });
    const history = await store.history("shop#1", 10);
    assert.deepEqual(
      history.map(({ reason, message }) => [reason, message]),
      [
        ["Healthy", "Serving."],
        ["Provisioning", "Building."],
      ],
    );
    assert.equal(history[0]?.headSha, "a".repeat(40));
  });

  it("loses no write behind a transaction that the server began too late", async () => {
    const { db } = openDatabase({ url: database.url, connections: 1, logger: silent, queryTimeoutMs: 300 });
    try {
      const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(db);
      const pid = Number(rows[0]?.pid);
      process.kill(pid, "SIGSTOP");
      try {
        await assert.rejects(db.transaction().execute(async () => undefined));
      } finally {
        process.kill(pid, "SIGCONT");
      }
      await sql`create table written_after (n integer)`.execute(db);
      assert.equal((await query("select from pg_class where relname = 'written_after'")).length, 1);
    } finally {
      await db.destroy();
    }
  });

  it("lets nobody's transaction hold a row while its process stands still", async () => {
    await open();
    const connect = () => openDatabase({ url: database.url, connections: 1, logger: silent, idleTransactionMs: 200 });
    const [frozen, other] = [connect(), connect()];
    const row = (db: typeof frozen.db) =>
      db
        .insertInto("counter")
        .values({ name: "frozen", value: "1" })
        .onConflict((on) => on.column("name").doUpdateSet({ value: "2" }));
    const thawed = Promise.withResolvers<void>();
    const held = frozen.db.transaction().execute(async (transaction) => {
      await row(transaction).execute();
      await thawed.promise;
      await row(transaction).execute();
    });
    held.catch(() => {});
    await eventually(async () => {
      const { rows } =
        await sql`select 1 from pg_stat_activity where state = 'idle in transaction' and query like '%counter%'`.execute(
          other.db,
        );
      return rows.length > 0;
    });
    await row(other.db).execute();
    thawed.resolve();
    await assert.rejects(held, { reason: "StoreUnavailable" });
    await Promise.all([frozen.db.destroy(), other.db.destroy()]);
  });

  it("outlives a server that dies between two statements of a transaction", async () => {
    const { db } = openDatabase({ url: database.url, connections: 1, logger: silent });
    try {
      await assert.rejects(
        db.transaction().execute(async (transaction) => {
          const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(transaction);
          const [pid] = rows.map((row) => Number(row.pid));
          await query(`select pg_terminate_backend(${pid}, 5000)`);
          await sql`select 1`.execute(transaction);
        }),
        { reason: "StoreUnavailable" },
      );
      await sql`select 1`.execute(db);
    } finally {
      await db.destroy();
    }
  });

  it("forgets leases and engines of stacks that are long gone, and of no other", async () => {
    const store = await open();
    for (const number of [1, 2]) {
      await store.create(draft(number));
      const lease = await store.acquireLease(`shop-pr-${number}`);
      await lease?.recordEngine({ host: "here", pid: 1, startTime: "1" });
      await lease?.release();
    }
    await store.setStatus("shop#1", { goneAt: "2020-01-01T00:00:00.000Z" });
    await store.close();
    opened.length = 0;
    await open();
    assert.deepEqual(await query("select stack from lease"), [{ stack: "shop-pr-2" }]);
    assert.deepEqual(await query("select stack from engine_run"), [{ stack: "shop-pr-2" }]);
  });

  it("listens anew when the connection it listened on answers no more", async () => {
    let connected = 0;
    const listener = listen({
      url: database.url,
      channels: ["anything"],
      logger: silent,
      onNotify: () => {},
      onConnected: () => {
        connected += 1;
      },
      silenceMs: 200,
    });
    await eventually(() => connected === 1, { what: "the first connection" });
    const [backend] = await query<{ pid: number }>(
      "select pid from pg_stat_activity where application_name = 'stackling-listen' order by backend_start desc",
    );
    const pid = Number(backend?.pid);
    process.kill(pid, "SIGSTOP");
    try {
      await eventually(() => connected === 2, { timeoutMs: 5_000, what: "the next connection" });
    } finally {
      process.kill(pid, "SIGCONT");
      await listener.close();
    }
  });

  it("raises the last visit and never lowers it", async () => {
    const store = await open();
    await store.create(draft(3));
    await store.visited({ "shop#3": "2026-03-02T00:00:00.000Z", "shop#404": T0 });
    await store.visited({ "shop#3": "2026-03-01T00:00:00.000Z" });
    assert.equal((await store.find("shop#3"))?.lastVisitAt, "2026-03-02T00:00:00.000Z");
  });
});

describe("deliveries and queue", () => {
  beforeEach(() => query("truncate delivery, claim").then(() => query("delete from pgboss.job").catch(() => [])));

  it("make one job of many deliveries for one key, and none of one seen before", async () => {
    const { receive, queue } = await open();
    const delivery = (deliveryId: string) => ({ forge: "github", deliveryId, event: "pull_request", key: "shop#1" });
    await receive([delivery("a"), delivery("b"), delivery("c")]);
    await receive([delivery("d")]);
    const jobs = await queue.fetch(10);
    assert.deepEqual(
      jobs.map(({ key }) => key),
      ["shop#1"],
    );
    for (const job of jobs) await queue.done(job);
    await receive([delivery("a")]);
    assert.deepEqual(await queue.fetch(10), []);
  });

  it("hand on which of them made the job, and the traces of all that it does the work of", async () => {
    const { receive, queue } = await open();
    const delivery = (deliveryId: string) => ({ forge: "github", deliveryId, event: "pull_request", key: "shop#1" });
    const traced = (deliveryId: string) => ({ ...delivery(deliveryId), traceparent: `trace of ${deliveryId}` });
    await receive([traced("a")]);
    await receive([delivery("b"), traced("c")]);
    // Sent again it is no delivery more.
    await receive([traced("c")]);
    const [job] = await queue.fetch(10);
    assert.deepEqual([job?.deliveryId, job?.traces], ["a", ["trace of a", "trace of c"]]);
  });

  it("hand on no more traces than a span has room for, the first ones", async () => {
    const { receive, queue } = await open();
    const one = { forge: "github", event: "pull_request", key: "shop#1" };
    await receive([{ ...one, deliveryId: "first", traceparent: "first" }]);
    for (const round of ["x", "y"]) {
      const ids = Array.from({ length: 30 }, (_, index) => `${round}${index}`);
      await receive(ids.map((id) => ({ ...one, deliveryId: id, traceparent: id })));
    }
    const [job] = await queue.fetch(10);
    assert.deepEqual([job?.traces?.length, job?.traces?.[0]], [32, "first"]);
  });

  it("let one more wait behind the one that runs, and hold up no other key", async () => {
    const [one, two] = await Promise.all([open("one"), open("two")]);
    await one.enqueue(["shop#1"]);
    const [running] = await one.queue.fetch(10);
    for (let push = 0; push < 10; push++) await two.enqueue(["shop#1", "shop#2"]);
    assert.deepEqual(
      (await two.queue.fetch(10)).map(({ key }) => key),
      ["shop#2"],
    );
    assert.deepEqual(await two.queue.waiting(["shop#1", "shop#2"]), ["shop#1"]);
    assert.ok(running);
    await one.queue.done(running);
    assert.deepEqual(
      (await two.queue.fetch(10)).map(({ key }) => key),
      ["shop#1"],
    );
  });

  it("hand a killed holder's work out again as soon as it starts again", async () => {
    const store = await open("killed");
    await store.enqueue(["shop#1"]);
    assert.equal((await store.queue.fetch(1)).length, 1);
    const again = await open("killed");
    assert.deepEqual(await again.queue.fetch(1), []);
    await again.releaseOwnLeases();
    assert.deepEqual(
      (await again.queue.fetch(1)).map(({ key }) => key),
      ["shop#1"],
    );
  });

  it("are ended by the replica that works on them, not by a frozen one that had them before", async () => {
    const [frozen, successor] = await Promise.all([open("frozen"), open("successor")]);
    await frozen.enqueue(["shop#1"]);
    const [job] = await frozen.queue.fetch(1);
    assert.ok(job);
    // What the queue's upkeep does when a heartbeat is past.
    await query("update pgboss.job set state = 'retry', start_after = now()");
    assert.deepEqual(await successor.queue.fetch(1), [job]);
    await frozen.queue.done(job);
    await frozen.enqueue(["shop#1"]);
    assert.deepEqual(await frozen.queue.fetch(1), [], "nobody else works on it meanwhile");
    await successor.queue.done(job);
    assert.equal((await frozen.queue.fetch(1)).length, 1);
  });

  it("store every delivery of a burst with few transactions", async () => {
    const store = await open();
    let transactions = 0;
    const inbox = createInbox({
      store: {
        receive: (rows) => {
          transactions += 1;
          return store.receive(rows);
        },
      },
    });
    await Promise.all(
      Array.from({ length: 2_000 }, (_, index) =>
        inbox.receive({ forge: "github", deliveryId: `d-${index}`, event: "pull_request", key: `shop#${index % 200}` }),
      ),
    );
    const [row] = await query<{ count: string }>("select count(*) from delivery");
    assert.equal(row?.count, "2000");
    assert.ok(transactions <= 20, `${transactions} transactions`);
    assert.equal((await store.queue.fetch(1_000)).length, 200);
  });

  it("refuse every delivery of a group that could not be stored, and take the next", async () => {
    let away = true;
    const inbox = createInbox({
      store: {
        receive: async () => {
          if (away) throw new Error("away");
        },
      },
    });
    const delivery = { forge: "github", deliveryId: "x", event: "pull_request" };
    const outcomes = await Promise.allSettled([inbox.receive(delivery), inbox.receive(delivery)]);
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ["rejected", "rejected"],
    );
    away = false;
    await inbox.receive(delivery);
  });

  it("begin nothing twice when the queue hands out again what is still worked on", async () => {
    const { queue, enqueue } = await open();
    const release = Promise.withResolvers<void>();
    let begun = 0;
    const worker = startWorker({
      queue,
      calm: async () => {},
      async reconcile() {
        begun += 1;
        await release.promise;
      },
      lookAgain: () => assert.fail("no reconcile breaks here"),
      concurrency: 4,
      logger: silent,
    });
    try {
      await enqueue(["shop#1"]);
      await eventually(() => begun === 1, { what: "the work" });
      // As the queue's upkeep does when the store was away for longer than a heartbeat.
      await query("update pgboss.job set state = 'retry', start_after = now()");
      await enqueue(["shop#2"]);
      await eventually(() => begun > 1, { what: "the other key" });
      await eventually(async () => (await query("select from pgboss.job where state < 'active'")).length === 0);
      assert.equal(begun, 2);
    } finally {
      release.resolve();
      await worker.drain();
    }
    assert.deepEqual(await query("select from pgboss.job"), []);
  });

  it("wake a worker of another replica, which works on many keys and on each alone", async () => {
    const [one, two] = await Promise.all([open("one"), open("two")]);
    const active = new Map<string, number>();
    const seen: string[] = [];
    let together = 0;
    const worker = startWorker({
      queue: two.queue,
      calm: async () => {},
      async reconcile(key) {
        active.set(key, (active.get(key) ?? 0) + 1);
        together = Math.max(together, active.size);
        assert.equal(active.get(key), 1);
        seen.push(key);
        if (seen.length === 1) await one.enqueue([key]);
        await eventually(() => seen.length >= 3, { what: "the other keys" });
        active.delete(key);
      },
      lookAgain: () => assert.fail("no reconcile breaks here"),
      concurrency: 4,
      logger: silent,
    });
    try {
      await one.enqueue(["shop#1", "shop#2", "shop#3"]);
      await eventually(() => seen.length === 4, { what: "three keys and one of them again" });
      assert.ok(together >= 3);
    } finally {
      await worker.drain();
    }
  });
});

describe("leases", () => {
  it("are held by one alone, with a fence that rises", async () => {
    const [one, two] = await Promise.all([open("one"), open("two")]);
    const first = await one.acquireLease("s1");
    assert.ok(first);
    assert.equal(await two.acquireLease("s1"), undefined);
    assert.equal(await one.acquireLease("s1"), undefined);
    await first.recordEngine({ host: "h", pid: 7, startTime: "1" });
    await first.release();
    const second = await two.acquireLease("s1");
    assert.ok(second && second.fence > first.fence);
    assert.deepEqual(await second.priorEngines(), [{ host: "h", pid: 7, startTime: "1" }]);
    await second.release();
  });

  it("rise above every earlier fence when the store was lost", async () => {
    const store = await open();
    const before = await store.acquireLease("s2");
    await before?.release();
    await query("delete from lease");
    const later = await store.acquireLease("s2");
    assert.ok(before && later && later.fence > before.fence);
    await later.release();
  });

  it("can be taken over when they are past, and tell the old holder", async () => {
    const [one, two] = await Promise.all([open("one"), open("two")]);
    const first = await one.acquireLease("s3");
    await query("update lease set expires_at = now() - interval '1 s' where stack = 's3'");
    const second = await two.acquireLease("s3");
    assert.ok(first && second && second.fence > first.fence);
    await eventually(() => first.lost.aborted, { what: "the first holder to notice" });
    assert.equal(second.lost.aborted, false);
    await second.release();
  });

  it("let nothing be written by who was overtaken, and everything while nobody came", async () => {
    const [one, two] = await Promise.all([open("one"), open("two")]);
    const preview = draft(61);
    await one.create(preview);
    const first = await one.acquireLease(preview.stack);
    assert.ok(first);
    const held = writesUnder(one, first);
    await query(`update lease set expires_at = now() - interval '1 s' where stack = '${preview.stack}'`);
    await held.setStatus(preview.key, { message: "late, and yet nobody's but mine" });
    const second = await two.acquireLease(preview.stack);
    assert.ok(second);
    const written = await writesUnder(two, second).setStatus(preview.key, { message: "newer" });
    const receipt = { key: preview.key, stack: preview.stack, at: T0, reason: "Closed" };
    for (const write of [
      () => held.setStatus(preview.key, { message: "old" }),
      () => held.update(preview.key, () => ({ gitBranch: "old" })),
      () => held.addReceipt({ ...receipt, removed: [], proof: [], durationMs: 1 }),
    ]) {
      await assert.rejects(write, isOvertaken);
    }
    assert.deepEqual(await two.find(preview.key), written);
    assert.deepEqual(await two.receipts(preview.key), []);
    await second.release();
  });

  it("tell of each renewal until they are released", async () => {
    const store = await open();
    const lease = await store.acquireLease("s4");
    assert.ok(lease);
    let renewals = 0;
    lease.onRenewed(() => renewals++);
    await eventually(() => renewals > 0, { what: "a renewal" });
    assert.equal(lease.lost.aborted, false);
    await lease.release();
  });

  it("come free as soon as the store is back that was away at their release", async () => {
    const store = await open();
    const lease = await store.acquireLease("s6");
    assert.ok(lease);
    await query("alter table lease rename to lease_away");
    await assert.rejects(lease.release());
    await query("alter table lease_away rename to lease");
    // Left alone it would be past after 20 s.
    const next = await eventually(() => store.acquireLease("s6"), { timeoutMs: 10_000, what: "the lease" });
    await next.release();
  });

  it("of an earlier life end when the same holder starts again", async () => {
    const store = await open("same");
    assert.ok(await store.acquireLease("s5"));
    const again = await open("same");
    await again.releaseOwnLeases();
    const lease = await again.acquireLease("s5");
    assert.ok(lease);
    await lease.release();
  });
});
