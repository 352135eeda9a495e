import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { TerminalError } from "../../../components/errors.ts";
import { createCosts } from "../../../service/money/costs.ts";
import { pricesFor } from "../../../service/money/load-prices.ts";
import { pullRequest } from "../../support/memory-forge.ts";
import { testDatabase } from "../../support/postgres.ts";
import { type Bench, config, reconcileBench, SHA } from "../../support/reconcile-world.ts";
import { requires } from "../../support/requires.ts";

describe("what a preview is expected to cost", requires("postgres"), () => {
  let database: Awaited<ReturnType<typeof testDatabase>>;
  let bench: Bench;
  before(async () => {
    database = await testDatabase();
    bench = await reconcileBench(database.url);
  });
  after(async () => {
    await bench.close();
    await database.drop();
  });

  const estimate = async () => {
    const prices = pricesFor(config);
    const costs = createCosts({ store: bench.store, prices, account: "localhost", now: () => bench.clock.now });
    return (await costs.of(await bench.preview("shop#1")))?.estimate?.words;
  };

  it("is known while its first version is built, when that failed, and no more once it is gone", async () => {
    bench.forge.pulls.set(1, pullRequest(1, SHA.a));
    const building: (string | undefined)[] = [];
    bench.stacks.during = async () => {
      building.push(await estimate());
      throw new TerminalError({ reason: "BuildFailed", userMessage: "building web: it exited with 1" });
    };
    await bench.reconcile("shop#1");
    assert.match(building[0] ?? "", /^about \$/);
    assert.equal(await estimate(), building[0]);
    bench.stacks.during = async () => {};
    bench.forge.pulls.set(1, pullRequest(1, SHA.b));
    await bench.reconcile("shop#1");
    const { live, expected } = (await bench.preview("shop#1")).status;
    assert.deepEqual([live?.source.commit, expected], [SHA.b, undefined]);
    assert.equal(await estimate(), building[0]);
    bench.forge.pulls.set(1, pullRequest(1, SHA.b, { state: "closed" }));
    await bench.reconcile("shop#1");
    assert.equal(await estimate(), undefined);
  });
});
