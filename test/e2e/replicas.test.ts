/** Two replicas of the service over one store; the long form is `npm run chaos -- --replicas 20`. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { catchInTheMiddle, type Freeze, freezeOnce, isLive } from "../../chaos/replicas/replicas.ts";
import { startReplicas } from "../../chaos/replicas/world.ts";
import { withClient } from "../../components/local/database-client.ts";
import { requires } from "../support/requires.ts";

const FROZEN: readonly (readonly [Freeze, string])[] = [
  ["runner", "with its runner in the middle of an update"],
  ["settle", "right before it writes down an update"],
];

// Each waits for the end of a lease most of the time.
describe("a replica that is frozen", { ...requires("engine", "postgres"), concurrency: true }, () => {
  for (const [freeze, when] of FROZEN) {
    it(`${when} is taken over by the other, and writes nothing when it goes on`, async () => {
      const world = await startReplicas(["a", "b"]);
      try {
        const { engines, problems } = await freezeOnce(world, { round: 1, freeze, pauseSeconds: 0 });
        assert.deepEqual(problems, []);
        assert.equal(engines, 1);
      } finally {
        await world.remove();
      }
    });
  }
});

describe("a replica whose machine is lost", requires("engine", "postgres", "root"), () => {
  it("in the middle of an update is taken over by one on another machine, behind the lock it left", async () => {
    const world = await startReplicas(["a", "b"], { ownHosts: true });
    try {
      const lost = await catchInTheMiddle(world, { gitBranch: "lost", freeze: "machine" });
      const pushed = await world.repository.commit("lost", { "build.mjs": "", "text.txt": "of the other" });
      lost.kill();
      const { url = "" } = await lost.other.waitFor("lost", isLive(pushed), "live by the other");
      assert.match((await lost.other.get(url)).text, /^of the other /);
      await lost.remove();
    } finally {
      await world.remove();
    }
  });
});

describe("a replica that is told to stop", requires("engine", "postgres"), () => {
  it("in the middle of an update that hangs hands it over at once, and ends well within its bound", async () => {
    const world = await startReplicas(["a", "b"], { runnerLimits: { closeMs: 2_000 } });
    try {
      const busy = await catchInTheMiddle(world, { gitBranch: "handed", freeze: "nothing" });
      const pushed = await world.repository.commit("handed", { "build.mjs": "", "text.txt": "of the other" });
      assert.equal(await busy.holder.stop(), 0);
      const { url = "" } = await busy.other.waitFor("handed", isLive(pushed), "live by the other");
      assert.match((await busy.other.get(url)).text, /^of the other /);
      // Its lease was given back, not waited for; and what was broken off is no failure of the preview.
      assert.doesNotMatch(await busy.holder.log(), /lost the lease/);
      const { rows } = await withClient(world.storeUrl, (client) =>
        client.query<{ reason: string }>("select reason from history where key = $1 order by id", [busy.key]),
      );
      assert.deepEqual(
        rows.map(({ reason }) => reason),
        ["Provisioning", "Healthy"],
      );
      await busy.remove();
    } finally {
      await world.remove();
    }
  });
});
