/** A cluster that stops answering for a while. */
import assert from "node:assert/strict";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { eventually } from "../support/eventually.ts";
import { requires } from "../support/requires.ts";
import { type Change, type ClusterWorld, startClusterWorld } from "./support/cluster-world.ts";

describe("a cluster that hangs", requires("engine", "postgres", "kubernetes"), () => {
  let cluster: ClusterWorld;
  let change: Change;
  before(async () => {
    cluster = await startClusterWorld({ prefix: "away", alone: true });
  });
  after(async () => {
    if (cluster) process.kill(cluster.pid, "SIGCONT");
    await cluster?.remove();
  });

  const reason = async (wanted: string) => {
    const { client } = cluster.world.instance;
    await eventually(async () => (await client.find(`shop#${change.number}`)).reason === wanted, {
      timeoutMs: 240_000,
      intervalMs: 100,
      what: wanted,
    });
  };

  it("is told while it does, and the newest commit is served after that", async () => {
    change = await cluster.open("cart");
    await cluster.live(change);
    process.kill(cluster.pid, "SIGSTOP");
    change = await cluster.push(change.number);
    await reason("TargetUnreachable");
    process.kill(cluster.pid, "SIGCONT");
    await cluster.world.instance.client.look(`shop#${change.number}`);
    await cluster.live(change);
    await cluster.serves(change);
  });

  it("keeps no preview from being destroyed in the end", async () => {
    process.kill(cluster.pid, "SIGSTOP");
    await cluster.world.github.close(change.number);
    await eventually(
      async () => {
        const { stage, condition } = await cluster.world.instance.client.find(`shop#${change.number}`);
        assert.notEqual(stage, "Gone");
        return condition === "Stalled";
      },
      { timeoutMs: 240_000, intervalMs: 100, what: "the word that it cannot be destroyed" },
    );
    process.kill(cluster.pid, "SIGCONT");
    await cluster.world.instance.client.look(`shop#${change.number}`);
    await cluster.gone(change.number);
    assert.deepEqual(await cluster.namespaces(), []);
  });
});
