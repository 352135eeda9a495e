/** Updates that never end by themselves: they are ended within their limits, and the newest wish is applied. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { ENGINE_FAULTS } from "../../chaos/engine/faults.ts";
import { type EngineWorld, startEngineWorld } from "../../chaos/engine/world.ts";
import { requires } from "../support/requires.ts";

describe("what never ends is ended, and the next push is served", requires("engine", "postgres"), () => {
  let world: EngineWorld;
  before(async () => {
    world = await startEngineWorld();
  });
  after(() => world.remove());

  for (const { name, run } of ENGINE_FAULTS) {
    it(`after: ${name}`, async () => assert.deepEqual(await run(world), []));
  }
});
