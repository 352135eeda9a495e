import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import type { AllActions } from "../../service/actions.ts";
import { renderComment } from "../../service/comment/comment.ts";
import type { Lifecycle } from "../../service/config/types.ts";
import { pullRequest } from "../support/memory-forge.ts";
import { testDatabase } from "../support/postgres.ts";
import { type Bench, benchActions, config, reconcileBench, SHA } from "../support/reconcile-world.ts";

const KEY = "shop#1";
const DAY_SECONDS = 86_400;
const OFFICE: Lifecycle = {
  sleepAfterSeconds: 4 * DAY_SECONDS,
  officeHours: { awake: "0 8 * * 1-5", asleep: "0 19 * * 1-5", timeZone: "Europe/Berlin", wakeForSeconds: 3600 },
};
const TEARDOWN: Lifecycle = { teardown: { at: "0 22 * * 5", timeZone: "Europe/Berlin" } };

let database: Awaited<ReturnType<typeof testDatabase>>;
before(async () => {
  database = await testDatabase();
});
after(() => database.drop());

describe("a preview by the calendar", () => {
  let bench: Bench;
  let actions: AllActions;

  beforeEach(async () => {
    bench = await reconcileBench(database.url);
    bench.forge.pulls.set(1, pullRequest(1, SHA.a));
    actions = benchActions(bench);
  });
  afterEach(() => bench.close());

  async function look(lifecycle: Lifecycle): Promise<string> {
    await bench.reconcile(KEY, { config: { ...config, lifecycle: { ...lifecycle, resyncSeconds: 60 } } });
    return (await bench.preview(KEY)).status.reason;
  }

  /** Looks when the timer would, and tells what changed and when. */
  async function passUntil(until: string, lifecycle: Lifecycle): Promise<readonly string[]> {
    const seen: string[] = [];
    let reason = (await bench.preview(KEY)).status.reason;
    for (let looks = 0; looks < 100; looks++) {
      const { dueAt } = await bench.preview(KEY);
      if (dueAt === undefined || dueAt > until) break;
      bench.clock.now = dueAt;
      const now = await look(lifecycle);
      if (now !== reason) seen.push(`${dueAt.slice(0, 16)} ${now}`);
      reason = now;
    }
    bench.clock.now = until;
    return seen;
  }

  it("sleeps outside office hours, wakes by itself within them, and on a visit at any hour", async () => {
    bench.clock.now = "2026-03-26T12:00:00.000Z";
    assert.equal(await look(OFFICE), "Healthy");
    assert.deepEqual(await passUntil("2026-03-27T22:00:00.000Z", OFFICE), [
      "2026-03-26T18:00 Asleep",
      "2026-03-27T07:00 Healthy",
      "2026-03-27T18:00 Asleep",
    ]);
    const { message } = (await bench.preview(KEY)).status;
    assert.equal(message, "Asleep outside office hours until 2026-03-30 06:00 UTC. The first visit wakes it.");
    assert.equal(bench.awake.get("shop-pr-1"), false);

    await bench.store.visited({ [KEY]: bench.clock.now });
    assert.equal(await look(OFFICE), "Healthy");
    assert.deepEqual(await passUntil("2026-03-30T12:00:00.000Z", OFFICE), [
      "2026-03-27T23:00 Asleep",
      // Eight in Berlin, where summer time began on Sunday.
      "2026-03-30T06:00 Healthy",
    ]);
  });

  it("is built outside office hours when it is pushed to, and sleeps an hour later", async () => {
    bench.clock.now = "2026-03-28T12:00:00.000Z";
    assert.equal(await look(OFFICE), "Healthy");
    assert.deepEqual(await passUntil("2026-03-28T23:00:00.000Z", OFFICE), ["2026-03-28T13:00 Asleep"]);
    bench.forge.pulls.set(1, pullRequest(1, SHA.b));
    assert.equal(await look(OFFICE), "Healthy");
    assert.equal((await bench.preview(KEY)).status.live?.source.commit, SHA.b);
  });

  it("goes in the teardown that its comment announced, and comes back on a push", async () => {
    bench.clock.now = "2026-03-26T12:00:00.000Z";
    await look(TEARDOWN);
    const comment = renderComment(await bench.preview(KEY));
    assert.match(comment, /^\| Removed on \| 2026-03-27 21:00 UTC, .*`stackling keep 'shop#1'`/m);
    assert.deepEqual(await passUntil("2026-03-28T12:00:00.000Z", TEARDOWN), ["2026-03-27T21:00 Gone"]);
    const { status } = await bench.preview(KEY);
    assert.equal(status.goneReason, "Expired");
    assert.match(status.message, /^It went in the teardown of 2026-03-27 21:00 UTC\. .*a push or `redeploy` makes it/);
    const [receipt] = await bench.store.receipts(KEY);
    assert.equal(receipt?.evidence, "It went in the teardown of 2026-03-27 21:00 UTC.");
    assert.equal(await look(TEARDOWN), "Gone", "and does not come back by itself");

    bench.forge.pulls.set(1, pullRequest(1, SHA.b));
    assert.equal(await look(TEARDOWN), "Healthy");
    assert.equal((await bench.preview(KEY)).status.teardownAt, "2026-04-03T20:00:00.000Z");
  });

  it("stays in a teardown when it is kept, extended, or the hour was missed by a weekend", async () => {
    bench.clock.now = "2026-03-26T12:00:00.000Z";
    await look(TEARDOWN);
    await actions.keep(KEY, "ada");
    await look(TEARDOWN);
    assert.deepEqual(await passUntil("2026-04-01T12:00:00.000Z", TEARDOWN), []);
    await actions.keep(KEY, "ada", false);
    await actions.extend(KEY, 4 * DAY_SECONDS, "ada");
    await look(TEARDOWN);
    assert.deepEqual(await passUntil("2026-04-06T12:00:00.000Z", TEARDOWN), []);
    bench.clock.now = "2026-04-13T08:00:00.000Z";
    assert.equal(await look(TEARDOWN), "Healthy");
    assert.equal((await bench.preview(KEY)).status.teardownAt, "2026-04-17T20:00:00.000Z");
  });

  it("waits with a teardown while the forge is away, for a label may keep it", async () => {
    bench.clock.now = "2026-03-26T12:00:00.000Z";
    await look(TEARDOWN);
    bench.forge.outage = "502";
    bench.clock.now = "2026-03-27T21:30:00.000Z";
    assert.equal(await look(TEARDOWN), "Unreachable");
    bench.forge.outage = undefined;
    bench.forge.pulls.set(1, pullRequest(1, SHA.a, { labels: ["keep-preview"] }));
    assert.equal(await look(TEARDOWN), "Healthy");
  });

  it("has its clocks halted by stop-all, and loses neither warning nor life to it", async () => {
    const times: Lifecycle = {
      ...TEARDOWN,
      sleepAfterSeconds: 2 * DAY_SECONDS,
      warnAfterSeconds: 4 * DAY_SECONDS,
      destroyAfterSeconds: 6 * DAY_SECONDS,
      hardStopSeconds: 30 * DAY_SECONDS,
    };
    bench.clock.now = "2026-03-24T12:00:00.000Z";
    await look(times);
    bench.clock.now = "2026-03-25T12:00:00.000Z";
    await bench.store.setPause({ at: bench.clock.now, by: "ada" });
    assert.equal(await look(times), "Paused");
    assert.equal((await bench.preview(KEY)).dueAt, undefined);
    bench.clock.now = "2026-06-25T12:00:00.000Z";
    assert.equal(await look(times), "Paused");
    assert.equal((await bench.preview(KEY)).status.warned, undefined);

    await bench.store.setPause(undefined);
    assert.equal(await look(times), "Healthy", "it had a day left to its sleep");
    assert.deepEqual(await passUntil("2026-06-26T19:00:00.000Z", times), ["2026-06-26T12:00 Asleep"]);
    await actions.keep(KEY, "ada");
    await actions.keep(KEY, "ada", false);
    await look(times);
    assert.deepEqual(await passUntil("2026-06-26T22:00:00.000Z", times), ["2026-06-26T20:00 Gone"]);
  });

  it("is destroyed while all is stopped when its pull request is closed", async () => {
    await look(TEARDOWN);
    await bench.store.setPause({ at: bench.clock.now, by: "ada" });
    await look(TEARDOWN);
    bench.forge.pulls.set(1, { ...pullRequest(1, SHA.a), state: "closed" });
    assert.equal(await look(TEARDOWN), "Gone");
  });
});
