/** What is secret in a program lies encrypted in the state, whatever the tags did to its resources on the way. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { output, secret } from "@pulumi/pulumi";
import { LocalSecret, LocalTask } from "../../components/local/custom-resources.ts";
import { registerTags } from "../../infra/tags.ts";
import { createEngineWorld } from "../components/local/engine-world.ts";
import { requires } from "../support/requires.ts";

const GIVEN = ["word-of-the-operator", "word-in-a-list", "word-of-a-command"];

describe("the state of a preview", requires("engine"), () => {
  let world: Awaited<ReturnType<typeof createEngineWorld>>;
  before(async () => {
    world = await createEngineWorld("shop-pr-1", async () => {
      registerTags({ preview: "shop-pr-1" }, "shop-pr-1");
      const made = new LocalSecret("made", { generation: 0 }, {});
      const value = secret(made.value);
      const environment = secret(
        output(value).apply((word): Record<string, string> => ({ MADE: word, GIVEN: GIVEN[0] ?? "" })),
      );
      const about = { task: "seed" as const, checkout: world.dataDir, directory: ".", key: "1" };
      const command = secret(`true ${GIVEN[2]}`);
      new LocalTask("task", { ...about, command, environment, secrets: secret([GIVEN[1] ?? ""]) }, {});
      return { value };
    });
  });
  after(() => world.close());

  it("holds no secret in plain, neither as input nor as output, and has the tags", async () => {
    await world.stack.preview();
    const { value } = (await world.stack.up()).outputs;
    assert.match(value?.value, /^[\w-]{43}$/);
    const state = await readFile(join(world.dataDir, ".pulumi/stacks/stackling/shop-pr-1.json"), "utf8");
    for (const word of [value?.value, ...GIVEN]) assert.ok(!state.includes(word), "a secret lies there in plain");
    const { resources } = JSON.parse(state).checkpoint.latest;
    const inputs = resources.map((resource: { inputs?: { tags?: unknown } }) => resource.inputs?.tags);
    assert.deepEqual(inputs.filter(Boolean), Array(2).fill({ preview: "shop-pr-1", stack: "shop-pr-1" }));
  });
});
