import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { withClient } from "../../../components/local/database-client.ts";
import type { Usage } from "../../../components/operations.ts";
import { gone } from "../../../service/conditions.ts";
import { defaultCosts } from "../../../service/config/costs.ts";
import { pricesFor } from "../../../service/money/load-prices.ts";
import { type Meter, type MeterDeps, startMeter } from "../../../service/money/meter.ts";
import { openStore, type PostgresStore } from "../../../service/store/postgres.ts";
import { testDatabase } from "../../support/postgres.ts";
import { aPreview } from "../../support/previews.ts";
import { silent } from "../../support/reconcile-world.ts";

const T0 = Date.parse("2026-11-22T10:00:00.000Z");
const MINUTE_MS = 60_000;
const prices = pricesFor({ costs: { ...defaultCosts, local: { cpuHour: 1, gibHour: 1, diskGibMonth: 730 } } });

describe("the meter", () => {
  let database: Awaited<ReturnType<typeof testDatabase>>;
  let store: PostgresStore;
  const meters: Meter[] = [];
  const clock = { ms: T0, elapsed: 0 };
  const forward = (minutes: number) => {
    clock.ms += minutes * MINUTE_MS;
    clock.elapsed += minutes * MINUTE_MS;
  };
  /** What the drivers tell of the one preview there is. */
  let told: { hours: number; gib: number; away?: boolean; stuck?: boolean; held: number };

  const open = async (holder: string) => openStore({ url: database.url, holder, logger: silent, now });
  const now = () => new Date(clock.ms).toISOString();
  before(async () => {
    database = await testDatabase();
    store = await open("one");
  });
  after(async () => {
    for (const meter of meters) await meter.close();
    await store?.close();
    await database?.drop();
  });
  beforeEach(async () => {
    await withClient(database.url, (client) => client.query("truncate cost, cost_about, cost_reading, preview"));
    Object.assign(clock, { ms: T0, elapsed: 0 });
    told = { hours: 0, gib: 0, held: 0 };
  });

  const world: MeterDeps["world"] = {
    usage: async (_target, _stack, { held }): Promise<Usage & { failed?: Error }> => {
      if (held) told.held += 1;
      if (told.away) return { counters: [], held: [], failed: new Error("away") };
      const counters = [{ meter: "cpu", resource: "web", id: "1", hours: told.hours } as const];
      if (held && told.stuck) return { counters, held: [], failed: new Error("counting the files") };
      return {
        counters,
        held: held ? [{ meter: "disk", resource: "files", gib: told.gib }] : [],
      };
    },
    counting: async () => ({ service: true, database: false }),
  };
  const meter = (more: Partial<MeterDeps> = {}) => {
    const made = startMeter({ store, world, prices, now, elapsed: () => clock.elapsed, logger: silent, ...more });
    meters.push(made);
    return made;
  };
  const uncounted: MeterDeps["world"] = {
    usage: async () => ({ counters: [], held: [] }),
    counting: async () => ({ service: false, database: false }),
  };
  const ours = aPreview({ number: 1, urls: { web: "http://pr-1-shop.localhost" } });
  const aLive = () => ours.status.live && { ...ours.status.live, tags: { team: "storefront" } };
  const create = () => store.create({ ...ours, createdAt: now(), status: { ...ours.status, live: aLive() } });
  const end = () =>
    store.update("shop#1", ({ status }) => ({ status: { ...status, ...gone("Closed", status, now()) } }));
  const cost = async (name: "cpu" | "disk") => {
    const lines = await store.costs({ key: "shop#1", from: "2026-01-01", to: "2027-12-31" });
    return lines.filter((one) => one.meter === name).reduce((sum, one) => sum + one.cost, 0);
  };
  const near = (one: number, other: number) => assert.ok(Math.abs(one - other) < 1e-6, `${one} is not ${other}`);

  it("charges what was counted and what is held, and nothing twice when it was killed in between", async () => {
    await create();
    Object.assign(told, { hours: 2, gib: 1 });
    await meter().look();
    forward(1);
    told.hours = 3;
    await meter().look();
    // Another life of it, which knows what is in the store alone.
    await meter().look();
    near(await cost("cpu"), 3);
    near(await cost("disk"), 1 / 60);
  });

  it("counts once when two replicas look at the same time", async () => {
    await create();
    const other = await open("two");
    told.hours = 5;
    await Promise.all([meter().look(), meter({ store: other }).look()]);
    await other.close();
    near(await cost("cpu"), 5);
  });

  it("looks at what sleeps once an hour, and charges its disk alone", async () => {
    await create();
    Object.assign(told, { hours: 1, gib: 2 });
    const one = meter();
    await one.look();
    await store.setStatus("shop#1", { awake: false });
    forward(1);
    await one.look();
    for (let minute = 0; minute < 120; minute += 1) {
      forward(1);
      await one.look();
    }
    near(await cost("cpu"), 1);
    near(await cost("disk"), (2 * 121) / 60);
    assert.equal(told.held, 3);
  });

  it("goes on after an outage of the driver where it was", async () => {
    await create();
    told.hours = 1;
    const one = meter();
    await one.look();
    told.away = true;
    forward(1);
    await one.look();
    Object.assign(told, { away: false, hours: 4 });
    forward(1);
    await one.look();
    near(await cost("cpu"), 4);
  });

  it("asks seldom for files that it cannot count, says so once, and counts all else meanwhile", async () => {
    await create();
    told.stuck = true;
    const warned: object[] = [];
    const one = meter({ logger: { warn: (fields) => void warned.push(fields) } });
    for (let minute = 0; minute < 30; minute += 1) {
      told.hours += 1;
      await one.look();
      forward(1);
    }
    assert.deepEqual([told.held, warned.length], [3, 1]);
    near(await cost("cpu"), 30);
    Object.assign(told, { stuck: false, gib: 1 });
    for (let minute = 0; minute < 30; minute += 1) {
      await one.look();
      forward(1);
    }
    assert.equal(told.held, 4);
    assert.ok((await cost("disk")) > 0);
  });

  it("is closed at once while a driver is asked, and writes nothing of that", async () => {
    await create();
    const asked = Promise.withResolvers<void>();
    const one = meter({
      world: {
        usage: () => {
          asked.resolve();
          return new Promise(() => {});
        },
        counting: async () => ({ service: true, database: false }),
      },
    });
    const looking = one.look();
    await asked.promise;
    await one.close();
    await looking;
    assert.equal((await store.readings()).size, 0);
  });

  it("charges the database of a stack whose first version never served", async () => {
    const choice = (driver: string) => ({ driver, options: {} });
    const target = {
      ...{ name: "cloud", service: choice("kubernetes"), dns: choice("gateway"), secrets: choice("kubernetes") },
      database: choice("neon"),
    };
    const { live: _, ...rest } = ours.status;
    const expected = { target, services: [], database: {}, urls: {}, generatedSecrets: [], grantedSecrets: [] };
    const builtOn = [target];
    await store.create({
      ...ours,
      createdAt: now(),
      status: { ...rest, awake: false, stackExists: true, expected, builtOn },
    });
    const one = meter({ world: uncounted });
    await one.look();
    forward(60);
    await one.look();
    const lines = await store.costs({ key: "shop#1", from: "2026-01-01", to: "2027-12-31" });
    assert.deepEqual([...new Set(lines.map(({ meter: name }) => name))], ["database-storage"]);
  });

  it("charges for what it was away itself, and not for a clock that was set", async () => {
    await create();
    told.gib = 1;
    const one = meter();
    await one.look();
    clock.ms += 5 * 60 * MINUTE_MS;
    clock.elapsed += MINUTE_MS;
    await one.look();
    near(await cost("disk"), 1 / 60);
    clock.ms -= 10 * 60 * MINUTE_MS;
    clock.elapsed += MINUTE_MS;
    await one.look();
    near(await cost("disk"), 2 / 60);
    await one.close();
    forward(300);
    await meter().look();
    near(await cost("disk"), 2 / 60 + 5);
  });

  it("takes the last word of one that is gone, until the moment it went, and no more", async () => {
    await create();
    Object.assign(told, { hours: 1, gib: 1 });
    const one = meter();
    await one.look();
    forward(1);
    told.hours = 2;
    await end();
    for (let minute = 0; minute < 3; minute += 1) {
      forward(1);
      told.hours += 1;
      await one.look();
    }
    near(await cost("cpu"), 3);
    near(await cost("disk"), 1 / 60);
  });

  it("charges one that is made anew nothing for the time that it was gone", async () => {
    await create();
    Object.assign(told, { hours: 1, gib: 1 });
    const one = meter();
    await one.look();
    await end();
    forward(1);
    await one.look();
    forward(3 * 7 * 24 * 60);
    const live = aLive();
    await store.update("shop#1", ({ status }) => ({ status: { ...status, goneAt: undefined, awake: true, live } }));
    await one.look();
    near(await cost("disk"), 0);
    forward(1);
    await one.look();
    near(await cost("disk"), 1 / 60);
    near(await cost("cpu"), 1);
  });

  it("charges what is reckoned by the time until the moment it went", async () => {
    await create();
    const one = meter({
      prices: pricesFor({ costs: { ...defaultCosts, targets: { local: { cpuHour: 1 } } } }),
      world: uncounted,
    });
    await one.look();
    forward(30);
    await end();
    forward(30);
    await one.look();
    near(await cost("cpu"), 0.5 / 2);
  });

  it("charges nothing by the hour for the time that the machine's services were off", async () => {
    await create();
    const hourly = { prices: pricesFor({ costs: { ...defaultCosts, targets: { local: { cpuHour: 1 } } } }) };
    const one = meter({ ...hourly, world: uncounted });
    await one.look();
    forward(30);
    await one.look();
    await one.close();
    forward(12 * 60);
    await meter({ ...hourly, world: uncounted }).look();
    near(await cost("cpu"), (30 + 1) / 60 / 2);
  });

  it("says whose it was after the preview is gone", async () => {
    await create();
    told.hours = 1;
    const one = meter();
    await one.look();
    await end();
    await one.look();
    const about = (await store.costsAbout(["shop#1"])).get("shop#1");
    assert.deepEqual([about?.repository, about?.number, about?.team], ["shop", 1, "storefront"]);
  });
});
