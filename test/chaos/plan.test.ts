import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createRandom } from "../../chaos/random.ts";
import { planRound, type RoundPlan, type Wishes } from "../../chaos/rounds/plan.ts";
import { VICTIMS } from "../../chaos/world/victims.ts";

const ROUNDS = 200;

function plansOf(seed: number): { readonly plans: readonly RoundPlan[]; readonly before: readonly Wishes[] } {
  const random = createRandom(seed);
  const wishes: Wishes = new Map();
  const before: Wishes[] = [];
  const plans = Array.from({ length: ROUNDS }, (_, index) => {
    before.push(new Map(wishes));
    return planRound(random, index + 1, wishes);
  });
  return { plans, before };
}

describe("the plan of the rounds", () => {
  it("is repeated by its seed, and another by another", () => {
    assert.deepEqual(plansOf(5).plans, plansOf(5).plans);
    assert.notDeepEqual(plansOf(5).plans, plansOf(6).plans);
  });

  it("kills everything there is, twice in a round now and then, and does everything people do", () => {
    const { plans } = plansOf(5);
    const kills = plans.flatMap((plan) => plan.kills);
    assert.deepEqual([...new Set(kills.map(({ victim }) => victim))].sort(), [...VICTIMS].sort());
    assert.ok(plans.some((plan) => plan.kills.length === 2));
    const deeds = new Set(plans.flatMap((plan) => plan.deeds.map(({ kind }) => kind)));
    assert.deepEqual([...deeds].sort(), ["close", "open", "push", "sleep", "visit", "wake"]);
  });

  it("asks nothing of a pull request that is closed, and of one that sleeps nothing but what wakes or ends it", () => {
    const { plans, before } = plansOf(5);
    for (const [index, { deeds }] of plans.entries()) {
      const wishes: Wishes = new Map(before[index]);
      for (const { kind, gitBranch } of deeds) {
        const state = kind === "open" ? "none" : wishes.get(gitBranch);
        assert.ok(state !== undefined, `${kind} of "${gitBranch}", which is closed`);
        if (kind === "wake" || kind === "visit") assert.equal(state, "asleep");
        if (kind === "sleep") assert.equal(state, "awake");
        if (kind === "close") wishes.delete(gitBranch);
        else wishes.set(gitBranch, kind === "sleep" ? "asleep" : "awake");
      }
    }
  });

  it("waits for an engine only where one is to run", () => {
    for (const { deeds, kills } of plansOf(5).plans) {
      const runs = deeds.some(({ kind }) => kind === "open" || kind === "push" || kind === "close");
      assert.ok(runs || kills.every(({ victim }) => victim !== "engine"));
    }
  });
});
