import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isSecret, type Output, runtime, secret } from "@pulumi/pulumi";
import type { SecretsDriver } from "../../components/ports.ts";

/** What every secrets driver must do. */
export function secretsContract<O>(subject: {
  readonly name: string;
  readonly load: () => Promise<SecretsDriver<O>>;
  /** Options for a store in which `STRIPE_KEY` is `given`; the example's where none is asked. */
  readonly options?: () => Promise<O>;
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
      const example = driver.example();
      const granted = driver.brings === "granted" ? { granted: true as const } : { value: secret("given") };
      const component = new driver.component("shop", {
        ...example,
        options: (await subject.options?.()) ?? example.options,
        stack: "shop-pr-1",
        tags: { preview: "shop-pr-1", repository: "shop" },
        secrets: [
          { name: "SESSION_KEY", generation },
          { name: "STRIPE_KEY", generation, ...granted },
        ],
      });
      const values = await resolved(component.values);
      const secretness = await isSecret(component.values);
      await runtime.disconnect();
      return { references: component.references, secretness, inputs, values };
    };

    it("parses its own example's options to the same options", async () => {
      const driver = await load();
      const { options } = driver.example();
      assert.deepEqual(driver.options.parse(options), options);
    });

    it("makes what was not granted, and gives what was: its value as it is, or where it lies", async () => {
      const { references, values } = await build(0);
      const { STRIPE_KEY, SESSION_KEY, ...others } = values;
      assert.match(SESSION_KEY ?? "", /^made for shop-/);
      if (references?.STRIPE_KEY) assert.ok(STRIPE_KEY === undefined || STRIPE_KEY === "given");
      else assert.equal(STRIPE_KEY, "given");
      assert.deepEqual(others, {});
    });

    it("hands them out as one secret", async () => {
      assert.equal((await build(0)).secretness, true);
    });

    it("passes the generation on, so that raising it makes the value anew", async () => {
      const { inputs } = await build(3);
      const generations = inputs.flatMap(({ generation }) => (generation === undefined ? [] : [generation]));
      assert.deepEqual(generations, [3]);
    });
  });
}

function resolved<T>(output: Output<T>): Promise<T> {
  return new Promise((resolve) => output.apply(resolve));
}
