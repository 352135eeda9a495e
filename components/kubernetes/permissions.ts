import { PERMISSIONS } from "./check.ts";

/** A rule of a ClusterRole. */
export interface PermissionRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

/** What is needed only where a cluster has it: an edge by Gateway API, secrets by External Secrets. */
const OPTIONAL: Readonly<Record<string, readonly string[]>> = {
  "gateway.networking.k8s.io/httproutes": ["get", "create", "patch", "delete"],
  "gateway.networking.k8s.io/gateways": ["get"],
  "external-secrets.io/externalsecrets": ["get", "create", "patch", "delete"],
  "external-secrets.io/secretstores": ["get"],
  "external-secrets.io/clustersecretstores": ["get"],
};

/**
 * What the Kubernetes drivers' identity must be allowed, as rules of a ClusterRole, because each preview
 * comes in a namespace that was not there before. The platform program makes the role of them and
 * docs/targets.md prints them.
 */
export const permissions: readonly PermissionRule[] = rulesOf({ ...PERMISSIONS, ...OPTIONAL });

function rulesOf(needs: Readonly<Record<string, readonly string[]>>): readonly PermissionRule[] {
  const rules = new Map<string, PermissionRule>();
  for (const [what, asked] of Object.entries(needs)) {
    const [group = "", ...resource] = what.split("/");
    // The provider waits for what it deletes by a list and a watch.
    const verbs = [...new Set([...asked, ...(asked.includes("delete") ? ["list", "watch"] : [])])].sort();
    const key = `${group} ${verbs.join()}`;
    const resources = [...(rules.get(key)?.resources ?? []), resource.join("/")].sort();
    rules.set(key, { apiGroups: [group], resources, verbs });
  }
  return [...rules.values()];
}
