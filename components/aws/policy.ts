/** The least Stackling must be allowed at AWS. Pure. */

export interface PolicyInput {
  /** Twelve digits. */
  readonly accountId: string;
  readonly region: string;
  /** `aws`, `aws-cn` or `aws-us-gov`. */
  readonly partition?: string;
  /** Name of the ECS cluster; any when absent. */
  readonly cluster?: string;
  /** Hosted zone for the dns driver `route53`; without one, nothing of Route 53 is allowed. */
  readonly hostedZoneId?: string;
  /** Listener of a shared load balancer, for `edge: direct`. */
  readonly listenerArn?: string;
  /** Boundary that every role must bear which Stackling makes. */
  readonly permissionsBoundary?: string;
  /** Managed policies that it may attach: the option `taskPolicies`. */
  readonly taskPolicies?: readonly string[];
}

export interface PolicyStatement {
  readonly Sid: string;
  readonly Effect: "Allow";
  readonly Action: readonly string[];
  readonly Resource: readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

export interface PolicyDocument {
  readonly Version: "2012-10-17";
  readonly Statement: readonly PolicyStatement[];
}

/**
 * An IAM policy for the role or user that Stackling runs as: what the drivers `ecs`, `route53` and
 * `aws` (secrets) call, on names of ours where AWS can tell them apart.
 */
export function stacklingPolicy(input: PolicyInput): PolicyDocument {
  return {
    Version: "2012-10-17",
    Statement: [
      look(),
      ...run(input),
      ...discover(input),
      ...logs(input),
      ...secrets(input),
      ...roles(input),
      ...schedules(input),
      ...edge(input),
      ...dns(input),
    ],
  };
}

/** AWS knows no resource for these. */
function look(): PolicyStatement {
  return allow(
    "Look",
    [
      "ec2:DescribeSecurityGroupRules",
      "ecs:DeregisterTaskDefinition",
      "ecs:DescribeClusters",
      "ecs:DescribeTaskDefinition",
      "ecs:ListServices",
      "ecs:ListTasks",
      "elasticloadbalancing:DescribeListeners",
      "elasticloadbalancing:DescribeLoadBalancers",
      "elasticloadbalancing:DescribeRules",
      "elasticloadbalancing:DescribeTags",
      "elasticloadbalancing:DescribeTargetGroupAttributes",
      "elasticloadbalancing:DescribeTargetGroups",
      "elasticloadbalancing:DescribeTargetHealth",
      "iam:ListRoles",
      "logs:DescribeLogGroups",
      "servicediscovery:DiscoverInstances",
      "servicediscovery:GetOperation",
      "servicediscovery:ListServices",
      "secretsmanager:ListSecrets",
      "tag:GetResources",
    ],
    ["*"],
  );
}

function run(input: PolicyInput): PolicyStatement[] {
  const arn = arns(input, "ecs");
  const cluster = input.cluster ?? "*";
  return [
    allow(
      "Services",
      ["ecs:CreateService", "ecs:DeleteService", "ecs:DescribeServices", "ecs:UpdateService"],
      [arn(`service/${cluster}/*`)],
    ),
    allow("Tasks", ["ecs:DescribeTasks", "ecs:StopTask"], [arn(`task/${cluster}/*`)]),
    allow("RunTasks", ["ecs:RegisterTaskDefinition", "ecs:RunTask"], [arn("task-definition/*")]),
    allow(
      "TagTasks",
      ["ecs:ListTagsForResource", "ecs:TagResource", "ecs:UntagResource"],
      [arn(`service/${cluster}/*`), arn(`task/${cluster}/*`), arn("task-definition/*")],
    ),
  ];
}

function discover(input: PolicyInput): PolicyStatement[] {
  const arn = arns(input, "servicediscovery");
  const both = [arn("namespace/*"), arn("service/*")];
  return [
    allow("NameServices", ["servicediscovery:CreateService", "servicediscovery:GetNamespace"], both),
    allow(
      "Names",
      [
        "servicediscovery:DeleteService",
        "servicediscovery:DeregisterInstance",
        "servicediscovery:GetService",
        "servicediscovery:ListInstances",
        "servicediscovery:ListTagsForResource",
        "servicediscovery:TagResource",
        "servicediscovery:UntagResource",
        "servicediscovery:UpdateService",
      ],
      [arn("service/*")],
    ),
  ];
}

function logs(input: PolicyInput): PolicyStatement[] {
  const arn = arns(input, "logs");
  return [
    allow(
      "Logs",
      [
        "logs:CreateLogGroup",
        "logs:CreateLogStream",
        "logs:DeleteLogGroup",
        "logs:DeleteLogStream",
        "logs:DescribeLogStreams",
        "logs:FilterLogEvents",
        "logs:GetLogEvents",
        "logs:ListTagsForResource",
        "logs:PutRetentionPolicy",
        "logs:TagResource",
        "logs:UntagResource",
      ],
      [arn("log-group:/stackling/*"), arn("log-group:/stackling/*:*")],
    ),
  ];
}

function secrets(input: PolicyInput): PolicyStatement[] {
  return [
    allow(
      "Secrets",
      [
        "secretsmanager:CreateSecret",
        "secretsmanager:DeleteSecret",
        "secretsmanager:DescribeSecret",
        "secretsmanager:GetResourcePolicy",
        "secretsmanager:GetSecretValue",
        "secretsmanager:PutSecretValue",
        "secretsmanager:TagResource",
        "secretsmanager:UntagResource",
        "secretsmanager:UpdateSecret",
        "secretsmanager:UpdateSecretVersionStage",
      ],
      [arns(input, "secretsmanager")("secret:stackling/*")],
    ),
  ];
}

/** Roles are made below one path only, and passed to nothing but tasks and their schedules. */
function roles(input: PolicyInput): PolicyStatement[] {
  const { partition = "aws", accountId, permissionsBoundary, taskPolicies = [] } = input;
  const ours = [`arn:${partition}:iam::${accountId}:role/stackling/*`];
  const boundary =
    permissionsBoundary === undefined
      ? {}
      : { Condition: { StringEquals: { "iam:PermissionsBoundary": permissionsBoundary } } };
  return [
    { ...allow("MakeRoles", ["iam:CreateRole", "iam:PutRolePolicy"], ours), ...boundary },
    allow(
      "Roles",
      [
        "iam:DeleteRole",
        "iam:DeleteRolePolicy",
        "iam:DetachRolePolicy",
        "iam:GetRole",
        "iam:GetRolePolicy",
        "iam:ListAttachedRolePolicies",
        "iam:ListInstanceProfilesForRole",
        "iam:ListRolePolicies",
        "iam:TagRole",
        "iam:UntagRole",
        "iam:UpdateAssumeRolePolicy",
      ],
      ours,
    ),
    ...(taskPolicies.length > 0
      ? [
          {
            ...allow("AttachPolicies", ["iam:AttachRolePolicy"], ours),
            Condition: { ArnEquals: { "iam:PolicyARN": taskPolicies } },
          },
        ]
      : []),
    {
      ...allow("PassRoles", ["iam:PassRole"], ours),
      Condition: { StringEquals: { "iam:PassedToService": ["ecs-tasks.amazonaws.com", "scheduler.amazonaws.com"] } },
    },
  ];
}

function schedules(input: PolicyInput): PolicyStatement[] {
  const arn = arns(input, "scheduler");
  return [
    allow(
      "Schedules",
      [
        "scheduler:CreateSchedule",
        "scheduler:CreateScheduleGroup",
        "scheduler:DeleteSchedule",
        "scheduler:DeleteScheduleGroup",
        "scheduler:GetSchedule",
        "scheduler:GetScheduleGroup",
        "scheduler:ListTagsForResource",
        "scheduler:TagResource",
        "scheduler:UntagResource",
        "scheduler:UpdateSchedule",
      ],
      [arn("schedule/*"), arn("schedule-group/*")],
    ),
    allow("ListSchedules", ["scheduler:ListSchedules"], ["*"]),
  ];
}

function edge(input: PolicyInput): PolicyStatement[] {
  const { listenerArn } = input;
  if (listenerArn === undefined) return [];
  const rules = `${listenerArn.replace(":listener/", ":listener-rule/")}/*`;
  const groups = arns(input, "elasticloadbalancing")("targetgroup/*");
  return [
    allow("MakeRules", ["elasticloadbalancing:CreateRule"], [listenerArn]),
    allow(
      "Edge",
      [
        "elasticloadbalancing:AddTags",
        "elasticloadbalancing:CreateTargetGroup",
        "elasticloadbalancing:DeleteRule",
        "elasticloadbalancing:DeleteTargetGroup",
        "elasticloadbalancing:ModifyRule",
        "elasticloadbalancing:ModifyTargetGroup",
        "elasticloadbalancing:ModifyTargetGroupAttributes",
        "elasticloadbalancing:RemoveTags",
        "elasticloadbalancing:SetRulePriorities",
      ],
      [rules, groups],
    ),
  ];
}

function dns({ partition = "aws", hostedZoneId }: PolicyInput): PolicyStatement[] {
  if (hostedZoneId === undefined) return [];
  return [
    allow(
      "Records",
      ["route53:ChangeResourceRecordSets", "route53:GetHostedZone", "route53:ListResourceRecordSets"],
      [`arn:${partition}:route53:::hostedzone/${hostedZoneId}`],
    ),
    allow("RecordChanges", ["route53:GetChange"], [`arn:${partition}:route53:::change/*`]),
  ];
}

function arns({ partition = "aws", region, accountId }: PolicyInput, service: string) {
  return (resource: string) => `arn:${partition}:${service}:${region}:${accountId}:${resource}`;
}

function allow(Sid: string, Action: readonly string[], Resource: readonly string[]): PolicyStatement {
  return { Sid, Effect: "Allow", Action, Resource };
}
