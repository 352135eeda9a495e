/** Costs and budgets of a whole instance on one machine: engine, processes, ledger, kill switch and link. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { BudgetView } from "../../service/api/routes/budgets.ts";
import { eventually } from "../support/eventually.ts";
import { createRepository, type TestRepository } from "../support/git-repository.ts";
import { samplesBy } from "../support/metrics.ts";
import { requires } from "../support/requires.ts";
import { type Instance, prepareInstance } from "./support/instance.ts";
import { tinyApp } from "./support/tiny-app.ts";

const KEY = "shop#1";
/** A second of CPU costs a dollar: a build and a start are more than the least of these budgets. */
const COSTS = "costs:\n  local: {cpuHour: 3600, gibHour: 0, diskGibMonth: 0}\n";

describe("what a preview costs on this machine", requires("engine", "postgres"), () => {
  let repository: TestRepository;
  let instance: Instance;
  let url = "";

  before(async () => {
    repository = await createRepository({ files: tinyApp({ text: "main" }) });
    instance = await prepareInstance({
      moneyEveryMs: 500,
      config: (port) =>
        `port: ${port}\nrepositories:\n  - {path: ${repository.path}, name: shop}\n${COSTS}budgets:\n  house: {amount: 0.05, warn: 10, stop: 100}\n`,
    });
    await instance.start();
    await repository.commit("tea", { "text.txt": "tea" });
  });
  after(async () => {
    await instance.remove();
    await repository.remove();
  });

  const house = async (done: (budget: BudgetView) => boolean) =>
    eventually(
      async () => {
        const [found] = await instance.client.budgets();
        if (found && done(found)) return found;
        throw new Error(JSON.stringify(found));
      },
      { timeoutMs: 60_000, what: "the budget" },
    );

  it("is charged to its pull request, and said by CLI, API and metrics alike", async () => {
    await house(({ used }) => used > 0);
    const { costs } = await instance.client.costs({ by: "preview" });
    const [{ name, cost } = { name: "", cost: 0 }] = costs;
    assert.equal(name, KEY);
    assert.ok(cost > 0);
    const used = samplesBy(await instance.metrics(), "stackling_budget_used");
    assert.deepEqual(Object.keys(used), ['budget="house",currency="USD",repository=""']);
  });

  it("stops everything when the budget is used up, and the link says why and who lifts it", async () => {
    const { says } = await house(({ held }) => held === "stopped");
    assert.match(says.join(" "), /an admin lifts it: `stackling budget lift house --for 48h`/);
    const stopped = await instance.waitFor(KEY, ({ reason }) => reason === "Paused", "stopped");
    url = stopped.url ?? "";
    assert.match(stopped.message, /the budget "house"/i);
    const { status, text } = await instance.get(url);
    assert.equal(status, 503);
    assert.match(text, /stopped/i);
  });

  it("serves again once somebody lifts the budget", async () => {
    await instance.client.liftBudget("house", { forSeconds: 3600 });
    await instance.waitFor(KEY, ({ reason }) => reason === "Healthy" || reason === "Asleep", "back");
    await eventually(
      async () => {
        const { status, text } = await instance.get(url);
        assert.deepEqual([status, text.split(" ")[0]], [200, "tea"]);
        return true;
      },
      { timeoutMs: 60_000, what: "the link" },
    );
    assert.deepEqual((await house(() => true)).held, "warned");
  });
});
