import { all } from "@pulumi/pulumi";
import { type DriverName, registry } from "../../components/registry.ts";
import { localService } from "../../components/service/local.ts";
import { type ServiceWorld, serviceContract } from "../contracts/service.ts";
import { createRepository } from "../support/git-repository.ts";
import { requires } from "../support/requires.ts";
import { createEngineWorld } from "./local/engine-world.ts";
import { SERVER } from "./local/local-world.ts";

/** A driver without a line here fails the type check. */
const suites: Record<DriverName<"service">, () => void> = {
  local: () =>
    serviceContract({
      name: "local",
      load: registry.service.local,
      createWorld: createLocalServiceWorld,
      requires: requires("engine"),
    }),
  // In a real cluster: test/kubernetes.
  kubernetes: () =>
    serviceContract({
      name: "kubernetes",
      dryRun: true,
      load: registry.service.kubernetes,
      requires: { skip: false },
    }),
  // What AWS itself does with it: test/components/aws.
  ecs: () => serviceContract({ name: "ecs", dryRun: true, load: registry.service.ecs, requires: { skip: false } }),
};

for (const run of Object.values(suites)) run();

async function createLocalServiceWorld(stack: string): Promise<ServiceWorld<{ dataDir: string }>> {
  const repository = await createRepository({ files: { "server.mjs": SERVER } });
  const example = localService.example();
  const source = { ...example.source, repository: repository.path, commit: await repository.head("main") };
  let wish: Parameters<ServiceWorld<unknown>["up"]>[0] = example;
  const world = await createEngineWorld(stack, async () => {
    const options = { dataDir: world.dataDir };
    const services = new localService.component("service", { ...wish, stack, tags: {}, options, source });
    return { addresses: all([services.addresses]).apply(([addresses]) => addresses) };
  });
  return {
    options: { dataDir: world.dataDir },
    source,
    async up(args) {
      wish = args;
      const { outputs } = await world.stack.up();
      return outputs.addresses?.value;
    },
    destroy: async () => void (await world.stack.destroy()),
    async close() {
      await world.close();
      await repository.remove();
    },
  };
}
