/** Many previews on one cluster, and a service that dies while it works on them. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { eventually } from "../support/eventually.ts";
import { requires } from "../support/requires.ts";
import { type Change, type ClusterWorld, startClusterWorld } from "./support/cluster-world.ts";

const CROWD = 10;

describe("a crowd of previews on a cluster", requires("engine", "postgres", "kubernetes"), () => {
  let cluster: ClusterWorld;
  const crowd: Change[] = [];
  before(async () => {
    cluster = await startClusterWorld({ prefix: "crowd" });
  });
  after(() => cluster?.remove());

  const phase = async (number: number) => {
    const { items } = await cluster.core.listNamespace();
    return items.find(({ metadata }) => metadata?.name === cluster.namespaceOf(number))?.status?.phase;
  };

  it("comes up at once, each from its own image in its own namespace", async () => {
    for (let index = 0; index < CROWD; index++) crowd.push(await cluster.open(`crowd-${index}`));
    await Promise.all(crowd.map((change) => cluster.live(change)));
    for (const change of crowd) await cluster.serves(change);
    assert.equal(new Set(crowd.map(({ digest }) => digest)).size, CROWD);
    assert.deepEqual(
      (await cluster.namespaces()).toSorted(),
      crowd.map(({ number }) => cluster.namespaceOf(number)).toSorted(),
    );
  });

  it("is finished by the next service when one is killed while a preview is made", async () => {
    const { instance } = cluster.world;
    const change = await cluster.open("killed");
    await eventually(() => phase(change.number), { intervalMs: 5, what: "its namespace" });
    await instance.kill();
    const { status } = await cluster.deployment(change.number).catch(() => ({ status: undefined }));
    assert.equal(status?.availableReplicas, undefined, "it was killed before the preview was up");
    await cluster.startService();
    await cluster.live(change);
    await cluster.serves(change);
    crowd.push(change);
    for (const one of crowd) await cluster.serves(one);
  });

  it("is cleared away by the next service when one is killed while a preview is destroyed", async () => {
    const { github, instance } = cluster.world;
    const change = crowd.pop() as Change;
    await github.close(change.number);
    await eventually(async () => (await phase(change.number)) !== "Active", { intervalMs: 5, what: "its end" });
    await instance.kill();
    await cluster.startService();
    await cluster.gone(change.number);
    for (const one of crowd) await cluster.serves(one);
  });

  it("goes at once", async () => {
    await Promise.all(crowd.map(({ number }) => cluster.world.github.close(number)));
    await Promise.all(crowd.map(({ number }) => cluster.gone(number)));
    assert.deepEqual(await cluster.namespaces(), []);
  });
});
