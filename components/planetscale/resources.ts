/** PlanetScale's resources as a Pulumi program declares them; Stackling's own provider makes them. */
import { CustomResource, type CustomResourceOptions, type Input, type Output } from "@pulumi/pulumi";
import type { BranchInputs } from "./branch-resource.ts";
import type { DeployRequestInputs } from "./deploy-request-resource.ts";
import type { PasswordInputs } from "./password-resource.ts";

type Declared<I> = { readonly [K in keyof I]: Input<I[K]> };

export class PlanetscaleBranch extends CustomResource {
  declare readonly name: Output<string>;

  constructor(name: string, inputs: Declared<BranchInputs>, opts: CustomResourceOptions) {
    super("stackling:local:PlanetscaleBranch", name, inputs, opts);
  }
}

export class PlanetscaleDeployRequest extends CustomResource {
  constructor(name: string, inputs: Declared<DeployRequestInputs>, opts: CustomResourceOptions) {
    super("stackling:local:PlanetscaleDeployRequest", name, { ...inputs, number: undefined }, opts);
  }
}

export class PlanetscalePassword extends CustomResource {
  declare readonly url: Output<string>;

  constructor(name: string, inputs: Declared<PasswordInputs>, opts: CustomResourceOptions) {
    const hidden = { additionalSecretOutputs: ["url"] };
    super("stackling:local:PlanetscalePassword", name, { ...inputs, url: undefined }, { ...opts, ...hidden });
  }
}
