/** The explicit Pulumi provider of one component; tags come from the program's transform. */
import { Provider } from "@pulumi/aws/provider.js";
import { type ComponentResourceOptions, secret } from "@pulumi/pulumi";
import { type Account, accessKeys, profileFiles } from "./account.ts";

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
 * A provider for this account and nothing the environment says. Access keys lie in the state as
 * secrets, so that a preview can be destroyed without its program; roles and profiles leave none there.
 */
export function createAwsProvider(
  name: string,
  account: Account,
  opts: Pick<ComponentResourceOptions, "parent">,
): Provider {
  const { region, credentials, assumeRole, endpoint } = account;
  return new Provider(
    name,
    {
      region,
      skipMetadataApiCheck: credentials !== "instance",
      ...identity(credentials),
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
    opts,
  );
}

function identity(credentials: Account["credentials"]) {
  if (credentials === "instance") return {};
  if ("profile" in credentials) {
    const { config, secrets } = profileFiles(credentials);
    return { profile: credentials.profile, sharedConfigFiles: [config], sharedCredentialsFiles: [secrets] };
  }
  const keys = accessKeys(credentials);
  return {
    accessKey: secret(keys.accessKeyId),
    secretKey: secret(keys.secretAccessKey),
    ...("sessionToken" in keys && { token: secret(keys.sessionToken) }),
  };
}
