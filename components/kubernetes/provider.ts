import { Provider } from "@pulumi/kubernetes/provider.js";
import { type Resource, secret } from "@pulumi/pulumi";
import { kubeconfigInput } from "./client.ts";
import type { KubernetesOptions } from "./options.ts";

/** The one explicit provider of a preview, from nothing but the target's options. */
export function createProvider(
  name: string,
  options: Pick<KubernetesOptions, "kubeconfig" | "context">,
  parent: Resource,
): Provider {
  const { text, secret: isSecret } = kubeconfigInput(options);
  return new Provider(
    name,
    {
      kubeconfig: isSecret ? secret(text) : text,
      ...(options.context !== undefined && { context: options.context }),
      enableServerSideApply: true,
      // A create that a kill cut short is found again by its fixed name; that the namespace is ours was made sure of.
      upsertExistingObjects: true,
      // What somebody changed by hand is changed back. Scale is no field of ours, see scale.ts.
      enablePatchForce: true,
      enableSecretMutable: true,
      enableConfigMapMutable: true,
      // Or a kubeconfig that moved would replace everything: docs, "Kubernetes provider", `clusterIdentifier`.
      clusterIdentifier: "stackling",
    },
    { parent },
  );
}
