/** What an operator says of a cluster in `stackling.yaml`. */
import { z } from "zod";
import { credential } from "../credential.ts";
import { proxyUrl } from "../service/proxy.ts";
import { reach } from "./reach.ts";

const labels = z.record(z.string(), z.string());

/** Who may be talked to: pods of a namespace, or addresses. */
const peer = z.union([
  z.strictObject({
    namespace: z.string().describe("Name of the namespace."),
    pods: labels.optional().describe("Labels of its pods; all of them by default."),
  }),
  z.strictObject({
    cidr: z.string().describe("Range of IP addresses, such as `10.0.3.0/24`."),
    except: z.array(z.string()).optional().describe("Ranges inside it that stay closed."),
  }),
]);

const egress = z.strictObject({
  to: peer,
  ports: z.array(z.int().min(1).max(65535)).optional().describe("TCP ports; all by default."),
});

const tls = z
  .union([z.literal("controller"), z.strictObject({ secretName: z.string() }), z.strictObject({ issuer: z.string() })])
  .default("controller")
  .describe(
    "`controller`: the ingress controller's own (wildcard) certificate. `{secretName}`: a TLS secret that something copies into each preview's namespace. `{issuer}`: a cert-manager ClusterIssuer that makes one.",
  );

const direct = z.union([
  z.strictObject({
    ingressClass: z.string().describe("IngressClass of the controller that serves the previews."),
    annotations: labels.default({}),
    tls,
    address: z.string().optional().describe("Public name or IP address; read from the Ingress when absent."),
  }),
  z.strictObject({
    gateway: z
      .strictObject({ name: z.string(), namespace: z.string(), section: z.string().optional() })
      .describe("Gateway (Gateway API) whose listener holds the certificate; an HTTPRoute is made for each preview."),
    address: z.string().optional().describe("Public name or IP address; read from the Gateway when absent."),
  }),
]);

export const options = z.strictObject({
  kubeconfig: z
    .union([
      z.strictObject({ file: z.string().startsWith("/") }),
      z.strictObject({ env: z.string().min(1) }),
      z.literal("inCluster"),
    ])
    .describe(
      "Where the credentials lie: a kubeconfig file, an environment variable that holds its text, or `inCluster` for the service account Stackling runs as.",
    ),
  context: z.string().optional().describe("Context of the kubeconfig; its current one by default."),
  namespacePrefix: z
    .string()
    .regex(/^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$/)
    .default("preview")
    .describe("First part of each namespace's name. Two Stacklings on one cluster need two."),
  edge: z
    .union([z.literal("gateway"), z.strictObject({ direct })])
    .default("gateway")
    .describe(
      "`gateway`: previews are reached through Stackling's gateway. `{direct}`: each has its own Ingress or HTTPRoute; nobody sees its visits then, so that it falls asleep and wakes by a person's word only.",
    ),
  reach,
  quota: z
    .strictObject({
      requestsCpu: z.number().positive().default(2),
      requestsMemoryMiB: z.int().positive().default(4096),
      limitsCpu: z.number().positive().default(4),
      limitsMemoryMiB: z.int().positive().default(8192),
      pods: z.int().positive().default(15),
    })
    .prefault({})
    .describe("ResourceQuota of each preview."),
  network: z
    .strictObject({
      from: z
        .array(peer)
        .default([{ namespace: "stackling" }])
        .describe("Who may open connections to web services: the gateway, or the ingress controller."),
      dns: peer.default({ namespace: "kube-system" }).describe("Where names are looked up."),
      egress: z.array(egress).default([]).describe("Where previews may connect to: the database, allowed services."),
      proxy: z
        .strictObject({ url: proxyUrl, to: peer.describe("Where it runs.") })
        .optional()
        .describe("The way to named hosts outside: without one there is none."),
    })
    .prefault({})
    .describe("Exceptions of the NetworkPolicies, which deny both ways. Within a preview everything is open."),
  registryCredentials: credential
    .optional()
    .describe("Docker config JSON with which images are pulled, as `docker login` writes it."),
  serviceAccountAnnotations: z
    .record(z.string(), labels)
    .default({})
    .describe("Workload identity by repository, such as `eks.amazonaws.com/role-arn`."),
  priorityClassName: z
    .string()
    .optional()
    .describe("PriorityClass of the pods; a low one lets previews be evicted first."),
  tolerations: z
    .array(
      z.strictObject({
        key: z.string().optional(),
        operator: z.enum(["Exists", "Equal"]).default("Exists"),
        value: z.string().optional(),
        effect: z.enum(["NoSchedule", "PreferNoSchedule", "NoExecute"]).optional(),
      }),
    )
    .default([])
    .describe("Taints that pods bear, such as those of spot nodes."),
  nodeSelector: labels.default({}).describe("Labels of the nodes that pods may run on."),
  runAsUser: z.int().min(1).optional().describe("User id of the containers; the image's own, never root, by default."),
  scheduleTimeoutSeconds: z
    .number()
    .positive()
    .default(180)
    .describe("What a pod may take to get a node and its image, before its service's own start timeout counts."),
});

export type KubernetesOptions = z.infer<typeof options>;
export type Peer = z.infer<typeof peer>;
export type Egress = z.infer<typeof egress>;
export type DirectEdge = z.infer<typeof direct>;
