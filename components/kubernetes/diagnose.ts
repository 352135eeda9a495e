/** What pods and events say about a version that does not come up, in a person's words. Pure. */
import type { CoreV1Event, V1ContainerStatus, V1Pod } from "@kubernetes/client-node";

/** What the cluster shows of one service's new version. */
export interface Sight {
  readonly service: string;
  readonly kind: "web" | "worker" | "cron" | "job" | "task";
  readonly healthPath?: string | undefined;
  readonly pods: readonly V1Pod[];
  readonly events: readonly CoreV1Event[];
  /** Why no pod could be made, as the ReplicaSet or Job says it. */
  readonly refusal?: string | undefined;
}

export interface Diagnosis {
  readonly reason:
    | "ImagePullFailed"
    | "QuotaExceeded"
    | "Unschedulable"
    | "StartFailed"
    | "PortNotOpen"
    | "HealthCheckFailed";
  /** What happened, to stand behind `starting service "web": `. */
  readonly message: string;
  /** For how long it may yet pass: 0 when waiting helps no more, endless when only the deadline tells. */
  readonly patienceMs: number;
  /** Container whose last lines explain it. */
  readonly log?: { readonly pod: string; readonly container: string; readonly previous: boolean };
}

const ENDLESS = Number.POSITIVE_INFINITY;

/** The first thing that is wrong; undefined while nothing is. */
export function diagnose(sight: Sight): Diagnosis | undefined {
  if (sight.refusal !== undefined) return refused(sight.refusal);
  const pods = sight.pods.filter(({ metadata }) => !metadata?.deletionTimestamp);
  const containers = pods.flatMap((pod) => statusesOf(pod).map((status) => ({ pod, status })));
  for (const { pod, status } of containers) {
    const found = killedByProbe(sight, pod, status) ?? waitingFault(pod, status) ?? terminatedFault(pod, status);
    if (found) return found;
  }
  for (const pod of pods) {
    const found = unschedulable(pod) ?? failedMount(pod, sight.events);
    if (found) return found;
  }
  for (const { pod, status } of containers) {
    const found = unready(sight, pod, status);
    if (found) return found;
  }
  return undefined;
}

function refused(message: string): Diagnosis {
  // A roll of another service may hold the room for a moment.
  const quota = /exceeded quota: .*/.exec(message)?.[0];
  if (quota) return { reason: "QuotaExceeded", message: `the preview's quota is full (${quota})`, patienceMs: 10_000 };
  return { reason: "StartFailed", message: `the cluster refuses its pods: ${message}`, patienceMs: 0 };
}

/** Reasons as the kubelet writes them: `pkg/kubelet/images/types.go` and `kuberuntime` of Kubernetes. */
function waitingFault(pod: V1Pod, status: V1ContainerStatus): Diagnosis | undefined {
  const waiting = status.state?.waiting;
  // Which image it is stands before it.
  const words = waiting?.message?.replace(/^Back-off pulling image "[^"]*":? ?/, "");
  const told = words ? `: ${words}` : "";
  switch (waiting?.reason) {
    case "ErrImagePull":
    case "ImagePullBackOff":
    case "InvalidImageName":
    case "ErrImageNeverPull":
    case "RegistryUnavailable":
      return {
        reason: "ImagePullFailed",
        message: `image "${imageOf(pod, status)}" cannot be pulled${told}`,
        // The first failure may be the registry's hiccup; the kubelet tries again before it backs off.
        patienceMs: waiting.reason === "ErrImagePull" ? 10_000 : 0,
      };
    case "CrashLoopBackOff":
      return crashed(pod, status, status.lastState?.terminated, true);
    case "CreateContainerConfigError":
    case "CreateContainerError":
    case "RunContainerError":
      // What it refers to may still be made, such as a Secret by External Secrets.
      return {
        reason: "StartFailed",
        message: `container "${status.name}" cannot be made${told}`,
        patienceMs: /not found/.test(told) ? ENDLESS : 0,
      };
    default:
      return undefined;
  }
}

function terminatedFault(pod: V1Pod, status: V1ContainerStatus): Diagnosis | undefined {
  const ended = status.state?.terminated;
  if (!ended || ended.exitCode === 0) return undefined;
  return crashed(pod, status, ended, false);
}

function crashed(
  pod: V1Pod,
  status: V1ContainerStatus,
  ended: NonNullable<V1ContainerStatus["state"]>["terminated"],
  previous: boolean,
): Diagnosis {
  const { name, restartCount } = status;
  const limit = pod.spec?.containers.find((container) => container.name === name)?.resources?.limits?.memory;
  const how =
    ended?.reason === "OOMKilled"
      ? `was killed because it used more than its ${limit ?? "limit of"} memory`
      : ended?.exitCode === undefined
        ? "ended"
        : `exited with code ${ended.exitCode}`;
  const times = restartCount > 1 ? ` ${restartCount} times` : "";
  return {
    reason: "StartFailed",
    message: `container "${name}" ${how}${times}`,
    patienceMs: previous ? 0 : ENDLESS,
    log: logOf(pod, status, previous),
  };
}

function unschedulable({ status }: V1Pod): Diagnosis | undefined {
  const scheduled = status?.conditions?.find(({ type }) => type === "PodScheduled");
  if (scheduled?.status !== "False" || scheduled.reason !== "Unschedulable") return undefined;
  // An autoscaler may be at it.
  const message = `no node takes its pod: ${scheduled.message ?? "the scheduler does not say why"}`;
  return { reason: "Unschedulable", message, patienceMs: ENDLESS };
}

function failedMount(pod: V1Pod, events: readonly CoreV1Event[]): Diagnosis | undefined {
  if (pod.status?.phase !== "Pending") return undefined;
  const event = events.findLast(
    ({ reason, involvedObject }) =>
      (reason === "FailedMount" || reason === "FailedCreatePodSandBox") && involvedObject.uid === pod.metadata?.uid,
  );
  if (!event) return undefined;
  return {
    reason: "StartFailed",
    message: `its pod cannot start: ${event.message ?? event.reason}`,
    patienceMs: ENDLESS,
  };
}

/** The kubelet ends a container that does not answer in time; what it exits with then says nothing. */
function killedByProbe(sight: Sight, pod: V1Pod, status: V1ContainerStatus): Diagnosis | undefined {
  if (status.restartCount === 0 || status.ready) return undefined;
  const killed = eventOf(sight, pod, "Killing")?.message ?? "";
  if (!killed.includes("failed startup probe") || !killed.includes(status.name)) return undefined;
  const running = status.state?.running !== undefined;
  return { ...unanswered(sight, pod), patienceMs: 0, log: logOf(pod, status, !running) };
}

function unready(sight: Sight, pod: V1Pod, status: V1ContainerStatus): Diagnosis | undefined {
  if (status.ready || !status.state?.running || sight.kind !== "web" || status.name !== sight.service) return undefined;
  return { ...unanswered(sight, pod), patienceMs: ENDLESS, log: logOf(pod, status, false) };
}

function unanswered(sight: Sight, pod: V1Pod): Pick<Diagnosis, "reason" | "message"> {
  const probe = eventOf(sight, pod, "Unhealthy")?.message;
  const told = probe ? ` (${probe})` : "";
  return sight.healthPath === undefined
    ? { reason: "PortNotOpen", message: `nothing listens on its port (environment variable PORT)${told}` }
    : { reason: "HealthCheckFailed", message: `health path "${sight.healthPath}" does not answer well${told}` };
}

function eventOf(sight: Sight, pod: V1Pod, wanted: string): CoreV1Event | undefined {
  return sight.events.findLast(
    ({ reason, involvedObject }) => reason === wanted && involvedObject.uid === pod.metadata?.uid,
  );
}

function logOf(pod: V1Pod, { name }: V1ContainerStatus, previous: boolean): NonNullable<Diagnosis["log"]> {
  return { pod: pod.metadata?.name ?? "", container: name, previous };
}

function statusesOf({ status }: V1Pod): readonly V1ContainerStatus[] {
  return [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
}

/** As it was asked for: the status may hold what the runtime made of it. */
function imageOf({ spec }: V1Pod, { name, image }: V1ContainerStatus): string {
  const asked = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])].find((one) => one.name === name);
  return asked?.image ?? image;
}
