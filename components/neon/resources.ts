/**
 * Neon's resources. Their SDK asks the engine for its package once per process and keeps the answer, which
 * the next engine does not know; a runner serves many. Pulumi's own function keeps one per deployment.
 */
import { createRequire } from "node:module";
import utilities from "@pulumi/neon/bin/utilities.js";
import { runtime } from "@pulumi/pulumi";
import { z } from "zod";

export { Branch, Database, Endpoint, Provider, Role } from "@pulumi/neon";

/** How the SDK says what its package is: a Terraform provider behind Pulumi's bridge. */
const manifest = z.object({
  pulumi: z.object({
    name: z.string(),
    version: z.string(),
    parameterization: z.object({ name: z.string(), version: z.string(), value: z.base64() }),
  }),
});

const { pulumi: sdk } = manifest.parse(createRequire(import.meta.url)("@pulumi/neon/package.json"));

utilities.getPackage = () =>
  runtime.registerPackage({
    baseProviderName: sdk.name,
    baseProviderVersion: sdk.version,
    baseProviderDownloadUrl: "",
    packageName: sdk.parameterization.name,
    packageVersion: sdk.parameterization.version,
    base64Parameter: sdk.parameterization.value,
  });
