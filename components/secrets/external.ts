/**
 * Secrets that stay where the cluster's External Secrets Operator finds them: granted ones are only referred
 * to, so that neither Stackling nor a stack's state ever holds them; generated ones are made once per preview.
 */
import type { ComponentResourceOptions, Output } from "@pulumi/pulumi";
import { z } from "zod";
import { TerminalError } from "../errors.ts";
import type { SecretLocation, SecretsArgs, SecretsComponent, SecretsDriver, Tags } from "../ports.ts";
import { PreviewComponent } from "../preview-component.ts";
import { heldSecrets } from "./held.ts";

/** Text with `{repository}` and `{name}` in it, and no other brace. */
const template = z
  .string()
  .min(1)
  .regex(/^([^{}]|\{repository\}|\{name\})+$/, "may hold {repository} and {name} and no other brace");

const options = z.strictObject({
  store: z.string().min(1).describe("Name of the SecretStore or ClusterSecretStore that holds the granted secrets."),
  storeKind: z
    .enum(["SecretStore", "ClusterSecretStore"])
    .default("ClusterSecretStore")
    .describe("A SecretStore would have to lie in each preview's namespace."),
  key: template
    .default("previews/{repository}/{name}")
    .describe("Where a granted secret lies in the store, from the repository's name and its own."),
  property: template.optional().describe("Which part of it, for stores that keep several values under one key."),
});

type Options = z.infer<typeof options>;
type Args = SecretsArgs<Options>;

class ExternalSecrets extends PreviewComponent implements SecretsComponent {
  readonly values: Output<Readonly<Record<string, string>>>;
  readonly references: Readonly<Record<string, SecretLocation>>;

  constructor(name: string, args: Args, opts?: ComponentResourceOptions) {
    super("stackling:secrets:External", name, {}, opts);
    const referred = args.secrets.filter(({ granted }) => granted);
    const held = args.secrets.filter(({ granted }) => !granted);
    this.values = heldSecrets(this, held, (part) => this.childName(part));
    this.references = Object.fromEntries(referred.map(({ name: key }) => [key, locationOf(key, args)]));
    this.registerOutputs({ values: this.values, references: this.references });
  }
}

export const externalSecrets: SecretsDriver<Options> = {
  brings: "granted",
  options,
  component: ExternalSecrets,
  operations: {},
  refuses: ({ service }) =>
    service.driver === "kubernetes"
      ? undefined
      : `"external" refers to a store of the cluster that the services run on; with the service driver "${service.driver}" use another`,
  example: () => ({
    options: { store: "previews", storeKind: "ClusterSecretStore", key: "previews/{repository}/{name}" },
    secrets: [{ name: "SESSION_KEY", generation: 0 }],
  }),
};

function locationOf(name: string, { tags, options: { store, storeKind, key, property } }: Args): SecretLocation {
  return {
    kind: "external",
    store,
    storeKind,
    key: fill(key, name, tags),
    ...(property !== undefined && { property: fill(property, name, tags) }),
  };
}

function fill(text: string, name: string, { repository }: Tags): string {
  if (text.includes("{repository}") && repository === undefined) {
    throw new TerminalError({
      reason: "SpecInvalid",
      userMessage: `referring to the secret "${name}": "${text}" needs the tag "repository", which is not there`,
    });
  }
  return text.replaceAll("{repository}", repository ?? "").replaceAll("{name}", name);
}
