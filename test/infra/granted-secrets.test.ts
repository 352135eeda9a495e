import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Output, secret } from "@pulumi/pulumi";
import { z } from "zod";
import { TerminalError } from "../../components/errors.ts";
import type { SecretDefinition, SecretsArgs, SecretsComponent } from "../../components/ports.ts";
import { PreviewComponent } from "../../components/preview-component.ts";
import { loadDrivers, previewProgram } from "../../infra/program.ts";
import { createEngineWorld } from "../components/local/engine-world.ts";
import { requires } from "../support/requires.ts";
import { registry } from "./world/registry.ts";
import { createWorld, spec } from "./world/world.ts";

const asked: SecretDefinition[] = [];

class Store extends PreviewComponent implements SecretsComponent {
  readonly values: Output<Readonly<Record<string, string>>>;

  constructor(name: string, { secrets }: SecretsArgs) {
    super("stackling:secrets:Store", name, {});
    asked.push(...secrets);
    this.values = secret<Readonly<Record<string, string>>>({});
    this.registerOutputs({});
  }
}

describe("a secrets driver that brings granted secrets", requires("engine"), () => {
  it("is asked for them by name, without a value and whatever the configuration holds", async () => {
    const wish = { ...spec("shop-pr-1", []), grantedSecrets: ["STRIPE_KEY"], generatedSecrets: ["SESSION_KEY"] };
    const drivers = {
      ...(await loadDrivers(registry, wish.target)),
      secrets: { options: z.strictObject({}), component: Store, brings: "granted" as const },
    };
    const world = await createEngineWorld("shop-pr-1", previewProgram(wish, drivers, { STRIPE_KEY: "never seen" }));
    try {
      await world.stack.up();
      assert.deepEqual(asked, [
        { name: "SESSION_KEY", generation: 0 },
        { name: "STRIPE_KEY", generation: 0, granted: true },
      ]);
    } finally {
      await world.stack.destroy();
      await world.close();
    }
  });
});

describe("a granted secret without a value", requires("engine"), () => {
  it("fails the run for good, with its reason", async () => {
    const world = await createWorld();
    try {
      const runner = await world.runner();
      const wish = { ...spec("shop-pr-1", []), grantedSecrets: ["STRIPE_KEY"] };
      const request = { spec: wish, secrets: {}, refresh: false, mayBeNew: true, lease: world.lease("shop-pr-1") };
      await assert.rejects(runner.up(request), (error) => {
        assert.ok(error instanceof TerminalError);
        assert.equal(error.reason, "SecretMissing");
        assert.match(error.message, /^granting secret "STRIPE_KEY"/);
        return true;
      });
    } finally {
      await world.remove();
    }
  });
});
