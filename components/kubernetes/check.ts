/** Read-only questions to a cluster: is it reached, and may Stackling do there what it must. */
import { StacklingError } from "../errors.ts";
import type { Finding } from "../ports.ts";
import { HTTP_ROUTE, requireKinds } from "./claim.ts";
import { type Cluster, clusterError, onCluster } from "./client.ts";
import type { KubernetesOptions } from "./options.ts";
import { checkReach } from "./reach-check.ts";

/** What a preview needs, as `group/resource`; the role of docs/targets.md grants the same. */
export const PERMISSIONS: Readonly<Record<string, readonly string[]>> = {
  "/namespaces": ["get", "list", "create", "patch", "delete"],
  "/services": ["get", "create", "patch", "delete"],
  "/configmaps": ["get", "create", "patch", "delete"],
  "/secrets": ["get", "create", "patch", "delete"],
  "/serviceaccounts": ["get", "create", "patch", "delete"],
  "/resourcequotas": ["get", "create", "patch", "delete"],
  "/limitranges": ["get", "create", "patch", "delete"],
  "/pods": ["get", "list"],
  "/pods/log": ["get"],
  "/events": ["list"],
  "apps/deployments": ["get", "list", "create", "patch", "delete"],
  "apps/replicasets": ["list"],
  "batch/jobs": ["get", "list", "create", "patch", "delete"],
  "batch/cronjobs": ["get", "list", "create", "patch", "delete"],
  "networking.k8s.io/networkpolicies": ["get", "create", "patch", "delete"],
  "networking.k8s.io/ingresses": ["get", "create", "patch", "delete"],
  "discovery.k8s.io/endpointslices": ["list"],
};

/** The oldest server whose previews are as closed as they should be: `pod-security.kubernetes.io` is stable there. */
const OLDEST = 25;

export async function check(options: KubernetesOptions): Promise<readonly Finding[]> {
  const { reach } = options;
  const [cluster, ingress] = await Promise.all([checkCluster(options), reach === "cluster" ? [] : checkReach(reach)]);
  return [...cluster, ...ingress];
}

async function checkCluster(options: KubernetesOptions): Promise<readonly Finding[]> {
  try {
    return await onCluster(options, "reaching the cluster", async (cluster) => [
      await checkVersion(cluster),
      await checkPermissions(cluster, options),
      ...(await checkKinds(cluster, options)),
    ]);
  } catch (error) {
    if (!(error instanceof StacklingError)) throw error;
    const remedy = "correct the target's options `kubeconfig` and `context`, or start that cluster";
    return [{ ok: false, what: error.userMessage, remedy }];
  }
}

async function checkVersion({ version, config }: Cluster): Promise<Finding> {
  const { gitVersion, minor } = await version.getCode();
  const what = `cluster "${config.getCurrentCluster()?.name}": Kubernetes ${gitVersion}`;
  if (Number.parseInt(minor, 10) >= OLDEST) return { ok: true, what };
  return { ok: false, what, remedy: `previews need Kubernetes 1.${OLDEST} or newer` };
}

async function checkKinds(cluster: Cluster, { edge }: KubernetesOptions): Promise<readonly Finding[]> {
  if (edge === "gateway" || !("gateway" in edge.direct)) return [];
  try {
    await requireKinds(cluster, [HTTP_ROUTE]);
    return [{ ok: true, what: "the cluster serves HTTPRoutes" }];
  } catch (error) {
    const { userMessage } = clusterError("looking for the Gateway API", error);
    return [{ ok: false, what: userMessage, remedy: "install the Gateway API, or choose an edge without it" }];
  }
}

async function checkPermissions({ authorization }: Cluster, { edge, reach }: KubernetesOptions): Promise<Finding> {
  const ingresses = edge !== "gateway" || reach !== "cluster";
  const asked = Object.entries(PERMISSIONS)
    .filter(([what]) => ingresses || !what.endsWith("/ingresses"))
    .flatMap(([what, verbs]) => verbs.map((verb) => ({ what, verb })));
  const answers = await Promise.all(
    asked.map(async ({ what, verb }) => {
      const [group = "", resource = "", subresource] = what.split("/");
      const resourceAttributes = { group, resource, verb, ...(subresource !== undefined && { subresource }) };
      const { status } = await authorization.createSelfSubjectAccessReview({ body: { spec: { resourceAttributes } } });
      return status?.allowed ? [] : [`${verb} ${what.replace(/^\//, "")}`];
    }),
  );
  const denied = answers.flat();
  if (denied.length === 0) return { ok: true, what: "the cluster allows all that previews need" };
  return {
    ok: false,
    what: `the cluster does not allow: ${denied.join(", ")}`,
    remedy: "grant the role of docs/targets.md to the identity of the target's kubeconfig",
  };
}
