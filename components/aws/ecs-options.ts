/** What an operator says of ECS in `stackling.yaml`. */
import { z } from "zod";
import { proxyUrl } from "../service/proxy.ts";
import { accountShape } from "./account.ts";

const arn = (service: string) =>
  z.string().regex(new RegExp(`^arn:[a-z-]+:${service}:`), `must be an ARN of ${service}`);

/** Retentions that CloudWatch Logs knows: API reference, "PutRetentionPolicy". */
const RETENTIONS = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365] as const;

const direct = z.strictObject({
  listener: arn("elasticloadbalancing").describe(
    "HTTPS listener of a shared Application Load Balancer, with the wildcard certificate.",
  ),
  vpc: z.string().startsWith("vpc-").describe("VPC of the load balancer and the tasks."),
  deregistrationSeconds: z
    .int()
    .min(0)
    .max(3600)
    .default(15)
    .describe("How long an old version may finish what it was asked."),
  maximum: z
    .int()
    .min(1)
    .default(100)
    .describe("Rules, and target groups, that the load balancer may have: the account's quota, 100 unless raised."),
});

export const ecsOptions = z.strictObject({
  ...accountShape,
  cluster: z.string().min(1).max(255).describe("Name of the ECS cluster, with the Fargate capacity providers."),
  subnets: z
    .array(z.string().startsWith("subnet-"))
    .min(1)
    .describe("Where tasks run. Without a NAT gateway or private endpoints, tasks need `publicIp` to fetch images."),
  securityGroups: z
    .array(z.string().startsWith("sg-"))
    .min(1)
    .describe(
      "Security groups of the tasks: let in the gateway (or load balancer) and the tasks themselves; what they let out is all that previews reach.",
    ),
  proxy: proxyUrl.optional(),
  publicIp: z.boolean().default(false).describe("Gives each task a public address. Default `false`."),
  namespace: z
    .strictObject({
      id: z.string().startsWith("ns-"),
      name: z.string().regex(/^[a-z0-9-]+(\.[a-z0-9-]+)*$/),
    })
    .describe("Private DNS namespace (Cloud Map) in which services find each other and the gateway finds them."),
  discovery: z
    .enum(["instances", "dns"])
    .default("instances")
    .describe(
      "How the gateway finds a service: `instances` asks Cloud Map for a healthy task's address; `dns` uses its private name, which must resolve where the gateway runs. Default `instances`.",
    ),
  capacity: z
    .enum(["spot", "on-demand"])
    .default("spot")
    .describe("`spot` is cheaper by about 70 % and may be interrupted; migrations and seeds are always on demand."),
  architecture: z.enum(["X86_64", "ARM64"]).default("X86_64").describe("Of the images. Default `X86_64`."),
  logRetentionDays: z
    .literal(RETENTIONS)
    .default(7)
    .describe("How long CloudWatch keeps log lines of a living preview; its log group goes with the preview."),
  repositories: z
    .array(arn("ecr"))
    .default([])
    .describe("ECR repositories that tasks may pull from, by ARN. None: images come from elsewhere."),
  registryCredentials: z
    .record(z.string(), arn("secretsmanager"))
    .default({})
    .describe(
      "Secrets Manager secret with `username` and `password` by registry host, for private registries that are not ECR.",
    ),
  taskPolicies: z
    .array(arn("iam"))
    .default([])
    .describe("Managed policies of the application's own role. None: it may do nothing at AWS."),
  permissionsBoundary: arn("iam").optional().describe("Permissions boundary of every role that is made."),
  healthImage: z
    .string()
    .default("public.ecr.aws/docker/library/busybox:1.37.0")
    .describe("Image with `sh` and `nc` that asks a web service's health path beside it, where no load balancer does."),
  edge: z
    .union([z.literal("gateway"), z.strictObject({ direct })])
    .default("gateway")
    .describe(
      "`gateway`: previews are reached through Stackling's gateway. `{direct}`: a rule per web service on a shared load balancer; nobody sees its visits then, so that it falls asleep and wakes by a person's word only.",
    ),
});

export type EcsOptions = z.infer<typeof ecsOptions>;

/** What a load balancer shares with previews; undefined where the gateway is the edge. */
export function directEdge({ edge }: EcsOptions) {
  return edge === "gateway" ? undefined : edge.direct;
}
