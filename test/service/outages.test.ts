import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { StacklingError, TerminalError } from "../../components/errors.ts";
import { createBackendCheck } from "../../infra/backend-check.ts";
import { createActions } from "../../service/actions.ts";
import { ALARM_AFTER, alarmFindings, createAlarm } from "../../service/alarm.ts";
import { findAway } from "../../service/api/health.ts";
import { renderComment } from "../../service/comment/comment.ts";
import { createDiskCheck } from "../../service/disk.ts";
import { createHolds, lookAtHeld } from "../../service/holds.ts";
import { outageFindings } from "../../service/outages.ts";
import { remembering } from "../../service/remembering.ts";
import { pullRequest } from "../support/memory-forge.ts";
import { testDatabase } from "../support/postgres.ts";
import { type Bench, config, reconcileBench, SHA, shop, silent } from "../support/reconcile-world.ts";

const fault = (reason: string) => new StacklingError({ reason, userMessage: `it is ${reason}` });
const fine = async () => {};

describe("the ground's checks", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "stackling-ground-"));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it("find no fault with a disk that has room, and name one that has less than is wanted", async () => {
    await createDiskCheck({ dataDir: folder, freeMiB: 0 })();
    const full = createDiskCheck({ dataDir: folder, freeMiB: 2 ** 40 });
    await assert.rejects(full, (error: unknown) => {
      assert.ok(error instanceof StacklingError);
      assert.equal(error.reason, "DiskFull");
      assert.doesNotMatch(error.userMessage, new RegExp(folder));
      return true;
    });
  });

  it("write through to a backend in a folder and leave nothing there an engine would see", async () => {
    const stacks = { list: async () => assert.fail("asked the engine") };
    await createBackendCheck({ backendUrl: `file://${folder}`, stacks, name: "one" })();
    assert.deepEqual(await readdir(folder), [".stackling-probes"]);
    assert.deepEqual(await readdir(join(folder, ".stackling-probes")), []);
  });

  it("ask every other backend for its stacks", async () => {
    const check = (list: () => Promise<readonly string[]>) =>
      createBackendCheck({ backendUrl: "s3://state", stacks: { list }, name: "one" })();
    await check(async () => []);
    const failed = new Error('blob (key "x") (code=Unknown): operation error S3: StatusCode: 403');
    await assert.rejects(
      check(() => Promise.reject(failed)),
      { reason: "BackendUnavailable", message: "asking the state backend: the state backend refuses us" },
    );
    await assert.rejects(
      check(() => Promise.reject(new Error("whatever"))),
      { reason: "BackendUnavailable" },
    );
  });

  it("count a good answer while the next one is slow, and ask one question at a time", async () => {
    let asked = 0;
    const slow = Promise.withResolvers<void>();
    const check = remembering({ good: 0, bad: 0 }, () => (++asked === 1 ? Promise.resolve() : slow.promise));
    await check();
    await Promise.all([check(), check()]);
    assert.equal(asked, 2);
    slow.reject(fault("BackendUnavailable"));
    await assert.rejects(check());
  });

  it("tell doctor and /readyz which condition it is, and the way out", async () => {
    const checks = {
      store: () => Promise.reject(new Error("no answer")),
      disk: () => Promise.reject(fault("DiskFull")),
      "forge:github": () => Promise.reject(fault("GithubFailed")),
      engine: fine,
    };
    assert.deepEqual(
      (await findAway(checks)).map(({ name, reason }) => [name, reason]),
      [
        ["store", "StoreUnavailable"],
        ["disk", "DiskFull"],
        ["forge:github", "Unreachable"],
      ],
    );
    const findings = await outageFindings(checks);
    assert.deepEqual(
      findings.map(({ ok, remedy }) => [ok, remedy !== undefined]),
      [
        [true, false],
        [false, true],
        [false, true],
        [false, true],
      ],
    );
    assert.match(findings[2]?.what ?? "", /^DiskFull \(disk\): it is DiskFull/);
  });
});

describe("an outage of the ground", () => {
  let database: Awaited<ReturnType<typeof testDatabase>>;
  let bench: Bench;
  let away: { disk?: StacklingError; backend?: StacklingError };
  before(async () => {
    database = await testDatabase();
  });
  after(() => database.drop());
  beforeEach(async () => {
    bench = await reconcileBench(database.url);
    away = {};
    bench.forge.pulls.set(1, pullRequest(1, SHA.a));
  });
  afterEach(() => bench.close());

  const ask = (part: "disk" | "backend") => async () => {
    const error = away[part];
    if (error) throw error;
  };
  const look = () =>
    bench.reconcile("shop#1", {
      holds: createHolds({ disk: ask("disk"), backend: ask("backend"), now: () => bench.clock.now }),
      alarm: createAlarm({ store: bench.store, logger: silent }),
    });
  const close = () => bench.forge.pulls.set(1, pullRequest(1, SHA.a, { state: "closed" }));
  const status = async () => (await bench.preview("shop#1")).status;

  for (const part of ["disk", "backend"] as const) {
    it(`holds a new build back while the ${part} is away, by name, and lets it go when it is back`, async () => {
      away = { [part]: fault(part === "disk" ? "DiskFull" : "BackendUnavailable") };
      await look();
      const held = await status();
      assert.deepEqual([held.condition, held.reason], ["Stalled", part === "disk" ? "DiskFull" : "BackendUnavailable"]);
      assert.match(held.message, /^Nothing new is built: it is .*\. It goes on by itself\.$/);
      assert.deepEqual(bench.stacks.runs, []);
      const { dueAt } = await bench.preview("shop#1");
      assert.equal(Date.parse(dueAt ?? "") - Date.parse(bench.clock.now), 60_000);
      away = {};
      bench.clock.advance(15);
      await look();
      assert.equal((await status()).reason, "Healthy");
      assert.equal((await status()).attempted?.failures, 0);
    });
  }

  it("tells what it holds back, and nothing else, when it is over", async () => {
    bench.forge.pulls.set(2, pullRequest(2, SHA.a));
    await bench.reconcile("shop#2");
    for (const job of await bench.store.queue.fetch(100)) await bench.store.queue.done(job);
    away = { disk: fault("DiskFull") };
    const stopping = new AbortController();
    const over = Promise.withResolvers<void>();
    const onBack = () => lookAtHeld(bench.store).then(over.resolve, over.reject);
    const parts = { disk: ask("disk"), backend: ask("backend"), onBack, stopping: stopping.signal };
    const holds = createHolds({ ...parts, now: () => bench.clock.now });
    await bench.reconcile("shop#1", { holds });
    assert.equal((await status()).reason, "DiskFull");
    away = {};
    await over.promise;
    stopping.abort();
    const jobs = await bench.store.queue.fetch(100);
    assert.deepEqual(
      jobs.map(({ key }) => key),
      ["shop#1"],
    );
    for (const job of jobs) await bench.store.queue.done(job);
  });

  it("lets what is closed go while the disk is full, and not while no state can be written", async () => {
    await look();
    close();
    away = { backend: fault("BackendUnavailable") };
    await look();
    assert.match((await status()).message, /^It is not removed yet: /);
    assert.deepEqual([(await status()).reason, (await status()).destroyFailures], ["BackendUnavailable", 0]);
    away = { disk: fault("DiskFull") };
    bench.clock.advance(15);
    await look();
    assert.equal((await status()).reason, "Gone");
  });

  it("in the middle of a build is no fault of the input", async () => {
    bench.stacks.during = async () => {
      throw new TerminalError({
        reason: "BuildFailed",
        userMessage: "`npm ci` exited with 1",
        excerpt: ["ENOSPC: no"],
      });
    };
    for (let round = 1; round <= 7; round++) {
      await look();
      bench.clock.advance(600);
    }
    assert.equal((await status()).reason, "DiskFull");
    assert.equal((await status()).attempted?.failures, 7);
    bench.stacks.during = async () => {};
    await look();
    assert.equal((await status()).attempted?.ok, true);
  });

  it("does not hide what is wrong with the commit while room is merely short", async () => {
    bench.stacks.during = async () => {
      away = { disk: fault("DiskFull") };
      throw new TerminalError({ reason: "BuildFailed", userMessage: "`tsc` exited with 2" });
    };
    await look();
    assert.equal((await status()).reason, "BuildFailed");
  });

  it("that breaks a destroy is tried again within a minute and is no alarm", async () => {
    await look();
    close();
    bench.stacks.during = () => Promise.reject(fault("BackendUnavailable"));
    for (let round = 1; round <= ALARM_AFTER + 3; round++) {
      await look();
      bench.clock.advance(60);
    }
    const { failed, destroyFailures, reason } = await status();
    assert.deepEqual([failed?.failures, destroyFailures, reason], [ALARM_AFTER + 3, 0, "BackendUnavailable"]);
  });

  it("is told apart from a destroy that fails for ever, which is an alarm everywhere", async () => {
    await look();
    close();
    bench.stacks.during = () => Promise.reject(fault("DatabaseFailed"));
    const waits: number[] = [];
    for (let round = 1; round <= 14; round++) {
      await look();
      const preview = await bench.preview("shop#1");
      waits.push((Date.parse(preview.dueAt ?? "") - Date.parse(bench.clock.now)) / 1000);
      const isAlarm = preview.status.destroyFailures >= ALARM_AFTER;
      assert.equal(alarmFindings([preview]).length, isAlarm ? 1 : 0);
      assert.equal(/Removing it failed/.test(renderComment(preview)), isAlarm);
      bench.clock.advance(3600);
    }
    assert.equal(Math.max(...waits), 3600);
    assert.deepEqual([(await status()).condition, (await status()).reason], ["Stalled", "DestroyFailed"]);
    assert.equal((await bench.store.counters())["failed destroys"], 14);
    bench.stacks.during = async () => {};
    await look();
    assert.equal((await status()).reason, "Gone");
    assert.deepEqual(alarmFindings([await bench.preview("shop#1")]), []);
  });

  it('leaves a destroy that failed to a later hour, or to a person\'s "down"', async () => {
    await look();
    close();
    bench.stacks.during = () => Promise.reject(fault("DatabaseFailed"));
    for (let round = 1; round <= ALARM_AFTER; round++) {
      await look();
      bench.clock.now = (await bench.preview("shop#1")).dueAt ?? "";
    }
    await look();
    bench.stacks.during = async () => {};
    await look();
    assert.equal((await status()).reason, "DestroyFailed");
    await actionsOn(bench).down("shop#1", "ada");
    await look();
    assert.equal((await status()).reason, "Gone");
  });
});

function actionsOn({ store, stacks, deps: { world }, forge, clock }: Bench) {
  return createActions({
    store,
    stacks,
    world,
    repositories: async () => [shop],
    forge: () => forge,
    localForge: "local",
    defaultTarget: "local",
    config,
    now: () => clock.now,
  });
}
