import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isSecret, type Output, runtime, secret } from "@pulumi/pulumi";
import type { SecretsDriver } from "../../components/ports.ts";

/** What every secrets driver must do. */
export function secretsContract<O>(subject: {
  readonly name: string;
  readonly load: () => Promise<SecretsDriver<O>>;
}): void {
  const { name, load } = subject;

  describe(`secrets driver "${name}"`, () => {
    const build = async (generation: number) => {
      const driver = await load();
      const inputs: Record<string, unknown>[] = [];
      await runtime.setMocks({
        call: () => ({}),
        newResource: (args) => {
          if (args.custom) inputs.push(args.inputs);
          return { id: args.name, state: { ...args.inputs, value: `made for ${args.name}` } };
        },
      });
      const component = new driver.component("shop", {
        ...driver.example(),
        stack: "shop-pr-1",
        tags: { preview: "shop-pr-1" },
        secrets: [
          { name: "SESSION_KEY", generation },
          { name: "STRIPE_KEY", generation, value: secret("given") },
        ],
      });
      const values = await resolved(component.values);
      return { component, inputs, values };
    };

    it("takes given values as they are and makes the others", async () => {
      const { values } = await build(0);
      assert.deepEqual(Object.keys(values).sort(), ["SESSION_KEY", "STRIPE_KEY"]);
      assert.equal(values.STRIPE_KEY, "given");
      assert.match(values.SESSION_KEY ?? "", /^made for shop-/);
    });

    it("hands them out as one secret", async () => {
      const { component } = await build(0);
      assert.equal(await isSecret(component.values), true);
    });

    it("passes the generation on, so that raising it makes the value anew", async () => {
      const { inputs } = await build(3);
      assert.deepEqual(
        inputs.map(({ generation }) => generation),
        [3],
      );
    });
  });
}

function resolved<T>(output: Output<T>): Promise<T> {
  return new Promise((resolve) => output.apply(resolve));
}
