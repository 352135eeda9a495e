import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import type { RunEvent } from "../../infra/stacks.ts";
import { requires } from "../support/requires.ts";
import { createWorld, spec, type World } from "./world/world.ts";

const STACK = "shop-pr-1";

describe("the runner", requires("engine"), () => {
  let world: World;
  beforeEach(async () => {
    world = await createWorld();
  });
  afterEach(() => world.remove());

  it("brings a stack up with its public outputs, and destroys it without a trace", async () => {
    const runner = await world.runner();
    const events: RunEvent[] = [];
    const wish = spec(STACK);
    const first = await runner.up({
      spec: wish,
      secrets: {},
      refresh: false,
      mayBeNew: true,
      lease: world.lease(STACK),
      onEvent: (event) => events.push(event),
    });
    assert.deepEqual(first.outputs, {
      spec: wish,
      addresses: { web: "127.0.0.1:7" },
      hosts: ["pr-1-shop.localhost:4000"],
    });
    assert.deepEqual(world.things(), [`${STACK}-one.json`]);
    console.log(first.durationMs, first.changes, events.length);
    const t = performance.now();
    const gone = await runner.destroy({ stack: STACK, lease: world.lease(STACK) });
    console.log(performance.now() - t, gone);
    assert.deepEqual(await runner.remains(STACK), []);
  });
});
