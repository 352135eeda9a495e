/** What a person is told when a version does not come up on the cluster, and what goes on serving. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { eventually } from "../support/eventually.ts";
import { requires } from "../support/requires.ts";
import { type Behaviour, type Change, type ClusterWorld, startClusterWorld } from "./support/cluster-world.ts";

/** The quota has room for a rolling update of this, and not for one of three times the size. */
const application =
  (cpu = 0.5) =>
  (image: string) =>
    [
      "services:",
      "  web:",
      `    image: ${image}`,
      "    health: /health",
      "    startTimeoutSeconds: 4",
      `    cpu: ${cpu}`,
      "",
    ].join("\n");

describe("a version that does not come up on a cluster", requires("engine", "postgres", "kubernetes"), () => {
  let cluster: ClusterWorld;
  let served: Change;
  before(async () => {
    cluster = await startClusterWorld({
      prefix: "faults",
      application: application(),
      options: ["quota: { limitsCpu: 1.2 }", "scheduleTimeoutSeconds: 6"],
    });
  });
  after(() => cluster?.remove());

  const failed = async ({ number, headSha }: Change, reason: string, words: RegExp) => {
    const shown = await cluster.world.instance.waitFor(
      `shop#${number}`,
      (p) => p.reason === reason && p.headSha === headSha,
      reason,
    );
    assert.match(shown.message, words);
    await cluster.world.commented(number, words);
    await eventually(() => cluster.world.github.records?.statuses(headSha).at(-1)?.state === "failure");
  };

  it("says that its image is waited for, and comes up once CI has built it", async () => {
    const { github, instance } = cluster.world;
    const { number, headSha } = await github.open({ gitBranch: "slow", files: { "text.txt": "slow" } });
    await instance.waitFor(`shop#${number}`, (p) => /image/i.test(p.reason), "waiting for the image");
    await cluster.world.commented(number, new RegExp(`image[\\s\\S]*acme/shop:${headSha}`));
    assert.deepEqual(await cluster.namespaces(), []);
    served = { number, headSha, digest: cluster.registry.push("acme/shop", headSha) };
    await instance.client.look(`shop#${number}`);
    await cluster.live(served);
    await cluster.serves(served);
  });

  const faults: readonly { behaviour: Behaviour; reason: string; words: RegExp }[] = [
    {
      behaviour: "missing",
      reason: "ImagePullFailed",
      words: /image ".*acme\/shop@\u200b?sha256:dead.*" cannot be pulled/,
    },
    { behaviour: "crashing", reason: "StartFailed", words: /exited with code 1/ },
    { behaviour: "unready", reason: "HealthCheckFailed", words: /health path "\/health" does not answer/ },
  ];
  for (const { behaviour, reason, words } of faults) {
    it(`is told with its reason while the old one serves, when its image is ${behaviour}`, async () => {
      const change = await cluster.push(served.number, behaviour);
      await failed(change, reason, words);
      await cluster.serves(served);
      const { commit } = await cluster.world.instance.client.find(`shop#${served.number}`);
      assert.equal(commit, served.headSha);
    });

    it(`is followed by the next good one, after one that was ${behaviour}`, async () => {
      served = await cluster.push(served.number);
      await cluster.live(served);
      await cluster.serves(served);
    });
  }

  it("is told with its reason when it is a preview's first", async () => {
    const change = await cluster.open("broken", "missing");
    await failed(change, "ImagePullFailed", /cannot be pulled/);
    await cluster.world.github.close(change.number);
    await cluster.gone(change.number);
  });

  it("says that the quota is full while the old one serves", async () => {
    const image = `${cluster.registry.host}/acme/shop:{sha}`;
    await cluster.world.github.pushBranch("main", { "preview.yaml": application(1.5)(image) });
    const change = await cluster.push(served.number);
    await failed(change, "QuotaExceeded", /quota is full.*limits\.cpu/);
    await cluster.serves(served);
    await cluster.world.github.pushBranch("main", { "preview.yaml": application()(image) });
    served = await cluster.push(served.number);
    await cluster.live(served);
    await cluster.serves(served);
  });
});
