/** Secrets of a preview: given by the operator, or random and made once for the preview's life. */
import type { ComponentResourceOptions, Output } from "@pulumi/pulumi";
import { z } from "zod";
import type { SecretsArgs, SecretsComponent, SecretsDriver } from "../ports.ts";
import { PreviewComponent } from "../preview-component.ts";
import { heldSecrets } from "./held.ts";

const options = z.strictObject({}).describe("Keeps secret values in the stack's encrypted state; no options.");

type Options = z.infer<typeof options>;

class LocalSecrets extends PreviewComponent implements SecretsComponent {
  readonly values: Output<Readonly<Record<string, string>>>;

  constructor(name: string, args: SecretsArgs<Options>, opts?: ComponentResourceOptions) {
    super("stackling:secrets:Local", name, {}, opts);
    this.values = heldSecrets(this, args.secrets, (part) => this.childName(part));
    this.registerOutputs({ values: this.values });
  }
}

export const localSecrets: SecretsDriver<Options> = {
  options,
  component: LocalSecrets,
  operations: {},
  example: () => ({ options: {}, secrets: [{ name: "SESSION_KEY", generation: 0 }] }),
};
