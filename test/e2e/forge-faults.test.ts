/** Wrong answers of a real instance's forge. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { FORGE_FAULTS } from "../../chaos/forge/faults.ts";
import { type ForgeWorld, startForgeWorld } from "../../chaos/forge/world.ts";
import { requires } from "../support/requires.ts";

describe(
  "nothing is destroyed or announced wrongly, no limit overstepped, and all goes on",
  requires("engine", "postgres"),
  () => {
    let world: ForgeWorld;
    before(async () => {
      world = await startForgeWorld({ rateLimits: false });
    });
    after(() => world.remove());

    // The long ones are `npm run chaos`'s.
    for (const { name, run } of FORGE_FAULTS.filter(({ long }) => !long)) {
      it(`after: ${name}`, async () => assert.deepEqual(await run(world), []));
    }
  },
);
