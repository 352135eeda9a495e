import { getCallerIdentityOutput } from "@pulumi/aws/getCallerIdentity.js";
import { Policy } from "@pulumi/aws/iam/policy.js";
import { Role } from "@pulumi/aws/iam/role.js";
import { RolePolicy } from "@pulumi/aws/iam/rolePolicy.js";
import { RolePolicyAttachment } from "@pulumi/aws/iam/rolePolicyAttachment.js";
import { Secret } from "@pulumi/aws/secretsmanager/secret.js";
import { SecretVersion } from "@pulumi/aws/secretsmanager/secretVersion.js";
import {
  all,
  type Input,
  interpolate,
  jsonStringify,
  type Output,
  type Resource,
  secret as secretOutput,
} from "@pulumi/pulumi";
import { stacklingPolicy } from "../../components/aws/policy.ts";
import type { AwsPlatformArgs, Site } from "./aws.ts";

export interface Roles {
  /** ARN of the role that starts the service: it reads its secrets and image and writes its log. */
  readonly execution: Output<string>;
  /** ARN of the role that Stackling is: it makes previews and keeps their state. */
  readonly task: Output<string>;
  /** Where ECS reads one of the service's secrets, as `valueFrom` takes it. */
  readonly secret: (name: string) => Output<string>;
  /** What must be there before the roles are of use. */
  readonly needs: readonly Resource[];
}

interface RolesArgs extends AwsPlatformArgs {
  /** ARN of the state's bucket. */
  readonly bucket: Input<string>;
  /** Name of the previews' cluster. */
  readonly cluster: Input<string>;
  /** ARN of the load balancer's listener. */
  readonly listener: Input<string>;
  /** ARN of the log group. */
  readonly logs: Input<string>;
}

const TASKS_MAY_ASSUME = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: { Service: "ecs-tasks.amazonaws.com" }, Action: "sts:AssumeRole" }],
});

/** The two roles, and the one secret that holds every value, so that a task reads none but its own. */
export function createRoles(site: Site, args: RolesArgs): Roles {
  const { childName, parent } = site;
  const secrets = new Secret(childName("secrets"), { recoveryWindowInDays: 7 }, { parent });
  const version = new SecretVersion(
    childName("secrets-version"),
    { secretId: secrets.id, secretString: secretOutput(jsonStringify(args.secrets)) },
    { parent: secrets },
  );
  const role = (part: string) => new Role(childName(part), { assumeRolePolicy: TASKS_MAY_ASSUME }, { parent });
  const execution = role("execution");
  const task = role("role");
  const startUp = new RolePolicy(
    childName("execution-policy"),
    {
      role: execution.name,
      policy: jsonStringify({
        Version: "2012-10-17",
        Statement: [
          allow(["secretsmanager:GetSecretValue"], [secrets.arn]),
          allow(["logs:CreateLogStream", "logs:PutLogEvents"], [interpolate`${args.logs}:*`]),
          // The image's registry, where that is ECR: a token is of the whole account.
          allow(["ecr:GetAuthorizationToken"], ["*"]),
          allow(["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"], ["*"]),
        ],
      }),
    },
    { parent: execution },
  );
  const state = new RolePolicy(
    childName("role-state"),
    {
      role: task.name,
      policy: jsonStringify({
        Version: "2012-10-17",
        Statement: [
          allow(["s3:ListBucket", "s3:GetBucketLocation"], [args.bucket]),
          allow(["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], [interpolate`${args.bucket}/*`]),
          // A bill has no name that it could be.
          ...(args.costTags ? [allow(["ce:GetCostAndUsage", "ce:ListCostAllocationTags"], ["*"])] : []),
        ],
      }),
    },
    { parent: task },
  );
  return {
    execution: execution.arn,
    task: task.arn,
    secret: (name) => interpolate`${secrets.arn}:${name}::${version.versionId}`,
    needs: [startUp, state, previewRights(site, task, args)],
  };
}

function allow(actions: readonly string[], resources: readonly Input<string>[]) {
  return { Effect: "Allow", Action: [...actions], Resource: [...resources] };
}

/** The drivers say what they need, and get it in this cluster, zone and listener only. */
function previewRights({ childName, parent }: Site, task: Role, args: RolesArgs): Resource {
  const { region, zoneId, taskPolicies, permissionsBoundary } = args;
  const { accountId } = getCallerIdentityOutput({}, { parent });
  const rights = all([accountId, args.cluster, args.listener]).apply(([account, cluster, listenerArn]) =>
    stacklingPolicy({
      accountId: account,
      region,
      cluster,
      listenerArn,
      hostedZoneId: zoneId,
      taskPolicies,
      ...(permissionsBoundary === undefined ? {} : { permissionsBoundary }),
    }),
  );
  // A managed policy may be 6,144 characters, three times what a role's own may.
  const policy = new Policy(childName("role-previews"), { policy: jsonStringify(rights) }, { parent });
  return new RolePolicyAttachment(
    childName("role-previews-attached"),
    { role: task.name, policyArn: policy.arn },
    { parent: task },
  );
}
