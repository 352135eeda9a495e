/** Sleep and wake: not a change of the stack, which leaves replicas and suspension unset. */
import { PatchStrategy, setHeaderOptions, type V1Deployment } from "@kubernetes/client-node";
import { type Cluster, found } from "./client.ts";
import { FIELD_MANAGER, REPLICAS_ANNOTATION, SERVICE_LABEL } from "./names.ts";

type Scales = Pick<Cluster, "apps" | "batch">;

const MERGE = setHeaderOptions("Content-Type", PatchStrategy.MergePatch);

/** Takes every replica away and remembers how many there were; cron jobs are held back. */
export async function sleep(cluster: Scales, namespace: string): Promise<void> {
  const deployments = await deploymentsOf(cluster, namespace);
  await Promise.all([
    ...deployments
      .filter(({ spec }) => (spec?.replicas ?? 1) > 0)
      .map((deployment) => {
        const replicas = String(deployment.spec?.replicas ?? 1);
        const metadata = { annotations: { [REPLICAS_ANNOTATION]: replicas } };
        return patchDeployment(cluster, deployment, { metadata, spec: { replicas: 0 } });
      }),
    suspend(cluster, namespace, true),
  ]);
}

/** Gives back what `sleep` took. Twice is once. */
export async function wake(cluster: Scales, namespace: string): Promise<void> {
  const deployments = await deploymentsOf(cluster, namespace);
  await Promise.all([
    ...deployments.map((deployment) => wakeOne(cluster, deployment)),
    suspend(cluster, namespace, false),
  ]);
}

export async function wakeDeployment(cluster: Pick<Scales, "apps">, namespace: string, name: string): Promise<void> {
  const deployment = await found(cluster.apps.readNamespacedDeployment({ namespace, name }));
  if (deployment) await wakeOne(cluster, deployment);
}

export async function deploymentsOf(
  { apps }: Pick<Scales, "apps">,
  namespace: string,
): Promise<readonly V1Deployment[]> {
  return (await apps.listNamespacedDeployment({ namespace, labelSelector: SERVICE_LABEL })).items;
}

/** Holds cron jobs back or lets them go on. */
export async function suspend({ batch }: Pick<Scales, "batch">, namespace: string, held: boolean): Promise<void> {
  const { items } = await batch.listNamespacedCronJob({ namespace, labelSelector: SERVICE_LABEL });
  const others = items.filter(({ spec }) => (spec?.suspend ?? false) !== held);
  await Promise.all(
    others.map(({ metadata }) => {
      const body = { spec: { suspend: held } };
      const name = metadata?.name ?? "";
      return batch.patchNamespacedCronJob({ namespace, name, body, fieldManager: FIELD_MANAGER }, MERGE);
    }),
  );
}

async function wakeOne(cluster: Pick<Scales, "apps">, deployment: V1Deployment): Promise<void> {
  if (deployment.spec?.replicas !== 0) return;
  const before = Number(deployment.metadata?.annotations?.[REPLICAS_ANNOTATION] ?? 1);
  const replicas = Number.isInteger(before) && before > 0 ? before : 1;
  const metadata = { annotations: { [REPLICAS_ANNOTATION]: null } };
  await patchDeployment(cluster, deployment, { metadata, spec: { replicas } });
}

async function patchDeployment({ apps }: Pick<Scales, "apps">, { metadata }: V1Deployment, body: object) {
  const { name = "", namespace = "" } = metadata ?? {};
  await apps.patchNamespacedDeployment({ namespace, name, body, fieldManager: FIELD_MANAGER }, MERGE);
}
