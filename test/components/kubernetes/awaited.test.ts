import assert from "node:assert/strict";
import { once } from "node:events";
import { afterEach, beforeEach, describe, it } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { isSecret, type Output, output, runtime, secret } from "@pulumi/pulumi";
import { type Awaited, createAwaited } from "../../../components/kubernetes/awaited.ts";
import { createFate } from "../../../components/kubernetes/fate.ts";
import { type ClusterServer, startClusterServer } from "./cluster-server.ts";

describe("work that a program waits for", () => {
  let server: ClusterServer;
  let awaited: Awaited;
  const mocks: runtime.Mocks = { call: () => ({}), newResource: ({ name }) => ({ id: name, state: {} }) };
  beforeEach(async () => {
    server = await startClusterServer();
    awaited = createAwaited(server.options);
  });
  afterEach(async () => {
    await runtime.disconnect();
    await server.close();
  });

  it("is not done in a preview, which asks the cluster nothing", async () => {
    await runtime.setMocks(mocks, "stackling", "shop-pr-1", true);
    const work = awaited("asking", {
      value: output("known"),
      instead: (value) => value,
      work: async (_value, { cluster }) => (await cluster.version.getCode()).gitVersion,
    });
    assert.equal(await resolved(work), "known");
    assert.deepEqual(server.asked, []);
  });

  it("is public although it waits for something secret", async () => {
    await runtime.setMocks(mocks);
    const value = secret("hidden");
    const work = awaited("asking", { value, instead: () => "", work: async () => "open" });
    assert.equal(await resolved(work), "open");
    assert.equal(await isSecret(work), false);
  });
});

describe("work that shares a fate", () => {
  // A rejection after the program's end ended the runner's process, with every preview in it.
  it("fails with the first failure only, and not before the other work has ended", async () => {
    const steps: string[] = [];
    const fate = createFate((failure) => new Error(`told: ${(failure as Error).message}`));
    const other = fate.share(async (signal) => {
      await once(signal, "abort");
      await nextTurn();
      steps.push("other work ended");
      throw new Error("a consequence");
    });
    const failing = fate.share(async () => {
      throw new Error("the quota is full");
    });
    const told = failing.catch((error: Error) => {
      steps.push("failure told");
      return error.message;
    });
    const words = await Promise.all([told, other.catch((error: Error) => error.message)]);
    assert.deepEqual(words, ["told: the quota is full", "told: the quota is full"]);
    assert.deepEqual(steps, ["other work ended", "failure told"]);
  });

  it("is not begun any more after a failure", async () => {
    const fate = createFate((failure) => failure as Error);
    await assert.rejects(
      fate.share(async () => {
        throw new Error("first");
      }),
      /first/,
    );
    const late = fate.share(async () => assert.fail("it was begun"));
    await assert.rejects(late, /first/);
  });
});

function resolved<T>(value: Output<T>): Promise<T> {
  return new Promise((resolve) => value.apply(resolve));
}
