import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { withClient } from "../../../../components/local/database-client.ts";
import { createAudit } from "../../../../service/audit.ts";
import type { BudgetConfig } from "../../../../service/config/budgets.ts";
import { defaultCosts } from "../../../../service/config/costs.ts";
import { type Budgets, type BudgetsDeps, startBudgets } from "../../../../service/money/budgets/budgets.ts";
import { pricesFor } from "../../../../service/money/load-prices.ts";
import { createPrices } from "../../../../service/money/prices.ts";
import { openStore } from "../../../../service/store/postgres.ts";
import { pullRequest } from "../../../support/memory-forge.ts";
import { testDatabase } from "../../../support/postgres.ts";
import { type Bench, config, reconcileBench, SHA, silent } from "../../../support/reconcile-world.ts";

const prices = pricesFor({ costs: { ...defaultCosts, local: { cpuHour: 1, gibHour: 1, diskGibMonth: 1 } } });
const whole: BudgetConfig = {
  name: "whole",
  of: "all",
  amount: 100,
  at: { warn: 80, refuse: 100, sleep: 110, stop: 120 },
};

describe("budgets at work", () => {
  let database: Awaited<ReturnType<typeof testDatabase>>;
  let bench: Bench;
  let budgets: Budgets;
  let spent: number;
  const made: Budgets[] = [];

  before(async () => {
    database = await testDatabase();
  });
  after(async () => {
    for (const one of made) await one.close();
    await bench.close();
    await database.drop();
  });
  beforeEach(async () => {
    await bench?.close();
    bench = await reconcileBench(database.url);
    await withClient(database.url, (client) => client.query("truncate cost, cost_about, cost_reading, budget"));
    spent = 0;
    budgets = await start([whole]);
  });

  const start = async (configured: readonly BudgetConfig[], more: Partial<BudgetsDeps> = {}) => {
    const started = startBudgets({
      ...{
        store: bench.store,
        prices,
        audit: createAudit({ store: bench.store, now: () => bench.clock.now, logger: silent }),
        now: () => bench.clock.now,
        logger: silent,
      },
      config: { ...config, budgets: configured },
      ...more,
    });
    made.push(started);
    await started.look();
    return started;
  };
  const open = async (number: number) => {
    bench.forge.pulls.set(number, pullRequest(number, SHA.a));
    await look(number);
  };
  const look = (number: number) => bench.reconcile(`shop#${number}`, { budgets });
  const reasonOf = async (number: number) => (await bench.preview(`shop#${number}`)).status.reason;
  const spend = async (to: number, key = "shop#1") => {
    const day = bench.clock.now.slice(0, 10);
    await withClient(database.url, (client) =>
      client.query(
        `insert into cost (key, day, source, meter, unit, currency, quantity, cost)
         values ($1, $2, 'metered', 'cpu', 'vCPU-hours', 'USD', 1, $3)
         on conflict (key, day, source, meter, resource, currency) do update set cost = cost.cost + excluded.cost`,
        [key, day, to - spent],
      ),
    );
    spent = to;
    await budgets.look();
  };
  const told = async () =>
    (await bench.store.audit({ limit: 50 })).entries
      .filter(({ via }) => via === "service")
      .map(({ actor, action, key }) => [actor, action, key].filter(Boolean).join(" "))
      .reverse();

  it("act in their order and say so", async () => {
    for (const number of [1, 2]) await open(number);
    bench.clock.advance(3000);
    await bench.store.visited({ "shop#2": bench.clock.now });
    await spend(80);
    assert.equal((await budgets.of({ key: "shop#1", repository: "shop" }))?.level, "warned");
    await open(3);
    assert.equal(await reasonOf(3), "Healthy");

    await spend(100);
    await open(4);
    assert.equal(await reasonOf(4), "OverBudget");
    assert.match((await bench.preview("shop#4")).status.message, /stackling budget lift whole --for 48h/);
    bench.forge.pulls.set(1, pullRequest(1, SHA.b));
    await look(1);
    assert.equal(
      (await bench.preview("shop#1")).status.live?.source.commit,
      SHA.b,
      "what is there stays, and is updated",
    );

    bench.clock.advance(1800);
    await bench.store.visited({ "shop#2": bench.clock.now });
    await spend(110);
    for (const number of [1, 2, 3]) await look(number);
    assert.deepEqual(await Promise.all([1, 2, 3].map(reasonOf)), ["Asleep", "Healthy", "Asleep"]);
    bench.clock.advance(1);
    await bench.store.visited({ "shop#1": bench.clock.now });
    await look(1);
    assert.equal(await reasonOf(1), "Healthy", "a visit wakes it");

    await spend(120);
    assert.equal((await bench.store.pause())?.by, "budget whole");
    for (const number of [1, 2]) await look(number);
    assert.deepEqual(await Promise.all([1, 2].map(reasonOf)), ["Paused", "Paused"]);
    assert.match((await bench.preview("shop#1")).status.message, /an admin lifts it: `stackling budget lift whole/);
    assert.deepEqual(await told(), [
      "budget whole budget warn",
      "budget whole budget refuse",
      "budget whole budget sleep",
      "budget whole sleep shop#1",
      "budget whole sleep shop#3",
      "budget whole budget stop",
    ]);
  });

  it("put the idlest to sleep by what the ledger knows of them, where nothing has a price", async () => {
    for (const number of [1, 2, 3]) await open(number);
    const half: BudgetConfig = { name: "half", of: "all", amount: 100, at: { sleep: 80 } };
    budgets = await start([half], { prices: createPrices([], defaultCosts) });
    bench.clock.advance(20 * 86_400);
    await bench.store.visited({ "shop#2": bench.clock.now });
    bench.clock.advance(3600);
    await bench.store.visited({ "shop#3": bench.clock.now });
    bench.clock.advance(3600);
    await spend(0.1, "shop#3");
    await spend(40.1, "shop#2");
    assert.deepEqual(await told(), []);
    await spend(85.1, "shop#1");
    await budgets.look();
    assert.deepEqual(await told(), [
      "budget half budget sleep",
      "budget half sleep shop#1",
      "budget half sleep shop#2",
    ]);
    const [state] = await budgets.states();
    assert.deepEqual(state?.uncounted, { previews: 3, meters: ["cpu", "memory", "disk"] });
  });

  it("say nothing twice, by however many replicas and after every kill", async () => {
    await open(1);
    await spend(100);
    const other = await openStore({ url: database.url, holder: "two", logger: silent, now: () => bench.clock.now });
    await start([whole], { store: other });
    await budgets.look();
    await other.close();
    assert.deepEqual(await told(), ["budget whole budget refuse"]);
    // Killed before it was done: said again rather than not at all.
    const standing = (await bench.store.budgetRows())[0]?.standing;
    assert.ok(standing);
    await bench.store.putBudgetStanding("whole", "", { ...standing, done: false });
    await budgets.look();
    assert.deepEqual(await told(), ["budget whole budget refuse", "budget whole budget refuse"]);
  });

  it("let go when somebody lifts them, and hold again when that is over", async () => {
    await spend(120);
    await open(1);
    assert.equal(await reasonOf(1), "Paused");
    await budgets.lift({ name: "whole", forSeconds: 3600, by: "@ann" });
    assert.equal(await bench.store.pause(), undefined);
    await look(1);
    assert.equal(await reasonOf(1), "Healthy");
    bench.clock.advance(3601);
    await budgets.look();
    await look(1);
    assert.equal(await reasonOf(1), "Paused");
    const pause = await bench.store.pause();
    assert.ok(pause);
    await budgets.resumed("@ben", pause);
    await bench.store.endPause(pause.by);
    await budgets.look();
    assert.equal(await bench.store.pause(), undefined, "resume-all is a lift until the month ends");
    assert.equal((await budgets.states())[0]?.lift?.until, "2026-04-01T00:00:00.000Z");
  });

  it("begin anew with the month, also where nobody looked at it yet", async () => {
    bench.clock.advance(20 * 86_400);
    await spend(100);
    await open(1);
    assert.equal(await reasonOf(1), "OverBudget");
    bench.clock.advance(11 * 86_400);
    await look(1);
    assert.ok((await bench.preview("shop#1")).status.live, "it is built");
    await budgets.look();
    assert.deepEqual(await told(), ["budget whole budget refuse", "budget whole budget open"]);
    assert.deepEqual(await bench.store.budgetRows(), []);
  });

  it("let go what they stopped when the config has them no more, and leave a person's stop alone", async () => {
    await spend(120);
    await start([]);
    assert.equal(await bench.store.pause(), undefined);
    assert.deepEqual(await bench.store.budgetRows(), []);
    await bench.store.setPause({ at: bench.clock.now, by: "@ann" });
    await spend(121);
    await start([]);
    assert.equal((await bench.store.pause())?.by, "@ann");
  });

  it("leave a stop alone that a person asked for behind theirs", async () => {
    await spend(120);
    await bench.store.setPause({ at: bench.clock.now, by: "@ada" });
    assert.equal((await bench.store.pause())?.by, "@ada");
    await budgets.lift({ name: "whole", by: "api" });
    assert.equal((await bench.store.pause())?.by, "@ada");
  });

  it("leave a stop alone that a person asks for in the moment of the lift", async () => {
    await spend(120);
    let asks = false;
    const pause = async () => {
      const found = await bench.store.pause();
      if (asks) await bench.store.setPause({ at: bench.clock.now, by: "@ada" });
      asks = false;
      return found;
    };
    const other = await start([whole], { store: { ...bench.store, pause } });
    asks = true;
    await other.lift({ name: "whole", by: "api" });
    assert.equal((await bench.store.pause())?.by, "@ada");
  });

  it("stop nothing that another replica lifts in that moment", async () => {
    const lifted = await start([whole]);
    const setPause: BudgetsDeps["store"]["setPause"] = async (pause) => {
      await bench.store.putBudgetLift("whole", "", {
        at: bench.clock.now,
        until: "2026-04-01T00:00:00.000Z",
        by: "api",
      });
      await bench.store.setPause(pause);
    };
    budgets = await start([whole], { store: { ...bench.store, setPause } });
    await spend(120);
    assert.equal(await bench.store.pause(), undefined);
    assert.equal((await lifted.states())[0]?.held, "warned");
  });

  it("stop on, by their own name, where a person's stop alone was taken back", async () => {
    await spend(120);
    const hers = { at: bench.clock.now, by: "@ada" };
    await bench.store.setPause(hers);
    assert.deepEqual(await budgets.resumed("@ada", hers), { at: bench.clock.now, by: "budget whole" });
    assert.equal((await budgets.states())[0]?.lift, undefined);
    await spend(121);
    bench.clock.advance(40 * 86_400);
    assert.equal(await budgets.resumed("@ada", hers), undefined, "what it says of another month holds nothing");
  });

  it("stop one repository or one preview alone, which keeps its data and is lifted by name", async () => {
    for (const number of [1, 2]) await open(number);
    const each: BudgetConfig = { name: "each", of: "preview", amount: 10, at: { warn: 80, stop: 100 } };
    budgets = await start([each]);
    await spend(10);
    for (const number of [1, 2]) await look(number);
    assert.deepEqual(await Promise.all([1, 2].map(reasonOf)), ["OverBudget", "Healthy"]);
    assert.equal((await bench.preview("shop#1")).status.awake, false);
    assert.equal(await bench.store.pause(), undefined);
    bench.clock.advance(10);
    await bench.store.visited({ "shop#1": bench.clock.now });
    await look(1);
    assert.equal(await reasonOf(1), "OverBudget", "no visit wakes it");
    await budgets.lift({ name: "each", subject: "shop#1", by: "@ann" });
    await look(1);
    assert.equal(await reasonOf(1), "Healthy");
  });

  it("let no time run out in which their repository is stopped, and all that a preview's own stops", async () => {
    await open(1);
    const team: BudgetConfig = { name: "team", of: "repository", amount: 10, at: { stop: 100 } };
    budgets = await start([team]);
    await spend(10);
    await look(1);
    bench.clock.advance(29.9 * 86_400);
    await look(1);
    assert.equal(await reasonOf(1), "OverBudget");
    bench.clock.advance(2 * 86_400);
    await budgets.look();
    await look(1);
    const { dueAt, status } = await bench.preview("shop#1");
    assert.equal(status.reason, "Healthy", "it goes on by itself: none of that was idle");
    assert.equal(dueAt, bench.clock.now, "it is looked at once more for its ends");
    await look(1);
    bench.clock.advance(27 * 86_400);
    await look(1);
    assert.equal(await reasonOf(1), "Asleep");
    budgets = await start([{ name: "each", of: "preview", amount: 10, at: { stop: 100 } }]);
    await spend(20);
    await look(1);
    assert.equal(await reasonOf(1), "OverBudget");
    bench.clock.advance(5 * 86_400);
    await look(1);
    assert.equal(await reasonOf(1), "Gone", "its hard stop");
  });

  it("let no time run out either in which its own stops it behind its repository's", async () => {
    await open(1);
    const team: BudgetConfig = { name: "team", of: "repository", amount: 10, at: { stop: 100 } };
    const each: BudgetConfig = { name: "each", of: "preview", amount: 20, at: { stop: 100 } };
    budgets = await start([team, each]);
    await spend(10);
    await look(1);
    bench.clock.advance(86_400);
    await spend(20);
    await look(1);
    const { status } = await bench.preview("shop#1");
    assert.match(status.message, /the budget "each"/i);
    assert.deepEqual(
      status.stops?.map(({ to }) => to),
      [undefined],
    );
    await budgets.lift({ name: "team", subject: "shop", by: "@ann" });
    await look(1);
    assert.deepEqual(
      (await bench.preview("shop#1")).status.stops?.map(({ to }) => to),
      [bench.clock.now],
      "its own goes on alone",
    );
  });

  it("hold again when a lift is taken back, of one or of all, and refuse what would change nothing", async () => {
    budgets = await start([{ name: "team", of: "repository", amount: 10, at: { stop: 100 } }]);
    const lifts = async () =>
      (await budgets.states()).flatMap(({ subject, lift }) => (lift ? [[subject, lift.subject]] : []));
    await budgets.lift({ name: "team", subject: "shop", by: "@ann" });
    assert.deepEqual(await lifts(), [["shop", "shop"]]);
    await budgets.unlift({ name: "team", subject: "shop" });
    assert.deepEqual(await lifts(), []);

    await budgets.lift({ name: "team", by: "@ann" });
    assert.deepEqual(await lifts(), [["shop", ""]]);
    await assert.rejects(
      budgets.unlift({ name: "team", subject: "shop" }),
      /it is lifted for all that have it; `stackling budget unlift team`/,
    );
    await budgets.lift({ name: "team", subject: "shop", by: "@ann" });
    await budgets.unlift({ name: "team" });
    assert.deepEqual(await lifts(), []);
  });

  it("leave a lift alone that was made anew while an old one was found to be over", async () => {
    const lift = { at: bench.clock.now, until: bench.clock.now, by: "@ann" };
    await bench.store.putBudgetLift("whole", "", lift);
    const { endBudgetLifts } = bench.store;
    const anew = new Date(Date.parse(bench.clock.now) + 3_600_000).toISOString();
    const store = {
      ...bench.store,
      async endBudgetLifts(now: string) {
        await bench.store.putBudgetLift("whole", "", { ...lift, until: anew });
        await endBudgetLifts(now);
      },
    };
    await start([whole], { store });
    assert.equal((await bench.store.budgetRows())[0]?.lift?.until, anew);
  });

  it("say of a warning what comes next, and who lifts that", async () => {
    await spend(80);
    const [entry] = (await bench.store.audit({ limit: 1 })).entries;
    assert.match(
      entry?.detail ?? "",
      /^The budget "whole" \(\$100\.00 a month\) is used to 80 % or more\. At 100 % no new previews are made\. .*an admin lifts it: `stackling budget lift whole --for 48h`/,
    );
  });

  it("name what there is when somebody lifts what there is not", async () => {
    await assert.rejects(budgets.lift({ name: "hole", by: "@ann" }), /there is none; did you mean "whole"\?/);
    const part = budgets.lift({ name: "whole", subject: "shpo", by: "@ann" });
    await assert.rejects(part, /it is of all previews together, and "shpo" is none that has it/);
  });
});
