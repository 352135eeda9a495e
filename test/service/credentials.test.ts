import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { StacklingError } from "../../components/errors.ts";
import { credentialFindings, renewAll, startCredentials } from "../../service/credentials.ts";
import { pullRequest } from "../support/memory-forge.ts";
import { testDatabase } from "../support/postgres.ts";
import { type Bench, config, reconcileBench, SHA, silent } from "../support/reconcile-world.ts";
import { requires } from "../support/requires.ts";

const KEY = "shop#1";
const HOUR_SECONDS = 3600;
const choice = { driver: "clone", options: {} };

describe("a login that ends by itself", requires("postgres"), () => {
  let database: Awaited<ReturnType<typeof testDatabase>>;
  before(async () => {
    database = await testDatabase();
  });
  after(() => database.drop());

  let bench: Bench;
  /** What was done to the world, in turn. */
  let done: string[];
  /** How long a renewed login is good; undefined: for ever. */
  let hours: number | undefined;
  let serverIsAway: boolean;

  beforeEach(async () => {
    bench = await reconcileBench(database.url);
    bench.forge.files.set("main:preview.yaml", "services:\n  web: node server.js\ndatabase: {}\n");
    bench.forge.pulls.set(1, pullRequest(1, SHA.a));
    done = [];
    hours = 24;
    serverIsAway = false;
    bench.deps.world.renew = async (_target, stack) => {
      if (serverIsAway) throw new StacklingError({ reason: "DatabaseFailed", userMessage: "renewing: no answer" });
      done.push(`renew ${stack}`);
      if (hours === undefined) return undefined;
      return new Date(Date.parse(bench.clock.now) + hours * HOUR_SECONDS * 1000).toISOString();
    };
    const { setAwake } = bench.deps.world;
    bench.deps.world.setAwake = async (target, stack, awake) => {
      done.push(`${awake ? "wake" : "sleep"} ${stack}`);
      await setAwake(target, stack, awake);
    };
    await look();
  });
  afterEach(() => bench.close());

  const targets = config.targets.map((target) => ({ ...target, database: choice }));
  const look = () => bench.reconcile(KEY, { config: { ...config, targets } });
  const round = () => renewAll({ ...bench.deps, store: bench.store }, new AbortController().signal);
  const taken = () => done.splice(0);
  const start = () => startCredentials({ ...bench.deps, store: bench.store, logger: silent });

  it("is renewed when half of its time is over, and not before, however often it is looked at", async () => {
    await round();
    await round();
    assert.deepEqual(taken(), ["renew shop-pr-1"]);
    bench.clock.advance(12 * HOUR_SECONDS - 1);
    await round();
    assert.deepEqual(taken(), []);
    bench.clock.advance(1);
    await round();
    await round();
    assert.deepEqual(taken(), ["renew shop-pr-1"]);
    const { credential } = (await bench.preview(KEY)).status;
    assert.deepEqual(credential, { renewedAt: bench.clock.now, until: "2026-03-03T00:00:00.000Z" });
  });

  it("is renewed while its preview sleeps, which stays asleep", async () => {
    await round();
    bench.clock.advance(HOUR_SECONDS + 1);
    await look();
    assert.deepEqual(taken(), ["renew shop-pr-1", "sleep shop-pr-1"]);
    bench.clock.advance(12 * HOUR_SECONDS);
    await round();
    assert.deepEqual([taken(), (await bench.preview(KEY)).status.reason], [["renew shop-pr-1"], "Asleep"]);
  });

  it("is renewed before a service that was down for days goes on", async () => {
    await round();
    bench.clock.advance(48 * HOUR_SECONDS);
    taken();
    const close = await start();
    assert.deepEqual(taken(), ["renew shop-pr-1"]);
    await close();
  });

  it("is renewed by one replica at a time", async () => {
    const turn = await bench.store.acquireLease("@credentials");
    await round();
    assert.deepEqual(taken(), []);
    await turn?.release();
    await round();
    assert.deepEqual(taken(), ["renew shop-pr-1"]);
  });

  it("is tried again in the next round, and holds up neither start nor the others, when its server is away", async () => {
    serverIsAway = true;
    const close = await start();
    await close();
    assert.equal((await bench.preview(KEY)).status.credential, undefined);
    serverIsAway = false;
    await round();
    assert.deepEqual(taken(), ["renew shop-pr-1"]);
  });

  it("is no matter where the driver knows no end, until the next update", async () => {
    hours = undefined;
    await round();
    bench.clock.advance(400 * 24 * HOUR_SECONDS);
    await round();
    assert.deepEqual(taken(), ["renew shop-pr-1"]);
  });

  it("is renewed again behind an update, which may have made another", async () => {
    await round();
    bench.forge.pulls.set(1, pullRequest(1, SHA.b));
    await look();
    await round();
    assert.deepEqual(taken(), ["renew shop-pr-1", "renew shop-pr-1"]);
  });

  describe("of a preview that sleeps since yesterday", () => {
    const visit = async () => {
      await bench.store.visited({ [KEY]: bench.clock.now });
      await look();
      return (await bench.preview(KEY)).status;
    };
    beforeEach(async () => {
      await round();
      bench.clock.advance(HOUR_SECONDS + 1);
      await look();
      taken();
    });

    it("is good before the preview wakes", async () => {
      bench.clock.advance(48 * HOUR_SECONDS);
      assert.equal((await visit()).reason, "Healthy");
      assert.deepEqual(taken(), ["renew shop-pr-1", "wake shop-pr-1"]);
    });

    it("lets nothing wake that it would not let in, and the preview wakes once it can be renewed", async () => {
      bench.clock.advance(48 * HOUR_SECONDS);
      serverIsAway = true;
      assert.deepEqual([(await visit()).condition, taken()], ["Stalled", []]);
      serverIsAway = false;
      bench.clock.advance(HOUR_SECONDS / 2);
      await visit();
      assert.deepEqual(taken(), ["renew shop-pr-1", "wake shop-pr-1"]);
    });

    it("lets it wake where it cannot be renewed and is still good", async () => {
      bench.clock.advance(13 * HOUR_SECONDS);
      serverIsAway = true;
      assert.deepEqual([(await visit()).reason, taken()], ["Healthy", ["wake shop-pr-1"]]);
    });
  });

  it("is warned of by doctor when it should long have been renewed", async () => {
    await round();
    const found = async () => credentialFindings(await bench.store.list(), bench.clock.now).map(({ what }) => what);
    bench.clock.advance(17 * HOUR_SECONDS);
    assert.deepEqual(await found(), []);
    bench.clock.advance(HOUR_SECONDS);
    assert.match((await found()).join(), /login of shop#1 could not be renewed and ends at/);
    bench.clock.advance(24 * HOUR_SECONDS);
    assert.match((await found()).join(), /and ended at/);
  });
});
