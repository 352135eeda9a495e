/** The pod of a service, as the restricted Pod Security Standard wants it. Pure. */
import type * as input from "@pulumi/kubernetes/types/input.js";
import type { Input } from "@pulumi/pulumi";
import type { ServiceDefinition, SidecarDefinition } from "../ports.ts";
import { DEFAULT_PORT } from "./names.ts";
import { ACCOUNT } from "./namespace.ts";
import type { KubernetesOptions } from "./options.ts";
import { cpuQuantity, memoryQuantity } from "./quantities.ts";

type Container = input.core.v1.Container;
type PodSpec = input.core.v1.PodSpec;

/** What runs in a pod: a service, or a task in the image of one. */
export interface PodDefinition
  extends Pick<ServiceDefinition, "name" | "kind" | "directory" | "sidecars" | "cpu" | "memoryMiB"> {
  readonly image: string;
  readonly command?: string;
  readonly port?: number;
  readonly healthPath?: string;
  readonly startTimeoutSeconds: number;
  readonly readOnlyRoot?: boolean;
  /** ConfigMap that holds the flag definitions. */
  readonly flags?: string;
  readonly env: Input<Input<input.core.v1.EnvVar>[]>;
  readonly envFrom: Input<Input<input.core.v1.EnvFromSource>[]>;
}

type PodOptions = Pick<KubernetesOptions, "tolerations" | "nodeSelector" | "priorityClassName" | "runAsUser">;

/** Where the file with flag definitions is mounted, and what it is called there. */
const FLAGS_FOLDER = "/etc/stackling/flags";
export const FLAGS_FILE = "flags.json";
export const FLAGS_PATH = `${FLAGS_FOLDER}/${FLAGS_FILE}`;
/** Seconds between two questions whether a service is ready. */
const PROBE_SECONDS = 2;
/** Of a limit, what is set aside on the node: previews mostly wait. The default quota has the same share. */
const REQUESTED_SHARE = 0.5;

export function podSpec(pod: PodDefinition, options: PodOptions): PodSpec {
  const runsOn = pod.kind === "web" || pod.kind === "worker";
  const sidecars = pod.sidecars.map((sidecar) => sidecarContainer(pod, sidecar));
  return {
    serviceAccountName: ACCOUNT,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    securityContext: {
      runAsNonRoot: true,
      seccompProfile: { type: "RuntimeDefault" },
      ...(options.runAsUser !== undefined && { runAsUser: options.runAsUser }),
    },
    // A sidecar that started as an init container ends with the pod, else no Job would ever complete:
    // docs, "Sidecar Containers".
    ...(!runsOn &&
      sidecars.length > 0 && { initContainers: sidecars.map((one) => ({ ...one, restartPolicy: "Always" })) }),
    containers: [mainContainer(pod), ...(runsOn ? sidecars : [])],
    ...(!runsOn && { restartPolicy: "Never" }),
    ...volumes(pod),
    ...(options.tolerations.length > 0 && { tolerations: options.tolerations.map((one) => ({ ...one })) }),
    ...(Object.keys(options.nodeSelector).length > 0 && { nodeSelector: { ...options.nodeSelector } }),
    ...(options.priorityClassName !== undefined && { priorityClassName: options.priorityClassName }),
  };
}

/** Port a `web` service listens on, as its containers see it. */
export function portOf({ port = DEFAULT_PORT }: Pick<ServiceDefinition, "port">): number {
  return port;
}

function mainContainer(pod: PodDefinition): Container {
  return {
    name: pod.name,
    image: pod.image,
    ...shell(pod.command, pod.directory),
    env: pod.env,
    envFrom: pod.envFrom,
    resources: resourcesOf(pod),
    securityContext: securityContext(pod),
    ...(pod.kind === "web" && { ports: [{ name: "http", containerPort: portOf(pod) }], ...probes(pod) }),
    ...mounts(pod),
  };
}

function sidecarContainer(pod: PodDefinition, sidecar: SidecarDefinition): Container {
  return {
    name: sidecar.name,
    image: sidecar.image ?? pod.image,
    ...shell(sidecar.command, "."),
    env: pod.env,
    envFrom: pod.envFrom,
    securityContext: securityContext(pod),
    ...mounts(pod),
  };
}

/** Without a command the image's own entry point runs, in the image's own folder. */
function shell(command: string | undefined, directory: string): Pick<Container, "command"> {
  if (command === undefined) return {};
  const folder = directory.replace(/^\.\/?/, "");
  const there = folder === "" ? "" : `cd -- '${folder.replaceAll("'", `'\\''`)}' && `;
  return { command: ["/bin/sh", "-c", `${there}${command}`] };
}

function resourcesOf({ cpu, memoryMiB }: PodDefinition): Container["resources"] {
  return {
    requests: { cpu: cpuQuantity(cpu * REQUESTED_SHARE), memory: memoryQuantity(memoryMiB * REQUESTED_SHARE) },
    limits: { cpu: cpuQuantity(cpu), memory: memoryQuantity(memoryMiB) },
  };
}

function securityContext({ readOnlyRoot }: PodDefinition): Container["securityContext"] {
  return {
    allowPrivilegeEscalation: false,
    capabilities: { drop: ["ALL"] },
    ...(readOnlyRoot && { readOnlyRootFilesystem: true }),
  };
}

function volumes({ readOnlyRoot, flags }: PodDefinition): Pick<PodSpec, "volumes"> {
  const made = [
    ...(readOnlyRoot ? [{ name: "tmp", emptyDir: {} }] : []),
    ...(flags === undefined ? [] : [{ name: "flags", configMap: { name: flags } }]),
  ];
  return made.length > 0 ? { volumes: made } : {};
}

function mounts({ readOnlyRoot, flags }: PodDefinition): Pick<Container, "volumeMounts"> {
  const made = [
    ...(readOnlyRoot ? [{ name: "tmp", mountPath: "/tmp" }] : []),
    ...(flags === undefined ? [] : [{ name: "flags", mountPath: FLAGS_FOLDER, readOnly: true }]),
  ];
  return made.length > 0 ? { volumeMounts: made } : {};
}

/**
 * The first answer is waited for as long as the service may take to start; then a pod that stops
 * answering gets no traffic. None is restarted for being slow: a database at work would make that a loop.
 */
function probes(pod: PodDefinition): Pick<Container, "startupProbe" | "readinessProbe"> {
  const port = portOf(pod);
  const asks =
    pod.healthPath === undefined
      ? { tcpSocket: { port } }
      : // Development servers refuse hosts that they do not know.
        { httpGet: { path: pod.healthPath, port, httpHeaders: [{ name: "Host", value: "localhost" }] } };
  const every = { ...asks, periodSeconds: PROBE_SECONDS, timeoutSeconds: 5 };
  return {
    startupProbe: { ...every, failureThreshold: Math.max(1, Math.ceil(pod.startTimeoutSeconds / PROBE_SECONDS)) },
    readinessProbe: { ...every, failureThreshold: 3 },
  };
}
