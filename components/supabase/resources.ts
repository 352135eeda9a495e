/** Supabase's branch as a Pulumi program declares it; Stackling's own provider makes it. */
import { CustomResource, type CustomResourceOptions, type Output } from "@pulumi/pulumi";
import type { BranchInputs } from "./branch-resource.ts";

export class SupabaseBranch extends CustomResource {
  declare readonly ref: Output<string>;
  declare readonly url: Output<string>;
  declare readonly environment: Output<Readonly<Record<string, string>>>;

  constructor(name: string, inputs: BranchInputs, opts: CustomResourceOptions) {
    const hidden = { additionalSecretOutputs: ["url", "environment"] };
    const outputs = { ref: undefined, url: undefined, environment: undefined };
    super("stackling:local:SupabaseBranch", name, { ...inputs, ...outputs }, { ...opts, ...hidden });
  }
}
