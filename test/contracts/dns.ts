import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Output, runtime } from "@pulumi/pulumi";
import type { DnsDriver } from "../../components/ports.ts";

/** What every dns driver must declare. */
export function dnsContract<O>({
  name,
  load,
}: {
  readonly name: string;
  readonly load: () => Promise<DnsDriver<O>>;
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

    it("declares host and address of each route under its own name", async () => {
      const { inputs, example } = await declare();
      for (const { host, address, service } of example.routes) {
        const found = inputs.find((input) => input.host === host);
        assert.equal(found?.address, address);
        assert.equal(found?.resource, `shop-${service}`);
      }
    });
  });
}

function resolved<T>(value: Output<T>): Promise<T> {
  return new Promise((resolve) => value.apply(resolve));
}
