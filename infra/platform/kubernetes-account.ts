import { ServiceAccount } from "@pulumi/kubernetes/core/v1/serviceAccount.js";
import { ClusterRole } from "@pulumi/kubernetes/rbac/v1/clusterRole.js";
import { ClusterRoleBinding } from "@pulumi/kubernetes/rbac/v1/clusterRoleBinding.js";
import { interpolate } from "@pulumi/pulumi";
import { permissions } from "../../components/kubernetes/permissions.ts";
import type { Labels, Site } from "./kubernetes.ts";

/** Stackling's account with what the Kubernetes driver declares it needs, in every namespace: previews come in their own. */
export function createAccount({ namespace, childName, parent }: Site, annotations: Labels): ServiceAccount {
  const account = new ServiceAccount(
    childName("account"),
    { metadata: { name: "stackling", namespace, annotations } },
    { parent },
  );
  // Cluster-wide things share one name room, so two Stacklings on a cluster need two.
  const role = new ClusterRole(
    childName("role"),
    {
      metadata: { name: interpolate`${namespace}-stackling` },
      rules: permissions.map(({ apiGroups, resources, verbs }) => ({
        apiGroups: [...apiGroups],
        resources: [...resources],
        verbs: [...verbs],
      })),
    },
    { parent },
  );
  new ClusterRoleBinding(
    childName("role-binding"),
    {
      metadata: { name: interpolate`${namespace}-stackling` },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: role.metadata.name },
      subjects: [{ kind: "ServiceAccount", name: account.metadata.name, namespace }],
    },
    { parent },
  );
  return account;
}
