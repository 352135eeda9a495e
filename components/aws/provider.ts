/** The explicit Pulumi provider of one component; tags come from the program's transform. */
import { Provider } from "@pulumi/aws/provider.js";
import type { ComponentResourceOptions } from "@pulumi/pulumi";
import { engineVariable, NOTHING } from "../credential.ts";
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
  // A backend's keys are in that environment too: they are neither a profile nor the machine's role.
  const envVarMappings = keys ? keyMappings(keys) : { [NOTHING]: "AWS_ACCESS_KEY_ID" };
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

/** A backend's session token must not go with keys of the target's that have none. */
function keyMappings({ accessKeyId, secretAccessKey, sessionToken }: KeyReferences): Record<string, string> {
  return {
    [engineVariable(accessKeyId)]: "AWS_ACCESS_KEY_ID",
    [engineVariable(secretAccessKey)]: "AWS_SECRET_ACCESS_KEY",
    [sessionToken ? engineVariable(sessionToken) : NOTHING]: "AWS_SESSION_TOKEN",
  };
}
