/** Namespaces that are somebody else's, and one that does not go. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { eventually } from "../support/eventually.ts";
import { requires } from "../support/requires.ts";
import { type ClusterWorld, startClusterWorld } from "./support/cluster-world.ts";

describe("a preview's namespace on a cluster", requires("engine", "postgres", "kubernetes"), () => {
  let cluster: ClusterWorld;
  before(async () => {
    cluster = await startClusterWorld({ prefix: "names" });
  });
  after(() => cluster?.remove());

  it("is not taken when it is somebody else's, and left there", async () => {
    const { github, instance } = cluster.world;
    const number = 1;
    const name = cluster.namespaceOf(number);
    await cluster.core.createNamespace({ body: { metadata: { name, labels: { team: "others" } } } });
    const change = await cluster.open("taken");
    assert.equal(change.number, number);
    await instance.waitFor(`shop#${number}`, (p) => p.reason === "NameTaken", "name taken");
    await cluster.world.commented(number, new RegExp(name));
    await github.close(number);
    await instance.waitFor(`shop#${number}`, (p) => p.stage === "Gone", "gone");
    const { metadata, status } = await cluster.core.readNamespace({ name });
    assert.deepEqual([metadata?.labels?.team, status?.phase], ["others", "Active"]);
    await cluster.core.deleteNamespace({ name });
  });

  it("is told with what holds it when it does not go, and goes once that is let go", async () => {
    const { github, instance } = cluster.world;
    const change = await cluster.open("held");
    const key = `shop#${change.number}`;
    await cluster.live(change);
    const namespace = cluster.namespaceOf(change.number);
    const metadata = { name: "held", finalizers: ["example.com/held"] };
    await cluster.core.createNamespacedConfigMap({ namespace, body: { metadata } });
    await github.close(change.number);
    await eventually(
      async () => /is in deletion.*example\.com\/held/.test(await cluster.world.comment(change.number)),
      {
        timeoutMs: 240_000,
        intervalMs: 200,
        what: "a comment that says what holds it",
      },
    );
    assert.equal((await instance.client.find(key)).reason, "DestroyFailed");
    const letGo = [{ op: "remove", path: "/metadata/finalizers" }];
    await cluster.core.patchNamespacedConfigMap({ name: "held", namespace, body: letGo });
    await instance.client.look(key);
    await cluster.gone(change.number);
  });
});
