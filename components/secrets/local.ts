/** Secrets of a preview: given by the operator, or random and made once for the preview's life. */
import { all, type ComponentResourceOptions, CustomResource, type Input, type Output, secret } from "@pulumi/pulumi";
import { z } from "zod";
import type { SecretInputs } from "../local/secret.ts";
import type { SecretsArgs, SecretsComponent, SecretsDriver } from "../ports.ts";
import { PreviewComponent } from "../preview-component.ts";

const options = z.strictObject({}).describe("Keeps secret values in the stack's encrypted state; no options.");

type Options = z.infer<typeof options>;

class LocalSecrets extends PreviewComponent implements SecretsComponent {
  readonly values: Output<Readonly<Record<string, string>>>;

  constructor(name: string, args: SecretsArgs<Options>, opts?: ComponentResourceOptions) {
    super("stackling:secrets:Local", name, {}, opts);
    const entries = args.secrets.map(({ name: key, value, generation }) => {
      const part = key.toLowerCase().replaceAll("_", "-");
      const given = value ?? new RandomSecret(this.childName(part), { generation }, { parent: this }).value;
      return [key, given] as const;
    });
    this.values = secret(all(Object.fromEntries(entries)));
    this.registerOutputs({ values: this.values });
  }
}

class RandomSecret extends CustomResource {
  declare readonly value: Output<string>;

  constructor(
    name: string,
    inputs: { [K in keyof SecretInputs]: Input<SecretInputs[K]> },
    opts: ComponentResourceOptions,
  ) {
    super(
      "stackling:local:Secret",
      name,
      { ...inputs, value: undefined },
      { ...opts, additionalSecretOutputs: ["value"] },
    );
  }
}

export const localSecrets: SecretsDriver<Options> = {
  options,
  component: LocalSecrets,
  operations: {},
  example: () => ({ options: {}, secrets: [{ name: "SESSION_KEY", generation: 0 }] }),
};
