import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { runtime } from "@pulumi/pulumi";
import type { Tags } from "../../../components/ports.ts";
import { externalSecrets } from "../../../components/secrets/external.ts";

async function refer(options: Partial<ReturnType<typeof externalSecrets.example>["options"]>, tags: Tags) {
  const made: string[] = [];
  await runtime.setMocks({
    call: () => ({}),
    newResource: ({ name, inputs, custom }) => {
      if (custom) made.push(name);
      return { id: name, state: inputs };
    },
  });
  try {
    const component = new externalSecrets.component("secrets", {
      stack: "shop-pr-1",
      tags,
      options: { ...externalSecrets.example().options, ...options },
      secrets: [
        { name: "STRIPE_KEY", generation: 0, granted: true },
        { name: "SESSION_KEY", generation: 0 },
      ],
    });
    const values = await new Promise<Readonly<Record<string, string>>>((resolve) => component.values.apply(resolve));
    return { component, made, names: Object.keys(values) };
  } finally {
    await runtime.disconnect();
  }
}

describe("secrets in a cluster's store", () => {
  it("are referred to by repository and name, and only the others are made", async () => {
    const { component, made, names } = await refer({}, { repository: "shop" });
    assert.deepEqual(component.references, {
      STRIPE_KEY: {
        kind: "external",
        store: "previews",
        storeKind: "ClusterSecretStore",
        key: "previews/shop/STRIPE_KEY",
      },
    });
    assert.deepEqual(made, ["secrets-session-key"]);
    assert.deepEqual(names, ["SESSION_KEY"]);
  });

  it("may be parts of one key", async () => {
    const { component } = await refer({ key: "{repository}", property: "{name}" }, { repository: "shop" });
    assert.partialDeepStrictEqual(component.references, { STRIPE_KEY: { key: "shop", property: "STRIPE_KEY" } });
  });

  it("need the repository where the key names it", async () => {
    await assert.rejects(refer({}, {}), { name: "TerminalError", reason: "SpecInvalid", message: /tag "repository"/ });
  });

  for (const key of ["", "{stack}/x", "a{name", "a}"]) {
    it(`have no key of the form ${JSON.stringify(key)}`, () => {
      assert.equal(externalSecrets.options.safeParse({ store: "s", key }).success, false);
    });
  }

  it("are for services of that cluster only", () => {
    const choice = { driver: "x", options: {} };
    const refused = (driver: string) =>
      externalSecrets.refuses?.({ dns: choice, secrets: choice, service: { driver, options: {} } });
    assert.equal(refused("kubernetes"), undefined);
    assert.match(refused("local") ?? "", /service driver "local"/);
  });
});
