import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { CustomResource, type CustomResourceOptions, runtime } from "@pulumi/pulumi";
import { beforeCreate } from "../../components/creation-hook.ts";
import { decodeFromEngine, TerminalError } from "../../components/errors.ts";
import { registerTags } from "../../infra/tags.ts";
import { requires } from "../support/requires.ts";
import { createEngineWorld } from "./local/engine-world.ts";

class Example extends CustomResource {
  constructor(generation: number, opts: CustomResourceOptions) {
    super("stackling:local:Secret", "example", { generation, value: undefined }, opts);
  }
}

describe("what is done before a resource is created", requires("engine"), () => {
  let world: Awaited<ReturnType<typeof createEngineWorld>>;
  let generation = 0;
  let work = async () => {};
  before(async () => {
    world = await createEngineWorld("shop-pr-1", async () => {
      registerTags({ preview: "shop#1" }, "shop-pr-1");
      new Example(generation, beforeCreate(work));
    });
  });
  after(() => world?.close());

  it("stops the creation with its reason when it fails", async () => {
    work = async () => {
      throw new TerminalError({ reason: "NameTaken", userMessage: 'creating "example": it is taken' });
    };
    const text = await world.stack.up().then(String, (error: Error) => error.message);
    assert.partialDeepStrictEqual({ ...decodeFromEngine(text) }, { reason: "NameTaken" });
    assert.ok(decodeFromEngine(text) instanceof TerminalError);
  });

  it("is done for what the state does not know, and not again for what it knows", async () => {
    let times = 0;
    work = async () => {
      times += 1;
    };
    await world.stack.up();
    await world.stack.up();
    assert.equal(times, 1);
    generation = 1;
    await world.stack.up();
    assert.equal(times, 2);
    await world.stack.destroy();
  });
});

describe("on Pulumi's mocks", () => {
  it("nothing is asked for, because they know no hooks", async () => {
    await runtime.setMocks({ call: () => ({}), newResource: ({ name, inputs }) => ({ id: name, state: inputs }) });
    assert.deepEqual(
      beforeCreate(async () => {}),
      {},
    );
    await runtime.disconnect();
  });
});
