/**
 * The CLI's door to the program (`pulumi up` in a clone). The spec comes from the file that
 * `STACKLING_SPEC` names, else from the config value `stackling:spec`; granted secrets from the file that
 * `STACKLING_SECRETS` names, else from the config secret `stackling:secrets`. `stackling pulumi` writes both files.
 */
import { readFile } from "node:fs/promises";
import { Config } from "@pulumi/pulumi";
import { z } from "zod";
import { registry } from "../components/registry.ts";
import { loadDrivers, previewProgram } from "./program.ts";
import { type PreviewSpec, previewSpec } from "./spec.ts";

const config = new Config("stackling");
const spec = await readSpec();
const secrets = await readSecrets();
const { program } = spec.target;
const extend = program === undefined ? undefined : (await import("./extension.ts")).loadExtension(program);

/**
 * What the main module exports are the stack's outputs, the same as of an inline program. Their names are
 * known only now, so they are one default export.
 */
export default await previewProgram(spec, await loadDrivers(registry, spec.target), secrets, await extend)();

async function readSpec(): Promise<PreviewSpec> {
  const file = process.env.STACKLING_SPEC;
  return previewSpec.parse(
    file === undefined ? config.requireObject("spec") : JSON.parse(await readFile(file, "utf8")),
  );
}

async function readSecrets(): Promise<Readonly<Record<string, string>>> {
  const file = process.env.STACKLING_SECRETS;
  if (file === undefined) return config.getObject<Record<string, string>>("secrets") ?? {};
  return z.record(z.string(), z.string()).parse(JSON.parse(await readFile(file, "utf8")));
}
