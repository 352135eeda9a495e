/** Real disks that fill up and become read-only under a real instance. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { DISK_FAULTS } from "../../chaos/disk/faults.ts";
import { type DiskWorld, startDiskWorld } from "../../chaos/disk/world.ts";
import { requires } from "../support/requires.ts";

describe(
  "no half-written state, a clear condition, and all goes on when it is back",
  requires("engine", "postgres", "root"),
  () => {
    let world: DiskWorld;
    before(async () => {
      world = await startDiskWorld();
    });
    after(() => world.remove());

    // The long ones are `npm run chaos`'s.
    for (const { name, run } of DISK_FAULTS.filter(({ long }) => !long)) {
      it(`after: ${name}`, async () => assert.deepEqual(await run(world), []));
    }
  },
);
