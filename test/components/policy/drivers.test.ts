/** What must hold for every resource of every driver: tags, the policy pack's rules, and the plugins it says it needs. */
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { type PolicyOptions, rules } from "../../../components/policy/rules.ts";
import { isOurs, isTaggable } from "../../../components/policy/tagging.ts";
import { type Declared, declare, drivers } from "./graph.ts";

/** Types with no place for a tag, nor for a comment that could be one. */
const UNTAGGABLE = [/^neon:/, /^pulumi:providers:(kubernetes|cloudflare|neon)$/];
const STRICT: PolicyOptions = { level: "mandatory", ceiling: { memoryMiB: 2048, cpu: 2 } };

for (const [called, load] of drivers) {
  describe(`what the driver ${called} declares`, () => {
    let driver: Awaited<ReturnType<typeof load>>;
    let resources: readonly Declared[];
    before(async () => {
      driver = await load();
      resources = await declare(called, driver);
    });

    it("bears the preview's tags, all that can", () => {
      const bare = resources.filter((resource) => !bearsTags(resource, resources));
      assert.deepEqual(
        bare.map(({ type, name }) => `${type} ${name}`),
        [],
      );
    });

    it("keeps to every rule of the policy pack", () => {
      const faults = resources.flatMap((resource) =>
        rules.flatMap(({ name, check }) => {
          const fault = check(resource, STRICT);
          return fault ? [`${resource.type} ${resource.name}: ${name}: ${fault}`] : [];
        }),
      );
      assert.deepEqual(faults, []);
    });

    it("needs the plugins that the driver names, and no others", () => {
      const vendors = resources
        .map(({ type }) => /^pulumi:providers:(.+)$/.exec(type)?.[1] ?? type.split(":")[0])
        .filter((vendor) => vendor !== "stackling");
      assert.deepEqual(
        [...new Set(vendors)].map((vendor) => `@pulumi/${vendor}`),
        driver.plugins ?? [],
      );
    });

    it("goes to a provider that was configured for it, never to one of the surroundings", () => {
      const ambient = resources.filter(
        ({ type, provider }) => provider === "" && !/^(stackling|pulumi:providers):/.test(type),
      );
      assert.deepEqual(
        ambient.map(({ type }) => type),
        [],
      );
    });
  });
}

/** A resource of AWS has the default tags of its provider. */
function bearsTags({ type, props }: Declared, all: readonly Declared[]): boolean {
  if (isTaggable(type)) return isOurs(type, props);
  if (type.startsWith("aws:")) return all.some((other) => other.type === "pulumi:providers:aws");
  return UNTAGGABLE.some((types) => types.test(type));
}
