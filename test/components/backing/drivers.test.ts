/** What every driver must do that gives previews a part of a server they share. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isSecret, runtime } from "@pulumi/pulumi";
import type { BackingDriver } from "../../../components/ports.ts";
import { registry } from "../../../components/registry.ts";

const { redis, kafka, elasticsearch, meilisearch, ...others } = registry.backing;
contract("redis", redis);
contract("kafka", kafka);
contract("elasticsearch", elasticsearch);
contract("meilisearch", meilisearch);

it("is asked of every backing driver", () => assert.deepEqual(Object.keys(others), []));

function contract<O>(name: string, load: () => Promise<BackingDriver<O>>): void {
  describe(`backing driver "${name}"`, () => {
    it("parses its own example's options to the same options, and refuses what it does not know", async () => {
      const { options, example } = await load();
      const { options: given } = example();
      assert.deepEqual(options.parse(given), given);
      assert.equal(options.safeParse({ ...(given as object), nonsense: true }).success, false);
    });

    it("declares one child of its own name, and values that are secret as a whole", async () => {
      const { component, example, gives } = await load();
      const children: runtime.MockResourceArgs[] = [];
      await runtime.setMocks({
        call: () => ({}),
        newResource: (child) => {
          children.push(child);
          const values = Object.fromEntries(gives.map((value) => [value, `its ${value}`]));
          return {
            id: child.name,
            state: { ...child.inputs, ...(child.custom ? { values, addresses: ["cache.acme.dev:6379"] } : {}) },
          };
        },
      });
      const part = new component("backing-cache", { ...example(), stack: "shop-pr-1", tags: { preview: "shop-pr-1" } });
      await new Promise((resolve) => part.urn.apply(resolve));
      const values = await new Promise<Readonly<Record<string, string>>>((resolve) => part.values.apply(resolve));
      assert.deepEqual([Object.keys(values).sort(), await isSecret(part.values)], [[...gives].sort(), true]);
      const addresses = await new Promise<readonly string[]>((resolve) => part.addresses.apply(resolve));
      assert.deepEqual([addresses, await isSecret(part.addresses)], [["cache.acme.dev:6379"], false]);
      assert.deepEqual(
        children.map((child) => child.name),
        ["backing-cache", "backing-cache-part"],
      );
      await runtime.disconnect();
    });

    it("can say what there is, take it back and be checked", async () => {
      const { operations, placedBy } = await load();
      for (const operation of ["owned", "remove", "check"] as const) assert.ok(operations[operation], operation);
      assert.ok((operations.kinds ?? []).length > 0);
      assert.ok((placedBy ?? []).length > 0);
    });
  });
}
