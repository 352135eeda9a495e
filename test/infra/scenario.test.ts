/** A seed scenario on its way from spec to tasks and services: the engine is real, the driver only listens. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Output, output } from "@pulumi/pulumi";
import { z } from "zod";
import type { ServiceArgs, ServiceComponent } from "../../components/ports.ts";
import { PreviewComponent } from "../../components/preview-component.ts";
import { taskEnvironment } from "../../components/service/tasks.ts";
import { loadDrivers, previewProgram } from "../../infra/program.ts";
import { previewSpec } from "../../infra/spec.ts";
import { createEngineWorld } from "../components/local/engine-world.ts";
import { requires } from "../support/requires.ts";
import { registry } from "./world/registry.ts";
import { spec } from "./world/world.ts";

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

describe("the seed scenario of a spec", () => {
  it(
    "reaches tasks and services by its variable, leaves builds alone and is told in the outputs",
    requires("engine"),
    async () => {
      const database = { seed: { command: "./seed", directory: "." }, scenario: "team", scenarios: ["demo", "team"] };
      const wish = { ...spec("shop-pr-1", []), database };
      const service = { options: z.looseObject({}), component: Listening };
      const drivers = { ...(await loadDrivers(registry, wish.target)), service };
      const world = await createEngineWorld("shop-pr-1", previewProgram(wish, drivers, {}));
      try {
        const { outputs } = await world.stack.up();
        const [args] = asked;
        assert.equal(taskEnvironment(args?.services ?? []).SEED_SCENARIO, "team");
        assert.equal(args?.services[0]?.environment.SEED_SCENARIO, "team");
        assert.equal(args?.environment.SEED_SCENARIO, undefined);
        assert.deepEqual(
          args?.tasks.map(({ name, command }) => [name, command]),
          [["seed", "./seed"]],
        );
        assert.deepEqual(previewSpec.parse(outputs.spec?.value).database, database);
      } finally {
        await world.stack.destroy();
        await world.close();
      }
    },
  );
});
