import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Output, runtime } from "@pulumi/pulumi";
import type { DnsDriver, RouteDefinition } from "../../components/ports.ts";

/** What every dns driver must declare. */
export function dnsContract<O>({
  name,
  load,
  recordOf = ({ host, address }) => ({ host, address }),
}: {
  readonly name: string;
  readonly load: () => Promise<DnsDriver<O>>;
  /** Inputs that the resource of a route must have, among others; undefined where a route needs none of its own. */
  readonly recordOf?: (route: RouteDefinition) => Readonly<Record<string, unknown>> | undefined;
}): void {
  describe(`dns driver "${name}"`, () => {
    const declare = async () => {
      const driver = await load();
      const inputs: Record<string, unknown>[] = [];
      await runtime.setMocks({
        call: () => ({}),
        newResource: (args) => {
          if (args.custom) inputs.push({ ...args.inputs, resource: args.name });
          return { id: args.name, state: args.inputs };
        },
      });
      const component = new driver.component("shop", { ...driver.example(), stack: "shop-pr-1", tags: {} });
      const [hosts, urn] = await Promise.all([resolved(component.hosts), resolved(component.urn)]);
      await runtime.disconnect();
      return { hosts, urn, inputs, example: driver.example() };
    };

    it("names every host that it leads somewhere", async () => {
      const { hosts, urn, example } = await declare();
      assert.match(urn, /::shop$/);
      assert.deepEqual(
        hosts,
        example.routes.map(({ host }) => host),
      );
    });

    it("declares what each route needs under the route's own name, and nothing else for it", async () => {
      const { inputs, example } = await declare();
      for (const route of example.routes) {
        const found = inputs.find(({ resource }) => resource === `shop-${route.service}`);
        const expected = recordOf(route);
        if (expected) assert.partialDeepStrictEqual(found, expected);
        else assert.deepEqual(inputs, []);
      }
    });
  });
}

function resolved<T>(value: Output<T>): Promise<T> {
  return new Promise((resolve) => value.apply(resolve));
}
