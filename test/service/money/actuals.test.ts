import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { after, before, beforeEach, describe, it } from "node:test";
import type { ActualCost, DayRange } from "../../../components/actual-cost.ts";
import { neonDatabase } from "../../../components/database/neon.ts";
import { StacklingError } from "../../../components/errors.ts";
import { withClient } from "../../../components/local/database-client.ts";
import { defaultCosts } from "../../../service/config/costs.ts";
import { type ActualsDeps, startActuals } from "../../../service/money/actuals/actuals.ts";
import { type ActualSource, actualSources, lastThreeDays } from "../../../service/money/actuals/sources.ts";
import { priceFindings } from "../../../service/money/actuals/start.ts";
import type { PullState } from "../../../service/money/actuals/state.ts";
import { pricesFor } from "../../../service/money/load-prices.ts";
import { openStore, type PostgresStore } from "../../../service/store/postgres.ts";
import { eventually } from "../../support/eventually.ts";
import { aBranch, NEON_KEY, NEON_ORGANIZATION, NEON_PROJECT, startNeonServer } from "../../support/neon-server.ts";
import { testDatabase } from "../../support/postgres.ts";
import { silent } from "../../support/reconcile-world.ts";

const line = (stack: string, day: string, more: Partial<ActualCost> = {}): ActualCost => ({
  ...{ stack, day, meter: "cpu", quantity: 2, unit: "vCPU-hours", cost: 0.5, currency: "USD" },
  ...more,
});

/** Of AWS, asked at an address where nobody is. */
const bill = (callsPerDay: number): ActualSource => {
  const costExplorer = {
    credentials: { accessKeyId: { env: "PATH" }, secretAccessKey: { env: "PATH" } },
    endpoint: "http://127.0.0.1:1",
    callsPerDay,
  };
  const [source] = actualSources({ targets: [], costs: { ...defaultCosts, costExplorer } }, pricesFor({}));
  assert.ok(source);
  return source;
};

describe("what previews really cost", () => {
  let database: Awaited<ReturnType<typeof testDatabase>>;
  let store: PostgresStore;
  let time: string;
  const now = () => time;
  before(async () => {
    database = await testDatabase();
    store = await openStore({ url: database.url, holder: "one", logger: silent, now });
  });
  after(async () => {
    await store.close();
    await database.drop();
  });
  beforeEach(async () => {
    time = "2026-11-22T10:00:00.000Z";
    await withClient(database.url, (client) =>
      client.query("truncate cost, cost_about; delete from setting where name like 'costs %'"),
    );
  });

  /** A vendor that says these lines, or fails. */
  function vendor(says: () => readonly ActualCost[], more: Partial<ActualSource> = {}) {
    const ranges: DayRange[] = [];
    const source: ActualSource = {
      ...{ source: "aws", title: "AWS Cost Explorer", path: "costs.costExplorer" },
      ...{ settlesInDays: 2, openSince: lastThreeDays, everyHours: 24, againInHours: 2 },
      pull: async (range) => {
        ranges.push(range);
        return says();
      },
      ...more,
    };
    return { source, ranges };
  }

  const actuals = (sources: readonly ActualSource[], more: Partial<ActualsDeps> = {}) => {
    const prices = pricesFor({});
    const repositories = async () => [{ name: "shop" }];
    return startActuals({ store, sources, prices, repositories, now, logger: silent, ...more });
  };
  const costs = async () =>
    (await store.costs({ from: "0000-01-01", to: "9999-12-31" })).map(({ key, day, cost }) => [key, day, cost]);
  const hoursLater = (hours: number) => {
    time = new Date(Date.parse(time) + hours * 3_600_000).toISOString();
  };

  it("is asked once a day, of whole days, and the last three again", async () => {
    const { source, ranges } = vendor(() => []);
    const one = actuals([source]);
    await one.look();
    await one.look();
    hoursLater(25);
    await one.look();
    assert.deepEqual(ranges, [
      { from: "2026-10-11", to: "2026-11-20" },
      { from: "2026-11-18", to: "2026-11-21" },
    ]);
    // After a long pause no more than that.
    hoursLater(24 * 90);
    await one.look();
    assert.deepEqual(ranges.at(-1), { from: "2027-01-10", to: "2027-02-19" });
    // A clock that was set back ends nothing.
    hoursLater(-24 * 90);
    await one.look();
    assert.deepEqual(ranges.at(-1), { from: "2026-11-19", to: "2026-11-21" });
    await one.close();
  });

  it("is read again of a whole month until that is closed, and once behind that", async () => {
    const { source, ranges } = vendor(() => [], { openSince: bill(6).openSince });
    const one = actuals([source]);
    const readOn = async (day: string) => {
      time = `${day}T10:00:00.000Z`;
      await one.look();
      return ranges.at(-1);
    };
    await readOn("2026-11-22");
    assert.deepEqual(await readOn("2026-11-23"), { from: "2026-11-01", to: "2026-11-21" });
    assert.deepEqual(await readOn("2026-12-01"), { from: "2026-11-01", to: "2026-11-29" });
    assert.deepEqual(await readOn("2026-12-10"), { from: "2026-11-01", to: "2026-12-08" });
    assert.deepEqual(await readOn("2026-12-11"), { from: "2026-11-01", to: "2026-12-09" });
    assert.deepEqual(await readOn("2026-12-12"), { from: "2026-12-01", to: "2026-12-10" });
    assert.deepEqual(await readOn("2027-01-15"), { from: "2026-12-04", to: "2027-01-13" }, "41 days at most");
    await one.close();
  });

  it("takes the place of what was said of the same days before", async () => {
    let said = [line("shop-pr-1", "2026-11-20", { cost: 1 }), line("shop-pr-2", "2026-11-20")];
    const { source } = vendor(() => said);
    const one = actuals([source]);
    await one.look();
    said = [line("shop-pr-1", "2026-11-20", { cost: 1.25 })];
    hoursLater(25);
    await one.look();
    assert.deepEqual(await costs(), [["shop#1", "2026-11-20", 1.25]]);
    await one.close();
  });

  it("is of previews that the store forgot, and stages, and of no other Stackling's", async () => {
    const stacks = ["shop-pr-7", "shop-st-staging", "other-pr-1", "shop-pr-x", "shop-br-x-123456", "", "__proto__"];
    const { source } = vendor(() => stacks.map((stack) => line(stack, "2026-11-20")));
    const one = actuals([source]);
    await one.look();
    assert.deepEqual((await costs()).map(([key]) => key).sort(), ["shop#7", "shop:staging"]);
    await one.close();
  });

  it("is in the operator's currency, or left out with the way there", async () => {
    const { source } = vendor(() => [line("shop-pr-1", "2026-11-20", { cost: 2 })]);
    const euro = { ...defaultCosts, currency: "EUR" };
    const without = actuals([source], { prices: pricesFor({ costs: euro }) });
    await without.look();
    assert.deepEqual(await costs(), []);
    assert.match(JSON.stringify(await without.check()), /costs.exchange` does not say what one USD is in EUR/);
    const rated = actuals([source], { prices: pricesFor({ costs: { ...euro, exchange: { USD: 0.5 } } }) });
    hoursLater(3);
    await rated.look();
    assert.deepEqual(await costs(), [["shop#1", "2026-11-20", 1]]);
    await Promise.all([without.close(), rated.close()]);
  });

  it("keeps what it knows when a vendor fails, says why, and asks sooner", async () => {
    let fails = false;
    const { source, ranges } = vendor(() => {
      if (!fails) return [line("shop-pr-1", "2026-11-20")];
      throw new StacklingError({ reason: "TargetUnreachable", userMessage: "asking AWS: AWS cannot be reached" });
    });
    const one = actuals([source]);
    await one.look();
    fails = true;
    hoursLater(25);
    await one.look();
    assert.equal((await costs()).length, 1);
    const [said] = await one.check();
    assert.equal(said?.ok, false);
    assert.match(said?.what ?? "", /AWS cannot be reached, which was read last at 2026-11-22T10:00/);
    hoursLater(1);
    await one.look();
    hoursLater(1.5);
    fails = false;
    await one.look();
    assert.equal(ranges.length, 3);
    assert.match((await one.check())[0]?.what ?? "", /said what previews cost until 2026-11-21/);
    await one.close();
  });

  it("is asked again soon when the service was killed while it asked", async () => {
    const { source, ranges } = vendor(() => []);
    await store.setPullState("aws", { at: now(), asking: true });
    const one = actuals([source]);
    await one.look();
    assert.equal(ranges.length, 0);
    hoursLater(2);
    await one.look();
    assert.equal(ranges.length, 1);
    await one.close();
  });

  it("is asked by one replica of two", async (t) => {
    const other = await openStore({ url: database.url, holder: "two", logger: silent, now });
    t.after(() => other.close());
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { source, ranges } = vendor(() => []);
    const waiting = {
      ...source,
      pull: async (range: DayRange) => held.then(() => [void ranges.push(range)].flatMap(() => [])),
    };
    const [one, two] = [actuals([waiting]), actuals([waiting], { store: other })];
    const first = one.look();
    await eventually(async () => (await store.pullState("aws")).at !== undefined, { what: "the first to ask" });
    await two.look();
    release();
    await first;
    await two.look();
    assert.equal(ranges.length, 1);
    await Promise.all([one.close(), two.close()]);
  });

  it("comes of every OpenCost server and every project at Neon that the operator names", async (t) => {
    const pods = createServer((_request, response) => {
      const of = { window: { start: "2026-11-20T00:00:00Z" }, cpuCost: 0.25, ramCost: 0, totalCost: 0.25 };
      const found = { name: "stackling_dev_stack=shop-pr-1", cpuCoreHours: 5, ...of };
      response.setHeader("content-type", "application/json").end(JSON.stringify({ code: 200, data: [{ found }] }));
    });
    pods.listen(0, "127.0.0.1");
    await once(pods, "listening");
    const neon = await startNeonServer();
    const leave = () => {
      pods.closeAllConnections();
      pods.close();
    };
    t.after(leave);
    t.after(() => neon.close());
    process.env.STACKLING_TEST_NEON_KEY = NEON_KEY;
    neon.branches.push(aBranch({ id: "br-1", name: "stackling/shop-pr-2/0" }));
    neon.usage.push({
      ...{ project_id: NEON_PROJECT, branch_id: "br-1" },
      periods: [
        {
          ...{ period_id: "79ec829f-1828-4006-ac82-9f1828a0067d", period_plan: "launch" },
          period_start: "2026-11-01T00:00:00Z",
          consumption: [
            {
              timeframe_start: "2026-11-20T00:00:00Z",
              metrics: [{ metric_name: "compute_unit_seconds", value: 7200 }],
            },
          ],
        },
      ],
    });
    const url = `http://127.0.0.1:${(pods.address() as AddressInfo).port}`;
    const options = neonDatabase.options.parse({
      ...{ project: NEON_PROJECT, apiKey: { env: "STACKLING_TEST_NEON_KEY" }, parent: "main", apiUrl: neon.url },
    });
    const nothing = { driver: "local", options: {} };
    const costs = {
      ...{ ...defaultCosts, neon: { organization: NEON_ORGANIZATION } },
      opencost: { eu: { url, currency: "USD" }, us: { url, currency: "USD" } },
    };
    const config = {
      costs,
      targets: [
        {
          ...{ name: "eu", runs: "images" as const, service: nothing, dns: nothing, secrets: nothing },
          database: { driver: "neon", options: { ...options } },
        },
      ],
    };
    const one = actuals(actualSources(config, pricesFor(config)));
    await one.look();
    // Both clusters say the same of it here.
    assert.deepEqual(
      (await store.costs({ from: "2026-11-20", to: "2026-11-20" })).map(({ key, source, cost }) => [key, source, cost]),
      [
        ["shop#1", "opencost", 0.5],
        ["shop#2", "neon", 0.212],
      ],
    );
    const said = (await one.check()).map(({ ok, what }) => `${ok ? "ok" : "not"}: ${what}`);
    assert.deepEqual(said, [
      "ok: OpenCost said what previews cost until 2026-11-21",
      'ok: OpenCost "eu" answers',
      'ok: OpenCost "us" answers',
      "ok: Neon said what previews cost until 2026-11-21",
    ]);
    leave();
    const [, away] = await one.check();
    assert.match(away?.what ?? "", /OpenCost "eu" at 127.0.0.1:\d+: .*does not answer/);
    assert.match(away?.remedy ?? "", /costs.opencost.eu/);
    await one.close();
  });

  it("says that list prices count for nothing in a currency that nobody gave a rate for", () => {
    const euro = { ...defaultCosts, currency: "EUR" };
    assert.match(priceFindings(pricesFor({ costs: euro }))[0]?.remedy ?? "", /what one USD is in EUR/);
    assert.deepEqual(priceFindings(pricesFor({ costs: { ...euro, exchange: { USD: 0.9 } } })), []);
    assert.deepEqual(priceFindings(pricesFor({})), []);
  });

  it("is asked nobody's when the operator names nobody", () => {
    assert.deepEqual(actualSources({ targets: [] }, pricesFor({})), []);
    assert.deepEqual(actualSources({ costs: defaultCosts, targets: [] }, pricesFor({})), []);
  });
});

describe("what AWS is paid for being asked", () => {
  async function ask(calls: PullState["calls"]): Promise<{ said: string; state: PullState }> {
    let state: PullState = { ...(calls && { calls }) };
    const notes = {
      state: () => state,
      note: async (more: Partial<PullState>) => {
        state = { ...state, ...more };
      },
      today: "2026-11-22",
    };
    const said = await bill(2)
      .pull({ from: "2026-11-20", to: "2026-11-20" }, notes)
      .then(
        () => "answered",
        (error: unknown) => (error instanceof StacklingError ? error.userMessage : String(error)),
      );
    return { said, state };
  }

  it("is counted, even where no answer comes", async () => {
    const { said, state } = await ask({ day: "2026-11-21", count: 9 });
    assert.match(said, /AWS cannot be reached/);
    assert.deepEqual(state.calls, { day: "2026-11-22", count: 1 });
  });

  it("is no more than the operator allows a day", async () => {
    const { said, state } = await ask({ day: "2026-11-22", count: 2 });
    assert.match(said, /2 calls were made today \(\$0.02\).*callsPerDay.* allows 2/);
    assert.deepEqual(state.calls, { day: "2026-11-22", count: 2 });
  });
});
