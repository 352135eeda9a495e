/** Reads from the cluster what tells how a service or task is doing. */
import type { CoreV1Event, V1Deployment, V1Job, V1Pod, V1ReplicaSet } from "@kubernetes/client-node";
import { redact } from "../local/redact.ts";
import type { Cluster } from "./client.ts";
import type { Diagnosis, Sight } from "./diagnose.ts";
import { KIND_LABEL, SERVICE_LABEL } from "./names.ts";

type Reads = Pick<Cluster, "core" | "apps">;

const EXCERPT_LINES = 20;
const REVISION = "deployment.kubernetes.io/revision";

/** The pods of a Deployment's newest version, and why there are none. */
export async function lookAtDeployment({ core, apps }: Reads, deployment: V1Deployment): Promise<Sight> {
  const namespace = deployment.metadata?.namespace ?? "";
  const service = deployment.metadata?.labels?.[SERVICE_LABEL] ?? deployment.metadata?.name ?? "";
  const labelSelector = `${SERVICE_LABEL}=${service}`;
  const [sets, pods, events] = await Promise.all([
    apps.listNamespacedReplicaSet({ namespace, labelSelector }),
    core.listNamespacedPod({ namespace, labelSelector }),
    eventsOf(core, namespace),
  ]);
  const newest = newestSet(sets.items, deployment);
  const refusal = newest?.status?.conditions?.find(
    ({ type, status }) => type === "ReplicaFailure" && status === "True",
  );
  return {
    service,
    kind: kindOf(deployment.spec?.template.metadata?.labels?.[KIND_LABEL]),
    healthPath: healthPathOf(deployment, service),
    pods: pods.items.filter((pod) => pod.metadata?.ownerReferences?.some(({ uid }) => uid === newest?.metadata?.uid)),
    events,
    refusal: refusal?.message ?? (newest ? undefined : replicaFailure(deployment)),
  };
}

/** The pods of one Job, and why there are none. */
export async function lookAtJob({ core }: Pick<Cluster, "core">, job: V1Job): Promise<Sight> {
  const { namespace = "", name = "", uid } = job.metadata ?? {};
  const labelSelector = `batch.kubernetes.io/job-name=${name}`;
  const [pods, events] = await Promise.all([
    core.listNamespacedPod({ namespace, labelSelector }),
    eventsOf(core, namespace),
  ]);
  const refusal = events.findLast(
    ({ reason, involvedObject }) => reason === "FailedCreate" && involvedObject.uid === uid,
  );
  return {
    service: job.metadata?.labels?.[SERVICE_LABEL] ?? name,
    kind: kindOf(job.spec?.template.metadata?.labels?.[KIND_LABEL]),
    pods: pods.items,
    events,
    refusal: pods.items.length === 0 ? refusal?.message : undefined,
  };
}

/** The last lines of what failed, redacted; none where the cluster has no log of it. */
export async function readExcerpt(
  { core }: Pick<Cluster, "core">,
  namespace: string,
  { log }: Pick<Diagnosis, "log">,
  secrets: readonly string[],
): Promise<readonly string[]> {
  if (!log) return [];
  const { pod: name, container, previous } = log;
  try {
    const text = await core.readNamespacedPodLog({ namespace, name, container, previous, tailLines: EXCERPT_LINES });
    const lines = String(text ?? "")
      .split("\n")
      .filter((line) => line !== "");
    return lines.slice(-EXCERPT_LINES).map((line) => redact(line, secrets));
  } catch {
    // The failure itself is what matters; its container may be gone already.
    return [];
  }
}

async function eventsOf(core: Cluster["core"], namespace: string): Promise<readonly CoreV1Event[]> {
  const { items } = await core.listNamespacedEvent({ namespace, limit: 500 });
  return items.sort((a, b) => timeOf(a) - timeOf(b));
}

function timeOf(event: CoreV1Event): number {
  const time = event.lastTimestamp ?? event.eventTime ?? event.metadata.creationTimestamp;
  // The library leaves times with microseconds as they were sent, whatever their type says.
  return time === undefined ? 0 : new Date(time).getTime();
}

function newestSet(sets: readonly V1ReplicaSet[], deployment: V1Deployment): V1ReplicaSet | undefined {
  const revision = (set: V1ReplicaSet) => Number(set.metadata?.annotations?.[REVISION] ?? 0);
  return sets
    .filter(({ metadata }) => metadata?.ownerReferences?.some(({ uid }) => uid === deployment.metadata?.uid))
    .sort((a, b) => revision(a) - revision(b))
    .at(-1);
}

function replicaFailure({ status }: V1Deployment): string | undefined {
  return status?.conditions?.find(({ type, status: holds }) => type === "ReplicaFailure" && holds === "True")?.message;
}

function healthPathOf(deployment: V1Deployment, service: string): string | undefined {
  const container = deployment.spec?.template.spec?.containers.find(({ name }) => name === service);
  return container?.readinessProbe?.httpGet?.path;
}

function kindOf(label: string | undefined): Sight["kind"] {
  return label === "worker" || label === "cron" || label === "job" || label === "task" ? label : "web";
}

/** Pods of the whole preview by service, the oldest first. */
export async function podsOf(
  { core }: Pick<Cluster, "core">,
  namespace: string,
  service?: string,
): Promise<readonly V1Pod[]> {
  const labelSelector = service === undefined ? SERVICE_LABEL : `${SERVICE_LABEL}=${service}`;
  const { items } = await core.listNamespacedPod({ namespace, labelSelector });
  return items.sort(
    (a, b) => (a.metadata?.creationTimestamp?.getTime() ?? 0) - (b.metadata?.creationTimestamp?.getTime() ?? 0),
  );
}
