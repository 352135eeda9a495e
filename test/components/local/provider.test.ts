import assert from "node:assert/strict";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { secret } from "@pulumi/pulumi";
import { ConflictError, decodeFromEngine } from "../../../components/errors.ts";
import { LocalRoute } from "../../../components/local/custom-resources.ts";
import { admitFence } from "../../../components/local/fence.ts";
import { layout } from "../../../components/local/layout.ts";
import { requires } from "../../support/requires.ts";
import { createEngineWorld } from "./engine-world.ts";

const STACK = "shop-pr-1";

describe("the local provider under the engine", requires("engine"), () => {
  let world: Awaited<ReturnType<typeof createEngineWorld>>;
  let address = "127.0.0.1:1";

  before(async () => {
    world = await createEngineWorld(STACK, async () => {
      const inputs = { host: "shop.localhost", service: "web", address: secret(address) };
      new LocalRoute("routes-web", inputs, {});
    });
  });
  after(() => world.close());

  const file = () => layout(world.dataDir).preview(STACK).route("web");
  const route = async () => JSON.parse(await readFile(file(), "utf8")).address;

  it("creates, does nothing when nothing changed, and updates in place", async () => {
    await world.stack.up();
    assert.equal(await route(), address);
    assert.equal((await world.stack.up()).summary.resourceChanges?.same, 2);
    address = "127.0.0.1:2";
    assert.equal((await world.stack.up()).summary.resourceChanges?.update, 1);
    assert.equal(await route(), address);
  });

  it("keeps secret inputs secret in the state", async () => {
    const state = await readFile(join(world.dataDir, ".pulumi", "stacks", "stackling", `${STACK}.json`), "utf8");
    assert.match(state, /routes-web/);
    assert.doesNotMatch(state, /127\.0\.0\.1:2/);
  });

  it("sees by refresh what is gone from the world, and makes it again", async () => {
    await rm(file());
    await world.stack.refresh();
    assert.equal((await world.stack.up()).summary.resourceChanges?.create, 1);
    assert.equal(await route(), address);
  });

  it("refuses every change of a run that was overtaken, and says so in the error", async () => {
    await admitFence(world.dataDir, STACK, 5);
    const before = address;
    address = "127.0.0.1:3";
    const error = await world.stack.up().then(
      () => undefined,
      (thrown: Error) => decodeFromEngine(thrown.message),
    );
    assert.ok(error instanceof ConflictError);
    assert.equal(error.reason, "FenceLost");
    assert.equal(await route(), before);
    world.setFence(5);
    await world.stack.up();
    assert.equal(await route(), address);
  });

  it("lets a run without a lease work until a later holder comes", async () => {
    world.setFence(undefined);
    await world.stack.destroy();
    await assert.rejects(readFile(file()));
  });
});
