/** The roles of one preview's tasks: what ECS may do to start them, and what the application may do. */
import { Role } from "@pulumi/aws/iam/role.js";
import { RolePolicy } from "@pulumi/aws/iam/rolePolicy.js";
import { RolePolicyAttachment } from "@pulumi/aws/iam/rolePolicyAttachment.js";
import { all, type CustomResourceOptions, type Input, jsonStringify, type Output, type Resource } from "@pulumi/pulumi";
import type { EcsOptions } from "./ecs-options.ts";
import { logGroupName, thingName } from "./names.ts";

/** ARNs of what the execution role may read and write. */
export interface ExecutionNeeds {
  readonly logGroup: Input<string>;
  /** As in `valueFrom`: a key and version behind the ARN are left out of the policy. */
  readonly secrets: readonly Input<string>[];
}

export interface PreviewRole {
  readonly arn: Output<string>;
  /** What must be there before the role is of use. */
  readonly needs: readonly Resource[];
}

/** Of the role itself, whose name may be taken, and of what hangs on it. */
interface RoleOptions {
  readonly role: CustomResourceOptions;
  readonly child: CustomResourceOptions;
}

interface RoleInput {
  readonly stack: string;
  readonly options: Pick<
    EcsOptions,
    "region" | "repositories" | "taskPolicies" | "permissionsBoundary" | "registryCredentials"
  >;
}

/** Starts tasks: writes to the preview's log group, reads the preview's secrets, pulls from the listed repositories. */
export function executionRole(name: string, input: RoleInput, needs: ExecutionNeeds, opts: RoleOptions): PreviewRole {
  const { options } = input;
  const role = makeRole(name, { ...input, part: "execution", service: "ecs-tasks.amazonaws.com" }, opts.role);
  const secrets = all([...needs.secrets, ...Object.values(options.registryCredentials)]).apply((arns) =>
    [...new Set(arns.map(plainArn))].sort(),
  );
  const statements = all([needs.logGroup, secrets]).apply(([logGroup, readable]) => [
    allow(["logs:CreateLogStream", "logs:PutLogEvents"], [`${logGroup.replace(/:\*$/, "")}:*`]),
    ...(readable.length > 0 ? [allow(["secretsmanager:GetSecretValue"], readable)] : []),
    ...pullStatements(options.repositories),
  ]);
  return { arn: role.arn, needs: [role, attach(`${name}-policy`, role, statements, opts.child)] };
}

/** The application's own: nothing but the operator's `taskPolicies`. */
export function taskRole(name: string, input: RoleInput, opts: RoleOptions): PreviewRole {
  const role = makeRole(name, { ...input, part: "task", service: "ecs-tasks.amazonaws.com" }, opts.role);
  const attached = input.options.taskPolicies.map(
    (policyArn, index) =>
      new RolePolicyAttachment(`${name}-policy-${index}`, { role: role.name, policyArn }, opts.child),
  );
  return { arn: role.arn, needs: [role, ...attached] };
}

/** Lets EventBridge Scheduler start this preview's scheduled tasks and no others. */
export function schedulerRole(
  name: string,
  input: RoleInput,
  may: { readonly run: readonly Output<string>[]; readonly pass: readonly Output<string>[]; readonly cluster: string },
  opts: RoleOptions,
): PreviewRole {
  const role = makeRole(name, { ...input, part: "scheduler", service: "scheduler.amazonaws.com" }, opts.role);
  const statements = all([all([...may.run]), all([...may.pass])]).apply(([definitions, roles]) => {
    const beside = (part: string) => [...new Set(definitions.map((arn) => arn.replace(/:task-definition\/.*$/, part)))];
    return [
      {
        ...allow(
          ["ecs:RunTask"],
          definitions.map((definition) => definition.replace(/:\d+$/, ":*")),
        ),
        Condition: { ArnEquals: { "ecs:cluster": beside(`:cluster/${may.cluster}`) } },
      },
      // Or its tasks could not bear our tags.
      allow(["ecs:TagResource"], beside(`:task/${may.cluster}/*`)),
      {
        ...allow(["iam:PassRole"], roles),
        Condition: { StringEquals: { "iam:PassedToService": "ecs-tasks.amazonaws.com" } },
      },
    ];
  });
  return { arn: role.arn, needs: [role, attach(`${name}-policy`, role, statements, opts.child)] };
}

interface Statement {
  readonly Effect: "Allow";
  readonly Action: readonly string[];
  readonly Resource: readonly string[];
  readonly Condition?: Readonly<Record<string, unknown>>;
}

function makeRole(
  name: string,
  { stack, options, part, service }: RoleInput & { readonly part: string; readonly service: string },
  opts: CustomResourceOptions,
): Role {
  return new Role(
    name,
    {
      name: thingName(stack, part, 64),
      // Tells the stack of a role, whose name may be cut.
      path: `${logGroupName(stack)}/`,
      assumeRolePolicy: JSON.stringify({
        Version: "2012-10-17",
        Statement: [{ Effect: "Allow", Action: "sts:AssumeRole", Principal: { Service: service } }],
      }),
      ...(options.permissionsBoundary !== undefined && { permissionsBoundary: options.permissionsBoundary }),
    },
    opts,
  );
}

function attach(
  name: string,
  role: Role,
  statements: Output<readonly Statement[]>,
  opts: CustomResourceOptions,
): RolePolicy {
  const policy = jsonStringify({ Version: "2012-10-17", Statement: statements });
  return new RolePolicy(name, { role: role.name, name: "preview", policy }, opts);
}

function allow(actions: readonly string[], resources: readonly string[]): Statement {
  return { Effect: "Allow", Action: actions, Resource: resources };
}

/** A token for all of ECR is the only one there is; what it opens is what the second statement says. */
function pullStatements(repositories: readonly string[]): Statement[] {
  if (repositories.length === 0) return [];
  return [
    allow(["ecr:GetAuthorizationToken"], ["*"]),
    allow(["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"], repositories),
  ];
}

/** `arn:aws:secretsmanager:region:account:secret:name` of what may have `:key:stage:version` behind. */
function plainArn(valueFrom: string): string {
  return valueFrom.split(":").slice(0, 7).join(":");
}
