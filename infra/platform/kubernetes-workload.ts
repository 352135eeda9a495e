import { Deployment } from "@pulumi/kubernetes/apps/v1/deployment.js";
import type { Input } from "@pulumi/pulumi";
import { GRACE_SECONDS, PORT, USER } from "./install.ts";
import type { KubernetesPlatformArgs, Site } from "./kubernetes.ts";

interface WorkloadArgs extends Pick<KubernetesPlatformArgs, "image" | "replicas"> {
  /** Names of what the pods use. */
  readonly account: Input<string>;
  readonly configurationMap: Input<string>;
  readonly environmentSecret: Input<string>;
}

/** The service's replicas. Their data folders are of one life: what must survive lies in store and backend. */
export function createWorkload({ namespace, selector, childName, parent }: Site, args: WorkloadArgs): Deployment {
  return new Deployment(
    childName("workload"),
    {
      metadata: { name: "stackling", namespace, labels: selector },
      spec: {
        replicas: args.replicas,
        selector: { matchLabels: selector },
        strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
        template: {
          metadata: { labels: selector },
          spec: {
            serviceAccountName: args.account,
            automountServiceAccountToken: true,
            terminationGracePeriodSeconds: GRACE_SECONDS,
            securityContext: {
              runAsNonRoot: true,
              runAsUser: USER,
              runAsGroup: USER,
              fsGroup: USER,
              seccompProfile: { type: "RuntimeDefault" },
            },
            topologySpreadConstraints: [
              {
                maxSkew: 1,
                topologyKey: "kubernetes.io/hostname",
                whenUnsatisfiable: "ScheduleAnyway",
                labelSelector: { matchLabels: selector },
              },
            ],
            containers: [container(args)],
            volumes: [
              { name: "configuration", configMap: { name: args.configurationMap } },
              { name: "data", emptyDir: { sizeLimit: "10Gi" } },
              { name: "tmp", emptyDir: { sizeLimit: "2Gi" } },
            ],
          },
        },
      },
    },
    { parent },
  );
}

function container({ image, environmentSecret }: WorkloadArgs) {
  return {
    name: "stackling",
    image,
    args: ["serve", "--config", "/etc/stackling/stackling.yaml", "--host", "0.0.0.0", "--port", String(PORT)],
    ports: [{ name: "http", containerPort: PORT }],
    envFrom: [{ secretRef: { name: environmentSecret } }],
    // A new version takes over once everything it needs has answered. From then on only the process counts:
    // what it needs is the same for every replica, and a forge that is away must not take the previews along.
    startupProbe: { ...probe("/readyz"), periodSeconds: 5, failureThreshold: 120 },
    livenessProbe: { ...probe("/healthz"), periodSeconds: 15, failureThreshold: 4 },
    readinessProbe: { ...probe("/healthz"), periodSeconds: 5, failureThreshold: 2 },
    resources: { requests: { cpu: "500m", memory: "1Gi" }, limits: { memory: "3Gi" } },
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    },
    volumeMounts: [
      { name: "configuration", mountPath: "/etc/stackling", readOnly: true },
      { name: "data", mountPath: "/data" },
      { name: "tmp", mountPath: "/tmp" },
    ],
  };
}

function probe(path: string) {
  return { httpGet: { path, port: "http" }, timeoutSeconds: 4 };
}
