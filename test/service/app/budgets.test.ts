import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import type { BudgetView } from "../../../service/api/routes/budgets.ts";
import type { BudgetConfig } from "../../../service/config/budgets.ts";
import { type AppEdge, startApp } from "./app-edge.ts";
import { aBudget, someBudgets } from "./some-costs.ts";

const JSON_TYPE = { "content-type": "application/json" };

describe("budgets over the API", () => {
  let edge: AppEdge;
  beforeEach(async () => {
    edge = await startApp();
    edge.budgets.push(...someBudgets());
  });
  afterEach(() => edge.close());

  const read = async (headers = {}) => {
    const answer = await edge.api({ path: "/budgets", headers });
    assert.equal(answer.status, 200, answer.body);
    return (JSON.parse(answer.body) as { budgets: readonly BudgetView[] }).budgets;
  };

  it("say how far each is used, what it holds, and who can lift it how", async () => {
    const [whole] = await read();
    assert.equal(whole?.used, 21.4);
    assert.equal(whole?.held, "refusing");
    assert.deepEqual(whole?.says, [
      'The budget "whole" ($20.00 a month) is used to 100 % or more.',
      "No new previews are made; what is there stays.",
      "It goes on by itself on 2026-12-01; before that an admin lifts it: `stackling budget lift whole --for 48h`, or the page of costs.",
    ]);
  });

  it("say of what they cannot count also while they hold nothing back", async () => {
    const eu: BudgetConfig = { name: "eu", of: "repository", amount: 500, at: { warn: 80 } };
    edge.budgets.push(
      aBudget(eu, { subject: "shop", repository: "shop", uncounted: { previews: 2, meters: ["cpu", "memory"] } }),
    );
    assert.deepEqual((await read()).at(-1)?.says, [
      'The budget "eu" of shop ($500.00 a month) covers 2 previews without a price for cpu, memory: nothing of that counts.',
    ]);
  });

  it("are those of one's own repositories, and not what all together cost", async () => {
    const { token } = await edge.tokens.create({ name: "ours", role: "viewer", repositories: ["till"] }, "test");
    const seen = await read({ authorization: `Bearer ${token}` });
    assert.deepEqual(
      seen.map(({ name, subject }) => [name, subject]),
      [["team", "till"]],
    );
  });

  it("are lifted in the name of who asks, which the audit knows", async () => {
    const answer = await edge.api({
      path: "/budgets/whole/lift",
      method: "POST",
      headers: JSON_TYPE,
      body: JSON.stringify({ forSeconds: 3600 }),
    });
    assert.equal(answer.status, 200, answer.body);
    assert.equal(JSON.parse(answer.body).lift.by, "api");
    assert.deepEqual(edge.acts, ["lift whole of all for 3600 by api"]);
    assert.equal((await edge.api({ path: "/budgets/whole/lift", method: "DELETE" })).status, 200);
    const { entries } = await edge.audit.list({ limit: 10 });
    assert.deepEqual(entries.map(({ action, detail, outcome }) => `${action} ${detail} ${outcome}`).sort(), [
      "budget lift whole done",
      "budget unlift whole done",
    ]);
  });

  it("are not lifted where there are none", async () => {
    const ask = { path: "/budgets/hole/lift", method: "POST", headers: JSON_TYPE, body: "{}" };
    const answer = await edge.api(ask);
    assert.ok(answer.status >= 400 && answer.status < 500, String(answer.status));
    assert.match(answer.body, /there is none/);
  });
});
