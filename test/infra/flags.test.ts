/** Feature flags on their way from spec to service: the engine is real, the driver only listens. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Output, output } from "@pulumi/pulumi";
import { z } from "zod";
import type { ServiceArgs, ServiceComponent } from "../../components/ports.ts";
import { PreviewComponent } from "../../components/preview-component.ts";
import { flagFile } from "../../components/service/flags.ts";
import { loadDrivers, previewProgram } from "../../infra/program.ts";
import { previewSpec, specDigest } from "../../infra/spec.ts";
import { createEngineWorld } from "../components/local/engine-world.ts";
import { requires } from "../support/requires.ts";
import { registry } from "./world/registry.ts";
import { spec } from "./world/world.ts";

const flags = { "new-checkout": { value: true, default: false } };
const asked: ServiceArgs[] = [];

class Listening extends PreviewComponent implements ServiceComponent {
  readonly addresses: Output<Readonly<Record<string, string>>>;

  constructor(name: string, args: ServiceArgs) {
    super("stackling:service:Listening", name, {});
    asked.push(args);
    this.addresses = output<Readonly<Record<string, string>>>({ web: "127.0.0.1:7" });
    this.registerOutputs({});
  }
}

describe("feature flags of a spec", () => {
  it("reach every service by variable and file, and are told in the outputs", requires("engine"), async () => {
    const wish = { ...spec("shop-pr-1", []), flags };
    const service = { options: z.looseObject({}), component: Listening };
    const drivers = { ...(await loadDrivers(registry, wish.target)), service };
    const world = await createEngineWorld("shop-pr-1", previewProgram(wish, drivers, {}));
    try {
      const { outputs } = await world.stack.up();
      const [args] = asked;
      assert.equal(args?.services[0]?.environment.FLAG_NEW_CHECKOUT, "true");
      assert.equal(args?.flags, flagFile(flags));
      assert.deepEqual(previewSpec.parse(outputs.spec?.value).flags, flags);
    } finally {
      await world.stack.destroy();
      await world.close();
    }
  });

  it("are part of the wish, and what a person said of them an echo", () => {
    const wish = { ...spec("shop-pr-1", []), flags };
    const otherwise = { "new-checkout": { value: false, default: false } };
    assert.notEqual(specDigest(wish), specDigest({ ...wish, flags: otherwise }));
    const echoed = previewSpec.parse({ ...wish, intents: { keep: false, flags: { "new-checkout": "on" } } });
    assert.equal(specDigest(echoed), specDigest(wish));
  });
});
