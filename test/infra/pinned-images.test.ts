import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Output, output } from "@pulumi/pulumi";
import { z } from "zod";
import type { ServiceArgs, ServiceComponent } from "../../components/ports.ts";
import { PreviewComponent } from "../../components/preview-component.ts";
import { loadDrivers, previewProgram } from "../../infra/program.ts";
import { specDigest } from "../../infra/spec.ts";
import { createEngineWorld } from "../components/local/engine-world.ts";
import { requires } from "../support/requires.ts";
import { registry } from "./world/registry.ts";
import { spec } from "./world/world.ts";

const SHOP = "ghcr.io/acme/shop:abc";
const REDIS = "redis:8";
const pin = (name: string, digit: string) => `${name}@sha256:${digit.repeat(64)}`;
const images = { [SHOP]: pin("ghcr.io/acme/shop", "1"), [REDIS]: pin("docker.io/library/redis", "2") };

const asked: ServiceArgs[] = [];

class Cluster extends PreviewComponent implements ServiceComponent {
  readonly addresses: Output<Readonly<Record<string, string>>>;

  constructor(name: string, args: ServiceArgs) {
    super("stackling:service:Cluster", name, {});
    asked.push(args);
    this.addresses = output<Readonly<Record<string, string>>>({ web: "127.0.0.1:7" });
    this.registerOutputs({});
  }
}

describe("a target that runs images", requires("engine"), () => {
  it("gets every image by its digest, and says in its outputs which", async () => {
    const plain = spec("shop-pr-1", []);
    const [web] = plain.services;
    assert.ok(web);
    const wish = {
      ...plain,
      services: [{ ...web, image: SHOP, sidecars: [{ name: "cache", image: REDIS, port: 6379 }] }],
      database: { migrate: { command: "migrate", directory: "." } },
      images,
    };
    const drivers = {
      ...(await loadDrivers(registry, wish.target)),
      service: { options: z.looseObject({}), component: Cluster },
    };
    const world = await createEngineWorld("shop-pr-1", previewProgram(wish, drivers, {}));
    try {
      const { outputs } = await world.stack.up();
      const [args] = asked;
      assert.equal(args?.services[0]?.image, images[SHOP]);
      assert.deepEqual(args?.services[0]?.sidecars, [{ name: "cache", image: images[REDIS], port: 6379 }]);
      assert.deepEqual(
        args?.tasks.map(({ name, image }) => [name, image]),
        [["migrate", images[SHOP]]],
      );
      assert.deepEqual(outputs.spec?.value.images, images);
    } finally {
      await world.stack.destroy();
      await world.close();
    }
  });

  it("is asked for nothing new when only a digest was found", () => {
    const wish = spec("shop-pr-1", []);
    assert.equal(specDigest({ ...wish, images }), specDigest(wish));
  });
});
