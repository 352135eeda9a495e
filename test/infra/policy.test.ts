/** The policy pack under the real engine, which starts it from `bin/`. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { StacklingError } from "../../components/errors.ts";
import type { PolicyOptions } from "../../components/policy/rules.ts";
import type { RunEvent } from "../../infra/stacks.ts";
import { requires } from "../support/requires.ts";
import { createWorld, spec, type World } from "./world/world.ts";

const STACK = "shop-pr-1";
const GREEDY = `
import { CustomResource } from "@pulumi/pulumi";
export const extend = () => {
  new CustomResource("stackling:local:Service", "greedy", { service: { name: "web", memoryMiB: 4096, cpu: 1 } });
  return {};
};
`;

describe("a policy that is switched on", requires("engine"), () => {
  let folder: string;
  let world: World;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "stackling-policy-"));
    await writeFile(join(folder, "greedy.ts"), GREEDY);
    world = await createWorld();
  });
  after(async () => {
    await world.remove();
    await rm(folder, { recursive: true, force: true });
  });

  async function up(level: PolicyOptions["level"], { greedy }: { greedy: boolean }) {
    const runner = await world.runner({ watchdogMs: 120_000 }, 1, { level, ceiling: { memoryMiB: 1024, cpu: 2 } });
    const wish = spec(STACK);
    const target = { ...wish.target, ...(greedy && { program: join(folder, "greedy.ts") }) };
    const events: RunEvent[] = [];
    const lease = world.lease(STACK);
    const request = { spec: { ...wish, target }, secrets: {}, refresh: false, mayBeNew: true, lease };
    const result = await runner.up({ ...request, onEvent: (event) => events.push(event) });
    return { ...result, events };
  }

  it("lets a preview be that keeps to it", async () => {
    assert.deepEqual((await up("mandatory", { greedy: false })).changes, { create: 5 });
  });

  it("stops what it forbids before it is made, naming rule and resource", async () => {
    await assert.rejects(up("mandatory", { greedy: true }), (error: StacklingError) => {
      assert.equal(error.name, "TerminalError");
      assert.equal(error.reason, "PolicyViolation");
      assert.equal(
        error.userMessage,
        `updating stack "${STACK}": the policy "sizes-under-the-ceiling" forbids stackling:local:Service "greedy": "web" may use 4096 MiB, the limit is 1024`,
      );
      return true;
    });
    assert.deepEqual(world.things(), [`${STACK}-one.json`]);
  });

  it("only tells where it is advisory", async () => {
    await up("advisory", { greedy: true });
    assert.deepEqual(world.things(), ["greedy.json", `${STACK}-one.json`]);
  });
});
