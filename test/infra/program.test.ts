import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Output, output } from "@pulumi/pulumi";
import { z } from "zod";
import { wildcardDns } from "../../components/dns/wildcard.ts";
import type { ServiceArgs, ServiceComponent } from "../../components/ports.ts";
import { PreviewComponent } from "../../components/preview-component.ts";
import { loadDrivers, previewProgram } from "../../infra/program.ts";
import { createEngineWorld } from "../components/local/engine-world.ts";
import { requires } from "../support/requires.ts";
import { registry } from "./world/registry.ts";
import { spec } from "./world/world.ts";

const LAST = 10;

describe("the program of a preview", requires("engine"), () => {
  it("leads no host to services that are not healthy yet, though all their resources are there", async () => {
    const happened: string[] = [];
    const declared = Promise.withResolvers<string>();

    class Rolling extends PreviewComponent implements ServiceComponent {
      readonly addresses: Output<Readonly<Record<string, string>>>;

      constructor(name: string, _args: ServiceArgs) {
        super("stackling:service:Rolling", name, {});
        this.addresses = output(declared.promise).apply((): Readonly<Record<string, string>> => {
          happened.push("healthy");
          return { web: "127.0.0.1:7" };
        });
        this.registerOutputs({});
      }
    }
    class Last extends PreviewComponent {
      constructor(name: string, opts = {}) {
        super("stackling:test:Last", name, {}, opts);
        this.registerOutputs({});
      }
    }

    const plain = spec("shop-pr-1", []);
    const dns = { driver: "wildcard", options: { domain: "preview.example.dev" } };
    const wish = { ...plain, target: { ...plain.target, dns } };
    const drivers = {
      ...(await loadDrivers({ ...registry, dns: { wildcard: async () => wildcardDns } }, wish.target)),
      service: { options: z.looseObject({}), component: Rolling },
    };
    const program = previewProgram(wish, drivers, {}, () => {
      // Each waits for the one before: by the last one, a host that waits for nothing else has been led.
      let parent = new Last("last-0");
      for (let depth = 1; depth <= LAST; depth += 1) parent = new Last(`last-${depth}`, { parent });
      return {};
    });
    const world = await createEngineWorld("shop-pr-1", program);
    try {
      await world.stack.up({
        onEvent: ({ resourcePreEvent }) => {
          const name = resourcePreEvent?.metadata.urn.split("::").at(-1) ?? "";
          if (name !== "") happened.push(name);
          if (name === `last-${LAST}`) declared.resolve(name);
        },
      });
      assert.deepEqual(
        happened.filter((name) => name === "healthy" || name === "routes-web"),
        ["healthy", "routes-web"],
      );
    } finally {
      await world.stack.destroy();
      await world.close();
    }
  });
});
