/** Granted secrets from an environment of Pulumi ESC, read anew by every run; generated ones are made once per preview. */

import { Configuration, EscApi } from "@pulumi/esc-sdk";
import { all, type ComponentResourceOptions, type Output, output, secret } from "@pulumi/pulumi";
import { z } from "zod";
import { credential, readCredential } from "../credential.ts";
import { StacklingError, toldToEngine } from "../errors.ts";
import type { Finding, SecretsArgs, SecretsComponent, SecretsDriver } from "../ports.ts";
import { PreviewComponent } from "../preview-component.ts";
import { heldSecrets } from "./held.ts";

const options = z.strictObject({
  environment: z
    .string()
    .regex(/^[^/\s]+\/[^/\s]+\/[^/\s]+$/, 'must be of the form "organization/project/environment"')
    .describe("`organization/project/environment`."),
  accessToken: credential.describe("Where a Pulumi access token lies that may open the environment."),
  property: z
    .string()
    .min(1)
    .default("environmentVariables")
    .describe("Map among the environment's values that holds the secrets by name."),
  apiUrl: z.url().default("https://api.pulumi.com").describe("Pulumi Cloud's address, as for `pulumi login`."),
});

type Options = z.infer<typeof options>;
type Args = SecretsArgs<Options>;

const ANSWER_WITHIN_MS = 30_000;

class EscSecrets extends PreviewComponent implements SecretsComponent {
  readonly values: Output<Readonly<Record<string, string>>>;

  constructor(name: string, args: Args, opts?: ComponentResourceOptions) {
    super("stackling:secrets:Esc", name, {}, opts);
    const names = args.secrets.filter(({ granted }) => granted).map(({ name: key }) => key);
    const held = args.secrets.filter(({ granted }) => !granted);
    const made = heldSecrets(this, held, (part) => this.childName(part));
    const brought = secret(output(toldToEngine(() => readGranted(args.options, names))));
    this.values = all([brought, made]).apply(([granted, own]) => ({ ...granted, ...own }));
    this.registerOutputs({ values: this.values });
  }
}

export const escSecrets: SecretsDriver<Options> = {
  brings: "granted",
  options,
  component: EscSecrets,
  operations: { check: async (given) => [await check(given)] },
  example: () => ({
    options: {
      environment: "acme/previews/shop",
      accessToken: { env: "PULUMI_ACCESS_TOKEN" },
      property: "environmentVariables",
      apiUrl: "https://api.pulumi.com",
    },
    secrets: [{ name: "SESSION_KEY", generation: 0 }],
  }),
};

/** Values by name. Throws `StacklingError`: `SecretMissing`, `TargetForbidden`, `TargetInvalid`, `TargetUnreachable`. */
export async function readGranted(given: Options, names: readonly string[]): Promise<Record<string, string>> {
  if (names.length === 0) return {};
  const { environment, property } = given;
  const found = await ask(given, `opening environment "${environment}"`, (esc, path) =>
    esc.openAndReadEnvironment(...path),
  );
  const values: unknown = found?.values?.[property];
  const known = z.record(z.string(), z.unknown()).safeParse(values).data ?? {};
  return Object.fromEntries(
    names.map((name) => {
      const value = Object.hasOwn(known, name) ? known[name] : undefined;
      if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") {
        return [name, String(value)];
      }
      throw new StacklingError({
        reason: "SecretMissing",
        userMessage: `granting the secret "${name}": environment "${environment}" has no text at "${property}.${name}"`,
      });
    }),
  );
}

/** Reads the definition, which opens nothing and asks no other provider. */
async function check(given: Options): Promise<Finding> {
  const what = `Pulumi ESC environment "${given.environment}"`;
  try {
    await ask(given, `reading environment "${given.environment}"`, (esc, path) => esc.getEnvironment(...path));
    return { ok: true, what: `${what} is reached` };
  } catch (error) {
    if (!(error instanceof StacklingError)) throw error;
    const remedy = "correct the options `environment` and `accessToken` of the secrets driver";
    return { ok: false, what: error.userMessage, remedy };
  }
}

async function ask<T>(
  { environment, accessToken, apiUrl }: Options,
  action: string,
  work: (esc: EscApi, path: [organization: string, project: string, environment: string]) => Promise<T>,
): Promise<T> {
  const token = await readCredential(accessToken, "Pulumi's access token");
  const [organization = "", project = "", name = ""] = environment.split("/");
  const configuration = new Configuration({
    accessToken: token,
    baseOptions: { timeout: ANSWER_WITHIN_MS, maxRedirects: 0 },
  });
  const esc = new EscApi(configuration);
  // Set afterwards, because the client (0.12) drops the port of one that it is given.
  configuration.basePath = `${apiUrl.replace(/\/+$/, "")}/api/esc`;
  try {
    return await work(esc, [organization, project, name]);
  } catch (error) {
    // The SDK's own error holds the request with its token, so it goes nowhere.
    throw refusal(action, statusOf(error));
  }
}

function refusal(action: string, status: number | undefined): StacklingError {
  if (status === undefined || status >= 500 || status === 429) {
    return new StacklingError({
      reason: "TargetUnreachable",
      userMessage: `${action}: Pulumi ESC does not answer now`,
    });
  }
  if (status === 404) {
    return new StacklingError({
      reason: "TargetInvalid",
      userMessage: `${action}: there is none, or the access token does not see it`,
    });
  }
  const why = status === 401 || status === 403 ? "the access token is refused" : `it is refused with HTTP ${status}`;
  return new StacklingError({ reason: "TargetForbidden", userMessage: `${action}: ${why}` });
}

const failure = z.object({ response: z.object({ status: z.number() }) });

function statusOf(error: unknown): number | undefined {
  return failure.safeParse(error).data?.response.status;
}
