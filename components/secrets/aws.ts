/** Secrets of a preview in AWS Secrets Manager, where tasks at AWS read them by reference. */
import { type ComponentResourceOptions, interpolate, type Output } from "@pulumi/pulumi";
import { z } from "zod";
import { accountShape } from "../aws/account.ts";
import { finding, withAccount } from "../aws/check.ts";
import { claiming } from "../aws/claim.ts";
import { createClients } from "../aws/clients.ts";
import { makeSecret } from "../aws/ecs-resources.ts";
import { secretName } from "../aws/names.ts";
import { ownedAt, removeAt } from "../aws/owned.ts";
import { createAwsProvider } from "../aws/provider.ts";
import { listSecrets } from "../aws/secret-list.ts";
import type { SecretLocation, SecretsArgs, SecretsComponent, SecretsDriver } from "../ports.ts";
import { PreviewComponent } from "../preview-component.ts";
import { heldSecrets } from "./held.ts";

const options = z
  .strictObject({ ...accountShape })
  .describe("A secret in Secrets Manager for each that a preview has: given ones, and random ones made once.");

type Options = z.infer<typeof options>;

export class AwsSecrets extends PreviewComponent implements SecretsComponent {
  readonly values: Output<Readonly<Record<string, string>>>;
  readonly references: Readonly<Record<string, SecretLocation>>;

  constructor(name: string, args: SecretsArgs<Options>, opts?: ComponentResourceOptions) {
    super("stackling:secrets:Aws", name, {}, opts);
    const { stack, options: account } = args;
    const provider = createAwsProvider(this.childName("aws"), account, { parent: this });
    const clients = createClients(account);
    const child = { parent: this, provider };
    this.values = heldSecrets(this, args.secrets, (part) => this.childName(part));
    const entries = args.secrets.map(({ name: key }) => {
      const part = `secrets/${key}`;
      const claim = {
        kind: "secret",
        name: secretName(stack, part),
        stack,
        place: { cluster: "", namespace: "" },
      } as const;
      const made = makeSecret(
        this.childName(key.toLowerCase().replaceAll("_", "-")),
        { stack, part, text: this.values.apply((values) => values[key] ?? "") },
        { secret: claiming(clients, claim, child), child },
      );
      // The version too, so that tasks start again with a new value.
      return [key, { kind: "aws", arn: interpolate`${made.arn}:::${made.version}` }] as const;
    });
    this.references = Object.fromEntries(entries);
    this.registerOutputs({ values: this.values, references: this.references });
  }
}

export const awsSecrets: SecretsDriver<Options> = {
  options,
  plugins: ["@pulumi/aws"],
  component: AwsSecrets,
  operations: {
    owned: (given, stack) => ownedAt(given, { only: ["secret"], ...(stack !== undefined && { stack }) }),
    kinds: ["secret"],
    remove: removeAt,
    check: (given) =>
      withAccount(given, async (clients) => [await finding("Secrets Manager", () => listSecrets(clients))]),
  },
  example: () => ({
    options: { region: "eu-central-1", credentials: "instance" },
    secrets: [{ name: "SESSION_KEY", generation: 0 }],
  }),
};
