import { Provider } from "@pulumi/kubernetes/provider.js";
import { type Output, output, type Resource, secret } from "@pulumi/pulumi";
import { engineFileVariable, hiding } from "../credential.ts";
import { kubeconfigInput } from "./client.ts";
import type { KubernetesOptions } from "./options.ts";

/** The one explicit provider of a preview, from nothing but the target's options. */
export function createProvider(
  name: string,
  options: Pick<KubernetesOptions, "kubeconfig" | "context">,
  parent: Resource,
): Provider {
  const { kubeconfig, envVarMappings } = access(options);
  return new Provider(
    name,
    {
      kubeconfig,
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
    { parent, ...(envVarMappings && { envVarMappings }) },
  );
}

/** A text comes from the engine's environment where it can, see `engineFileVariable`, and lies in no state. */
function access(options: Pick<KubernetesOptions, "kubeconfig">): {
  readonly kubeconfig: Output<string | undefined>;
  readonly envVarMappings?: Record<string, string>;
} {
  const { text, secret: isSecret } = kubeconfigInput(options);
  const variable =
    typeof options.kubeconfig === "object" && "env" in options.kubeconfig
      ? engineFileVariable(options.kubeconfig)
      : undefined;
  if (variable === undefined) return { kubeconfig: isSecret ? secret(text) : output(text) };
  return {
    // Without any input the SDK would take KUBECONFIG of this process.
    kubeconfig: output(undefined),
    // Where there is none, the provider would look for the service account of Stackling's own pod.
    envVarMappings: { [variable]: "KUBECONFIG", ...hiding("KUBERNETES_SERVICE_HOST") },
  };
}
