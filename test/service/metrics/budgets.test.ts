import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type BudgetSeen, gaugesOf } from "../../../service/metrics/budgets.ts";

const seen = (
  name: string,
  of: BudgetSeen["budget"]["of"],
  more: Pick<BudgetSeen, "subject" | "used" | "held">,
): BudgetSeen => ({ budget: { name, of, amount: 100 }, currency: "EUR", ...more });

describe("the metrics of budgets", () => {
  const gauges = gaugesOf([
    seen("house", "all", { subject: "", used: 90, held: "warned" }),
    seen("team", "repository", { subject: "shop", used: 120, held: "stopped" }),
    seen("each", "preview", { subject: "shop#1", used: 3, held: "within" }),
    seen("each", "preview", { subject: "shop#42", used: 70, held: "sleeping" }),
    seen("each", "preview", { subject: "till#7", used: 1, held: "within" }),
  ]);
  const says = (name: string) =>
    Object.fromEntries(
      gauges
        .filter((gauge) => gauge.name === name && (name !== "stackling_budget_holds" || gauge.value > 0))
        .map(({ labels, value }) => [Object.values(labels).join("|"), value]),
    );

  it("tell each budget's amount and what of it is used, of a preview's by the dearest one", () => {
    assert.deepEqual(says("stackling_budget_used"), {
      "house||EUR": 90,
      "team|shop|EUR": 120,
      "each|shop|EUR": 70,
      "each|till|EUR": 1,
    });
    assert.equal(says("stackling_budget_limit")["team|shop|EUR"], 100);
  });

  it("count who stands where, and name no preview", () => {
    assert.deepEqual(says("stackling_budget_holds"), {
      "house||warned": 1,
      "team|shop|stopped": 1,
      "each|shop|within": 1,
      "each|shop|sleeping": 1,
      "each|till|within": 1,
    });
    assert.doesNotMatch(JSON.stringify(gauges), /#/);
  });
});
