/** What an operator writes into the stack's config, under `stackling-platform:settings`. */
import { z } from "zod";
import { accountShape } from "../../components/aws/account.ts";
import { options as clusterOptions } from "../../components/kubernetes/options.ts";

const secretName = z.string().regex(/^[A-Z][A-Z0-9_]*$/, "must be capital letters, digits and underscores");

const certificate = z
  .union([
    z.strictObject({ secretName: z.string().min(1) }),
    z.strictObject({
      issuer: z.string().min(1),
      kind: z.enum(["ClusterIssuer", "Issuer"]).default("ClusterIssuer"),
    }),
  ])
  .describe(
    "Certificate of the domain and of every name below it: a TLS secret in Stackling's namespace, or a cert-manager issuer. A wildcard needs an issuer that answers by DNS-01.",
  );

const entrance = z
  .union([
    z.strictObject({
      ingressClass: z.string().min(1),
      annotations: z.record(z.string(), z.string()).default({}),
    }),
    z.strictObject({ gatewayClass: z.string().min(1) }),
  ])
  .describe("Who brings visitors in: the class of an ingress controller, or of a Gateway API controller.");

const { kubeconfig, context } = clusterOptions.shape;

const kubernetes = z.strictObject({
  kubeconfig,
  context,
  namespace: z.string().default("stackling").describe("Stackling's own namespace, made here."),
  entrance,
  certificate,
  accountAnnotations: z
    .record(z.string(), z.string())
    .default({})
    .describe("Annotations of Stackling's service account, such as the role of a workload identity."),
  visitorCidrs: z
    .array(z.string())
    .default([])
    .describe(
      "Ranges of addresses that visitors come from where they are brought in by no pod: the subnets of a cloud's load balancer, or the nodes of a controller in their network. Pods outside of previews may always.",
    ),
  previewPriority: z
    .int()
    .max(-1, "must be below 0, so that previews are evicted before anything else")
    .default(-1000)
    .describe("Value of the PriorityClass `stackling-preview`."),
});

const budget = z.strictObject({
  monthlyUsd: z.number().positive(),
  emails: z.array(z.email()).min(1).max(10),
  costCenter: z.string().optional().describe("Counts only what bears this cost centre; the whole account by default."),
});

const { region, credentials, assumeRole } = accountShape;

const aws = z.strictObject({
  account: z.strictObject({ region, credentials, assumeRole }),
  vpcId: z.string().min(1),
  publicSubnetIds: z.array(z.string()).min(2, "a load balancer needs subnets in two availability zones"),
  privateSubnetIds: z.array(z.string()).min(1),
  zoneId: z.string().min(1).describe("Route 53 hosted zone that holds the domain."),
  allowedCidrs: z.array(z.string()).default(["0.0.0.0/0"]).describe("Who may open connections to the load balancer."),
  previewEgress: z
    .array(
      z.strictObject({
        to: z
          .string()
          .regex(
            /^(sg-[0-9a-z]+|pl-[0-9a-z]+|[0-9.]+\/\d{1,2}|[0-9a-f:]+\/\d{1,3})$/,
            "must be a security group (sg-…), a prefix list (pl-…) or a range of addresses such as 10.0.8.0/24",
          ),
        port: z.int().min(1).max(65535),
      }),
    )
    .optional()
    .describe(
      "All that previews reach beside each other and the VPC's DNS: the egress proxy, the database, and the endpoints of AWS that tasks start by (ECR, S3, CloudWatch Logs, Secrets Manager). Default: anything.",
    ),
  cpu: z.union([256, 512, 1024, 2048, 4096].map((value) => z.literal(value))).default(1024),
  memoryMiB: z.int().min(512).default(2048),
  logRetentionDays: z.union([1, 3, 7, 14, 30, 60, 90, 180, 365].map((value) => z.literal(value))).default(30),
  previewNamespace: z.string().default("previews.internal").describe("Private Cloud Map namespace of the previews."),
  taskPolicies: z.array(z.string()).default([]).describe("Managed policies that previews may be given, by ARN."),
  permissionsBoundary: z.string().optional().describe("Boundary that every role of a preview must bear, by ARN."),
  budget: budget.optional(),
  costTags: z
    .boolean()
    .default(false)
    .describe(
      "Activates our tags for the bill, and lets Stackling read it. AWS knows a tag only a day after something first bore it.",
    ),
});

/** Everything both clouds are told. */
const common = {
  image: z
    .string()
    .regex(/^[^\s@]+(:(?!latest$)[A-Za-z0-9_][A-Za-z0-9_.-]*|@sha256:[0-9a-f]{64})$/, {
      error: 'must name a version or a digest, never "latest", such as "registry.acme.dev/stackling:0.1.0"',
    })
    .describe("Stackling's own image."),
  domain: z
    .string()
    .regex(/^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$/, 'must be a name such as "preview.acme.dev"')
    .describe("Where people reach the service; previews are hosts below it."),
  replicas: z.int().min(1).default(2),
  configuration: z.string().min(1).default("stackling.yaml").describe("The operator's `stackling.yaml`, from here."),
  secrets: z
    .record(secretName, z.string().min(1))
    .describe("What `stackling.yaml` refers to by `{env: NAME}`. Set each with `pulumi config set --secret --path`."),
};

export const platformSettings = z
  .strictObject({ ...common, kubernetes: kubernetes.optional(), aws: aws.optional() })
  .refine((settings) => Boolean(settings.kubernetes) !== Boolean(settings.aws), {
    message: 'needs exactly one of "kubernetes" and "aws"',
  });

type Common = Omit<z.infer<typeof platformSettings>, "kubernetes" | "aws">;
export type KubernetesSettings = z.infer<typeof kubernetes>;
export type AwsSettings = z.infer<typeof aws>;
export type Settings = Common &
  (
    | { readonly kubernetes: KubernetesSettings; readonly aws?: undefined }
    | { readonly aws: AwsSettings; readonly kubernetes?: undefined }
  );

/** Throws an error that lists every problem with its path; never a value, for some are secret. */
export function readSettings(value: unknown): Settings {
  const parsed = platformSettings.safeParse(value);
  if (parsed.success) return parsed.data as Settings;
  const problems = parsed.error.issues.map(({ path, message }) => `  ${path.join(".") || "settings"}: ${message}`);
  throw new Error(`reading the config "stackling-platform:settings":\n${problems.join("\n")}`);
}
