/** The short form of `npm run chaos`'s simulated time. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DAY } from "../../chaos/simulation/script.ts";
import { simulate } from "../../chaos/simulation/simulation.ts";

const SEED = 5;

describe("a hundred pull requests in simulated time", () => {
  it("end as in order when deliveries are dropped, doubled, delayed and reordered", async () => {
    const { problems, faults, ups, destroys, warnings, mostLive, cap } = await simulate({ seed: SEED, pulls: 100 });
    assert.deepEqual(problems, []);
    for (const count of [...Object.values(faults), ups, destroys, warnings]) assert.ok(count > 0);
    assert.equal(mostLive, cap, "and the cap was reached");
  });

  it("are named when they end otherwise, as they must where nothing is looked at by itself", async () => {
    const { problems } = await simulate({ seed: SEED, pulls: 40, resyncSeconds: DAY.endsAt + 1 });
    assert.notDeepEqual(problems, []);
  });

  it("meet the same faults and do the same for the same seed", async () => {
    const [first, second] = [await simulate({ seed: SEED, pulls: 5 }), await simulate({ seed: SEED, pulls: 5 })];
    assert.deepEqual(first, second);
  });
});
