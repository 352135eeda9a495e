/**
 * The policy pack as a program of its own, as the engine starts it: `pulumi-analyzer-policy-stackling`,
 * for the runtime that PulumiPolicy.yaml names, so that no language host is needed. Options come as JSON
 * in `STACKLING_POLICY`.
 */
import { fileURLToPath } from "node:url";
import { type EnforcementLevel, PolicyPack, type ResourceValidationArgs } from "@pulumi/policy";
import { type PolicyOptions, rules } from "./rules.ts";

const options: PolicyOptions = { level: "mandatory", ...JSON.parse(process.env.STACKLING_POLICY ?? "{}") };
const enforcementLevel: EnforcementLevel = options.level;

// The pack's version is that of the package.json in the working folder.
process.chdir(fileURLToPath(new URL("../../", import.meta.url)));

new PolicyPack("stackling", {
  enforcementLevel,
  policies: rules.map(({ name, description, check }) => ({
    name,
    description,
    enforcementLevel,
    validateResource: ({ type, props }: ResourceValidationArgs, report: (message: string) => void) => {
      const fault = check({ type, props }, options);
      if (fault) report(fault);
    },
  })),
});
