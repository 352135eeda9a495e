/** What is asked of a cluster outside Pulumi; the driver's operations. */

import { TerminalError } from "../errors.ts";
import type { Change, OperationContext, OwnedThing, Reach } from "../ports.ts";
import { removeNamespace, stuckWords } from "./claim.ts";
import { type Cluster, found, onCluster } from "./client.ts";
import { diagnose } from "./diagnose.ts";
import { lookAtDeployment } from "./look.ts";
import { clusterAddress, FIELD_MANAGER, KIND_LABEL, namespaceName, STACK_LABEL } from "./names.ts";
import type { KubernetesOptions } from "./options.ts";
import { readReach } from "./reach.ts";
import { awaitDeployment, isRolledOut } from "./rollout.ts";
import * as scale from "./scale.ts";

export { check } from "./check.ts";
export { logs } from "./logs.ts";

type Context = OperationContext<KubernetesOptions>;

/** How long a namespace's content may take to go before what holds it is told. */
const REMOVE_WAIT_MS = 20_000;
/** Where a Deployment does not say how long it may take. */
const WAKE_WAIT_SECONDS = 300;

/** Made of names alone, so that requests go on while the cluster's API is away. */
export async function address({ options, stack }: Context, service: string): Promise<string | undefined> {
  const { reach, namespacePrefix } = options;
  if (reach !== "cluster") return `${reach.host}:${reach.port}`;
  return clusterAddress(namespaceName(namespacePrefix, stack), service);
}

/** See `readReach`. */
export async function reach({ reach: ingress }: KubernetesOptions): Promise<Reach | undefined> {
  return ingress === "cluster" ? undefined : readReach(ingress);
}

/** Zero replicas and back; resolves once what was woken takes traffic, or rejects when `signal` aborts before. */
export async function setAwake(context: Context, awake: boolean, signal?: AbortSignal): Promise<void> {
  const namespace = namespaceOf(context);
  const action = `${awake ? "waking" : "putting to sleep"} namespace "${namespace}"`;
  await onCluster(context.options, action, async (cluster) => {
    if (!awake) return scale.sleep(cluster, namespace);
    await scale.wake(cluster, namespace);
    const deployments = await scale.deploymentsOf(cluster, namespace);
    const fate = new AbortController();
    const waits = deployments.map(({ metadata, spec }) =>
      awaitDeployment(
        cluster,
        {
          name: metadata?.name ?? "",
          listens: spec?.template.metadata?.labels?.[KIND_LABEL] === "web",
        },
        {
          namespace,
          deadlineMs: (spec?.progressDeadlineSeconds ?? WAKE_WAIT_SECONDS) * 1000,
          signal: signal ? AbortSignal.any([fate.signal, signal]) : fate.signal,
          say: () => {},
          secrets: [],
        },
      ),
    );
    await Promise.all(waits).catch((error: unknown) => {
      fate.abort(error);
      throw error;
    });
  });
}

/** True when there is something to run and all of it is available. */
export function isAwake(context: Context): Promise<boolean> {
  const namespace = namespaceOf(context);
  return onCluster(context.options, `looking at namespace "${namespace}"`, async (cluster) => {
    const deployments = await scale.deploymentsOf(cluster, namespace);
    const running = deployments.map(({ spec, status }) => {
      const wanted = spec?.replicas ?? 1;
      return wanted > 0 && (status?.availableReplicas ?? 0) >= wanted;
    });
    return running.length > 0 && running.every(Boolean);
  });
}

/** The first thing that is not as it should be. Never rejects: that the cluster is away explains it too. */
export async function explain(context: Context): Promise<string | undefined> {
  const namespace = namespaceOf(context);
  try {
    return await onCluster(context.options, `looking at namespace "${namespace}"`, (cluster) =>
      explainIn(cluster, namespace),
    );
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Everything else lies in the namespace and goes with it. */
export const kinds = ["namespace"];

/** Namespaces that bear our label; those of another Stackling have another prefix. */
export function owned(options: KubernetesOptions, stack?: string): Promise<readonly OwnedThing[]> {
  return onCluster(options, "listing the previews' namespaces", async ({ core }) => {
    const labelSelector = stack === undefined ? STACK_LABEL : `${STACK_LABEL}=${stack}`;
    const { items } = await core.listNamespace({ labelSelector });
    return items.flatMap(({ metadata }) => {
      const owner = metadata?.labels?.[STACK_LABEL];
      const id = metadata?.name;
      if (owner === undefined || id !== namespaceName(options.namespacePrefix, owner)) return [];
      return [{ kind: "namespace", id, stack: owner }];
    });
  });
}

/** Gone already is success; see `removeNamespace` for what is refused and for one that does not go. */
export function remove(options: KubernetesOptions, { kind, id, stack }: OwnedThing): Promise<void> {
  const action = `removing ${kind} "${id}"`;
  if (kind !== "namespace") {
    const userMessage = `${action}: a cluster has no such kind`;
    return Promise.reject(new TerminalError({ reason: "NotOwned", userMessage }));
  }
  return onCluster(options, action, (cluster) => removeNamespace(cluster, { namespace: id, stack }, REMOVE_WAIT_MS));
}

/** The last who wrote to the object itself, by the field managers that the API server keeps. */
export function changed(
  { options }: Context,
  { type, id }: { readonly type: string; readonly id: string },
): Promise<Change | undefined> {
  const [, group = "", kind = ""] = /^kubernetes:([^:]+):(.+)$/.exec(type) ?? [];
  const [namespace, name] = id.includes("/") ? id.split("/") : [undefined, id];
  if (kind === "" || name === undefined) return Promise.resolve(undefined);
  const apiVersion = group.replace(/^core\//, "");
  return onCluster(options, `looking at ${kind} "${id}"`, async ({ objects }) => {
    const metadata = { name, ...(namespace !== undefined && { namespace }) };
    const there = await found(objects.read({ apiVersion, kind, metadata }));
    // Objects of any kind keep their times as they were sent.
    const timeOf = ({ time }: { readonly time?: Date }) => (time === undefined ? 0 : new Date(time).getTime());
    const last = (there?.metadata?.managedFields ?? [])
      .filter(({ manager = "", subresource }) => subresource !== "status" && !isOurs(manager))
      .sort((a, b) => timeOf(a) - timeOf(b))
      .at(-1);
    if (!last) return undefined;
    return {
      ...(last.manager && { by: last.manager }),
      ...(last.time && { at: new Date(timeOf(last)).toISOString() }),
    };
  });
}

async function explainIn(cluster: Cluster, namespace: string): Promise<string | undefined> {
  const there = await found(cluster.core.readNamespace({ name: namespace }));
  if (!there) return `namespace "${namespace}" does not exist`;
  if (there.metadata?.deletionTimestamp) return `namespace "${namespace}": ${stuckWords(there)}`;
  for (const deployment of await scale.deploymentsOf(cluster, namespace)) {
    const name = deployment.metadata?.name;
    if (deployment.spec?.replicas === 0) return `service "${name}" is asleep`;
    if (isRolledOut(deployment)) continue;
    const seen = diagnose(await lookAtDeployment(cluster, deployment));
    return `service "${name}" ${seen ? `is not ready: ${seen.message}` : "is starting"}`;
  }
  return undefined;
}

function namespaceOf({ options, stack }: Context): string {
  return namespaceName(options.namespacePrefix, stack);
}

/** Pulumi's provider writes as `pulumi-kubernetes-…`: docs, "Server-Side Apply". */
function isOurs(manager: string): boolean {
  return manager === FIELD_MANAGER || manager.startsWith("pulumi-") || manager === "kube-controller-manager";
}
