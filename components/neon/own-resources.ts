/** What Neon's Pulumi provider has no resource for, as a program declares it; Stackling's own provider makes it. */
import { CustomResource, type CustomResourceOptions, type Input, type Output } from "@pulumi/pulumi";
import type { MaskedBranchInputs } from "./masked-branch-resource.ts";
import type { PasswordInputs } from "./password-resource.ts";

type Declared<I> = { readonly [K in keyof I]: Input<I[K]> };

export class MaskedBranch extends CustomResource {
  declare readonly host: Output<string>;

  constructor(name: string, inputs: MaskedBranchInputs, opts: CustomResourceOptions) {
    super("stackling:local:NeonMaskedBranch", name, { ...inputs, host: undefined }, opts);
  }
}

export class RotatedPassword extends CustomResource {
  declare readonly password: Output<string>;

  constructor(name: string, inputs: Declared<PasswordInputs>, opts: CustomResourceOptions) {
    const hidden = { additionalSecretOutputs: ["password"] };
    super("stackling:local:NeonPassword", name, { ...inputs, password: undefined }, { ...opts, ...hidden });
  }
}
