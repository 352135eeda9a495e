import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import type { PreviewSpec } from "../../infra/spec.ts";
import { requires } from "../support/requires.ts";
import { createWorld, spec, type World } from "./world/world.ts";

const STACK = "shop-pr-1";

describe("the pulumi CLI", requires("engine"), () => {
  let world: World;
  before(async () => {
    world = await createWorld();
  });
  after(() => world.remove());

  async function pulumi(...args: string[]): Promise<string> {
    await writeFile(join(world.dataDir, "Pulumi.yaml"), "name: stackling\nruntime: nodejs\n");
    const { stdout } = await promisify(execFile)(world.engine, [...args, "--non-interactive", "--stack", STACK], {
      cwd: world.dataDir,
      env: {
        ...process.env,
        PULUMI_HOME: join(world.dataDir, "pulumi-home"),
        PULUMI_BACKEND_URL: world.backendUrl,
        PULUMI_CONFIG_PASSPHRASE_FILE: world.passphraseFile,
        PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER: "true",
        PULUMI_SKIP_UPDATE_CHECK: "true",
      },
    });
    return stdout;
  }

  it("sees stacks of the runner, those made from the template too, and finds their spec and no fault", async () => {
    const runner = await world.runner();
    for (const stack of ["shop-pr-2", STACK]) {
      await runner.up({ spec: spec(stack), secrets: {}, refresh: false, mayBeNew: true, lease: world.lease(stack) });
    }
    const outputs = JSON.parse(await pulumi("stack", "output", "--json")) as { spec: PreviewSpec };
    assert.deepEqual(outputs.spec, spec(STACK));
    const deployment = JSON.parse(await pulumi("stack", "export")) as { deployment: { resources: unknown[] } };
    assert.equal(deployment.deployment.resources.length, 6);
    await pulumi("state", "repair", "--yes");
  });
});
