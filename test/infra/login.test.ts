/** The key for logins on its way from spec to service: the engine is real, the driver only listens. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Output, output } from "@pulumi/pulumi";
import { z } from "zod";
import type { ServiceArgs, ServiceComponent } from "../../components/ports.ts";
import { PreviewComponent } from "../../components/preview-component.ts";
import { loadDrivers, previewProgram } from "../../infra/program.ts";
import { previewSpec, specDigest } from "../../infra/spec.ts";
import { createEngineWorld } from "../components/local/engine-world.ts";
import { requires } from "../support/requires.ts";
import { registry } from "./world/registry.ts";
import { spec } from "./world/world.ts";

const login = { path: "/login", users: [{ name: "ada", title: "Shop owner" }], key: '{"kty":"EC"}' };
const asked: ServiceArgs[] = [];

class Listening extends PreviewComponent implements ServiceComponent {
  readonly addresses: Output<Readonly<Record<string, string>>>;

  constructor(name: string, args: ServiceArgs) {
    super("stackling:service:Listening", name, {});
    asked.push(args);
    this.addresses = output<Readonly<Record<string, string>>>({ api: "127.0.0.1:7", shop: "127.0.0.1:8" });
    this.registerOutputs({});
  }
}

describe("the key for logins", () => {
  it("reaches the services, with the main one's address that tokens are for", requires("engine"), async () => {
    const urls = { api: "http://pr-1-api-shop.localhost:4000", shop: "http://pr-1-shop.localhost:4000" };
    const wish = { ...spec("shop-pr-1", []), key: "shop#1", urls, login };
    const service = { options: z.looseObject({}), component: Listening };
    const drivers = { ...(await loadDrivers(registry, wish.target)), service };
    const world = await createEngineWorld("shop-pr-1", previewProgram(wish, drivers, {}));
    try {
      await world.stack.up();
      assert.equal(asked[0]?.environment.STACKLING_LOGIN_KEY, login.key);
      assert.equal(asked[0]?.environment.STACKLING_URL, urls.shop);
    } finally {
      await world.stack.destroy();
      await world.close();
    }
  });

  it("starts no preview anew when it changes, as paths and users do", () => {
    const wish = previewSpec.parse({ ...spec("shop-pr-1", []), login });
    const { key: _old, ...rest } = login;
    assert.equal(specDigest({ ...wish, login: { ...login, key: "another" } }), specDigest(wish));
    assert.equal(specDigest({ ...wish, login: rest }), specDigest(wish));
    assert.notEqual(specDigest({ ...wish, login: { ...login, path: "/other" } }), specDigest(wish));
    assert.notEqual(specDigest({ ...wish, login: { ...login, users: [] } }), specDigest(wish));
  });
});
