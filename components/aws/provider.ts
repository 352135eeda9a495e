/** The explicit Pulumi provider of one component; tags come from the program's transform. */
import { Provider } from "@pulumi/aws/provider.js";
import type { ComponentResourceOptions } from "@pulumi/pulumi";
import { engineVariable, hiding } from "../credential.ts";
import { type Account, accessKeys, type KeyReferences, profileFiles } from "./account.ts";

/** Services that our components make resources of, by the provider's words for `endpoints`. */
const SERVICES = [
  "ecs",
  "ec2",
  "elbv2",
  "iam",
  "logs",
  "rds",
  "route53",
  "scheduler",
  "secretsmanager",
  "servicediscovery",
  "sts",
] as const;

/**
 * A provider for this account and nothing else that the environment says. Access keys come from the
 * engine's environment, see `engineVariable`; neither they nor roles and profiles lie in the state. Throws
 * `TerminalError` (`TargetInvalid`) for an access key that is not set.
 */
export function createAwsProvider(
  name: string,
  account: Account,
  opts: Pick<ComponentResourceOptions, "parent">,
): Provider {
  const { region, credentials, assumeRole, endpoint } = account;
  const keys = typeof credentials === "object" && "accessKeyId" in credentials ? credentials : undefined;
  if (keys) accessKeys(keys);
  const envVarMappings = keys ? keyMappings(keys) : hiding(...FOREIGN[credentials === "instance" ? "role" : "profile"]);
  return new Provider(
    name,
    {
      region,
      skipMetadataApiCheck: credentials !== "instance",
      ...(typeof credentials === "object" && "profile" in credentials && profileOf(credentials)),
      ...(assumeRole && {
        assumeRoles: [
          {
            roleArn: assumeRole.arn,
            sessionName: assumeRole.sessionName,
            ...(assumeRole.externalId !== undefined && { externalId: assumeRole.externalId }),
          },
        ],
      }),
      ...(endpoint !== undefined && {
        endpoints: [Object.fromEntries(SERVICES.map((service) => [service, endpoint]))],
      }),
    },
    { ...opts, envVarMappings },
  );
}

function profileOf(credentials: { readonly profile: string; readonly folder?: string }) {
  const { config, secrets } = profileFiles(credentials);
  return { profile: credentials.profile, sharedConfigFiles: [config], sharedCredentialsFiles: [secrets] };
}

function keyMappings({ accessKeyId, secretAccessKey, sessionToken }: KeyReferences): Record<string, string> {
  return {
    [engineVariable(accessKeyId)]: "AWS_ACCESS_KEY_ID",
    [engineVariable(secretAccessKey)]: "AWS_SECRET_ACCESS_KEY",
    ...(sessionToken ? { [engineVariable(sessionToken)]: "AWS_SESSION_TOKEN" } : {}),
    ...hiding(...FOREIGN.keys, ...(sessionToken ? [] : ["AWS_SESSION_TOKEN"])),
  };
}

/** Of engines' environment, by what is chosen: what a backend is reached with, and the machine's own role. */
const FOREIGN = {
  role: ["AWS_ACCESS_KEY_ID", "AWS_PROFILE"],
  profile: ["AWS_ACCESS_KEY_ID"],
  keys: [
    "AWS_PROFILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
  ],
} as const;
