/** The containers of a resource, in one shape for Kubernetes, ECS and this machine. */
import type { Resource } from "./rules.ts";
import { listOf, type Properties, parsed, recordOf } from "./values.ts";

export interface PodSpec {
  readonly spec: Properties;
}

export interface Container {
  readonly name: string;
  readonly image?: string;
  readonly memoryMiB?: number;
  /** 1 = one core. */
  readonly cpu?: number;
  /** As Kubernetes calls it; ECS' `privileged` beside it. */
  readonly security: Properties;
}

/** The pod that a Kubernetes workload makes; undefined for everything else. */
export function podOf({ type, props }: Resource): PodSpec | undefined {
  if (!type.startsWith("kubernetes:")) return undefined;
  const kind = type.slice(type.lastIndexOf(":") + 1);
  const spec = recordOf(props.spec);
  if (kind === "Pod") return { spec };
  const job = kind === "CronJob" ? recordOf(recordOf(spec.jobTemplate).spec) : spec;
  const template = recordOf(job.template);
  return "spec" in template ? { spec: recordOf(template.spec) } : undefined;
}

export function containersOf(resource: Resource): readonly Container[] {
  const pod = podOf(resource);
  if (pod) return ["initContainers", "containers", "ephemeralContainers"].flatMap((list) => inPod(pod, list));
  if (resource.type === "aws:ecs/taskDefinition:TaskDefinition") return inTask(resource.props);
  if (resource.type === "stackling:local:Service") return [onThisMachine(recordOf(resource.props.service))];
  return [];
}

/** What a container does not set itself it has from its pod. */
function inPod({ spec }: PodSpec, list: string): readonly Container[] {
  return listOf(spec[list]).map((container) => {
    const limits = recordOf(recordOf(container.resources).limits);
    return {
      ...named(container),
      ...sized(memory(limits.memory), cpu(limits.cpu)),
      security: { ...recordOf(spec.securityContext), ...recordOf(container.securityContext) },
    };
  });
}

/** Fargate sizes whole tasks, a container may have less. */
function inTask(props: Properties): readonly Container[] {
  const units = Number(props.cpu);
  return listOf(parsed(props.containerDefinitions)).map((container) => ({
    ...named(container),
    ...sized(Number(container.memory ?? props.memory), Number(container.cpu ?? units) / 1024),
    security: { privileged: container.privileged, runAsUser: container.user === "0" ? 0 : undefined },
  }));
}

function onThisMachine(service: Properties): Container {
  return { ...named(service), ...sized(Number(service.memoryMiB), Number(service.cpu)), security: {} };
}

function named({ name, image }: Properties): Pick<Container, "name" | "image"> {
  return { name: String(name ?? ""), ...(typeof image === "string" && { image }) };
}

function sized(memoryMiB: number, cores: number): Pick<Container, "memoryMiB" | "cpu"> {
  return { ...(memoryMiB > 0 && { memoryMiB }), ...(cores > 0 && { cpu: cores }) };
}

const MEBIBYTES: Readonly<Record<string, number>> = {
  "": 2 ** -20,
  K: 1000 / 2 ** 20,
  M: 1e6 / 2 ** 20,
  G: 1e9 / 2 ** 20,
  Ki: 2 ** -10,
  Mi: 1,
  Gi: 2 ** 10,
  Ti: 2 ** 20,
};

/** MiB of `512Mi`, `2Gi`, …; NaN when it is not said. Kubernetes docs, "Resource units". */
function memory(quantity: unknown): number {
  const [, amount, unit = ""] = /^([\d.]+)([KMGT]i?)?$/.exec(String(quantity ?? "")) ?? [];
  return Number(amount) * (MEBIBYTES[unit] ?? Number.NaN);
}

/** Cores of `500m` or `2`. */
function cpu(quantity: unknown): number {
  const [, amount, milli] = /^([\d.]+)(m)?$/.exec(String(quantity ?? "")) ?? [];
  return Number(amount) / (milli ? 1000 : 1);
}
