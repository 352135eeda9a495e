/**
 * What the Kubernetes driver's identity must be allowed: rules of a ClusterRole, because every preview
 * comes in a namespace of its own that does not exist before. The platform program makes the role of
 * them and the documentation prints them.
 */
export interface PermissionRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

/** Server-side apply is a patch, also where it creates: docs, "Server-Side Apply", API for apply. */
const OWN = ["get", "list", "watch", "create", "patch", "delete"] as const;
const READ = ["get", "list", "watch"] as const;

export const permissions: readonly PermissionRule[] = [
  { apiGroups: [""], resources: ["namespaces"], verbs: OWN },
  {
    apiGroups: [""],
    resources: ["configmaps", "limitranges", "resourcequotas", "secrets", "serviceaccounts", "services"],
    verbs: OWN,
  },
  { apiGroups: ["apps"], resources: ["deployments"], verbs: OWN },
  { apiGroups: ["batch"], resources: ["cronjobs", "jobs"], verbs: OWN },
  { apiGroups: ["networking.k8s.io"], resources: ["ingresses", "networkpolicies"], verbs: OWN },
  { apiGroups: ["gateway.networking.k8s.io"], resources: ["httproutes"], verbs: OWN },
  { apiGroups: ["external-secrets.io"], resources: ["externalsecrets"], verbs: OWN },
  // Why something is not ready, and what it said.
  { apiGroups: [""], resources: ["events", "pods"], verbs: READ },
  { apiGroups: [""], resources: ["pods/log"], verbs: ["get"] },
  { apiGroups: ["apps"], resources: ["replicasets"], verbs: READ },
  { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: READ },
  // Where an edge of a preview's own leads, and whether a secret's store is there.
  { apiGroups: ["gateway.networking.k8s.io"], resources: ["gateways"], verbs: READ },
  { apiGroups: ["external-secrets.io"], resources: ["clustersecretstores", "secretstores"], verbs: READ },
];
