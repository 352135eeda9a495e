/** The walls of one preview: its namespace, what it may use, whom it may talk to, and as whom it runs. */
import { readFileSync } from "node:fs";
import { LimitRange } from "@pulumi/kubernetes/core/v1/limitRange.js";
import { Namespace } from "@pulumi/kubernetes/core/v1/namespace.js";
import { ResourceQuota } from "@pulumi/kubernetes/core/v1/resourceQuota.js";
import { Secret } from "@pulumi/kubernetes/core/v1/secret.js";
import { ServiceAccount } from "@pulumi/kubernetes/core/v1/serviceAccount.js";
import { NetworkPolicy } from "@pulumi/kubernetes/networking/v1/networkPolicy.js";
import type * as input from "@pulumi/kubernetes/types/input.js";
import { type CustomResourceOptions, log, output, type ProviderResource, type Resource, secret } from "@pulumi/pulumi";
import { TerminalError } from "../errors.ts";
import type { Awaited } from "./awaited.ts";
import { claimNamespace, type NeededKind, requireKinds } from "./claim.ts";
import { SKIP_AWAIT, STACK_LABEL } from "./names.ts";
import { networkPolicies } from "./network.ts";
import type { KubernetesOptions } from "./options.ts";
import { cpuQuantity, memoryQuantity } from "./quantities.ts";

/** The one account that everything in a preview's namespace runs as. */
export const ACCOUNT = "preview";

export interface NamespaceParts {
  readonly namespace: Namespace;
  /** Must be there before the first pod is. */
  readonly walls: readonly Resource[];
}

export interface NamespaceDefinition {
  readonly name: string;
  readonly stack: string;
  /** Name of the repository, for its workload identity. */
  readonly repository: string | undefined;
  readonly options: KubernetesOptions;
  /** Kinds that will be declared and not every cluster serves. */
  readonly needed: readonly NeededKind[];
  readonly awaited: Awaited;
  readonly childName: (part: string) => string;
  readonly parent: Resource;
  readonly provider: ProviderResource;
}

/** How long the namespace of a last life may take to go. */
const CLAIM_WAIT_MS = 120_000;
/** Of what is declared without sizes (sidecars): below a quota the cluster takes no container without them. */
const DEFAULT_LIMITS = { cpu: cpuQuantity(0.5), memory: memoryQuantity(512) };
const DEFAULT_REQUESTS = { cpu: cpuQuantity(0.1), memory: memoryQuantity(128) };

export function declareClaimed(definition: NamespaceDefinition): NamespaceParts {
  const { name, stack, options, childName, parent, provider, awaited } = definition;
  const claimed = awaited(`taking namespace "${name}"`, {
    value: output(name),
    instead: () => name,
    work: async (namespace, { cluster, signal }) => {
      await requireKinds(cluster, definition.needed);
      const say = (text: string) => void log.info(text, parent, undefined, true);
      await claimNamespace(cluster, { namespace, stack }, { waitMs: CLAIM_WAIT_MS, signal, say });
      return namespace;
    },
  });
  const namespace = new Namespace(
    childName("namespace"),
    // Its end is awaited by the proof, which says what holds it.
    {
      metadata: {
        name: claimed,
        labels: { [STACK_LABEL]: stack, "app.kubernetes.io/managed-by": "stackling", ...RESTRICTED },
        annotations: { ...SKIP_AWAIT },
      },
    },
    { parent, provider },
  );
  const inside: CustomResourceOptions = { parent, provider, dependsOn: namespace, deletedWith: namespace };
  const metadata = (own: string) => ({ namespace: name, name: own });
  const quota = new ResourceQuota(
    childName("quota"),
    { metadata: { ...metadata("preview"), annotations: { ...SKIP_AWAIT } }, spec: { hard: hardLimits(options.quota) } },
    inside,
  );
  const limits = new LimitRange(
    childName("limits"),
    {
      metadata: metadata("preview"),
      spec: { limits: [{ type: "Container", default: DEFAULT_LIMITS, defaultRequest: DEFAULT_REQUESTS }] },
    },
    inside,
  );
  const policies = Object.entries(networkPolicies(options)).map(
    ([own, spec]) => new NetworkPolicy(childName(own), { metadata: metadata(own), spec }, inside),
  );
  const pull = declarePullSecret(definition, inside);
  const account = new ServiceAccount(
    childName("account"),
    {
      metadata: { ...metadata(ACCOUNT), annotations: identityOf(definition) },
      automountServiceAccountToken: false,
      ...(pull && { imagePullSecrets: [{ name: PULL_SECRET }] }),
    },
    { ...inside, dependsOn: pull ? [namespace, pull] : [namespace] },
  );
  return { namespace, walls: [quota, limits, ...policies, account] };
}

const PULL_SECRET = "registry";

/** Docs, "Pod Security Standards": what a preview must not do is refused by the cluster itself. */
const RESTRICTED = {
  "pod-security.kubernetes.io/enforce": "restricted",
  "pod-security.kubernetes.io/audit": "restricted",
  "pod-security.kubernetes.io/warn": "restricted",
};

function hardLimits(quota: KubernetesOptions["quota"]): NonNullable<input.core.v1.ResourceQuotaSpec["hard"]> {
  return {
    "requests.cpu": cpuQuantity(quota.requestsCpu),
    "requests.memory": memoryQuantity(quota.requestsMemoryMiB),
    "limits.cpu": cpuQuantity(quota.limitsCpu),
    "limits.memory": memoryQuantity(quota.limitsMemoryMiB),
    pods: String(quota.pods),
    // Each would cost money of its own and open a door past the gateway.
    "services.loadbalancers": "0",
    "services.nodeports": "0",
  };
}

function identityOf({ options, repository }: NamespaceDefinition): Readonly<Record<string, string>> {
  const known = options.serviceAccountAnnotations;
  return repository !== undefined && Object.hasOwn(known, repository) ? { ...known[repository] } : {};
}

function declarePullSecret(
  { name, options, childName }: NamespaceDefinition,
  inside: CustomResourceOptions,
): Secret | undefined {
  if (!options.registryCredentials) return undefined;
  const encoded = secret(Buffer.from(readCredential(options.registryCredentials)).toString("base64"));
  return new Secret(
    childName("registry"),
    {
      metadata: { namespace: name, name: PULL_SECRET },
      type: "kubernetes.io/dockerconfigjson",
      data: { ".dockerconfigjson": encoded },
    },
    inside,
  );
}

function readCredential(credential: NonNullable<KubernetesOptions["registryCredentials"]>): string {
  const [what, text] =
    "env" in credential
      ? [`environment variable "${credential.env}"`, process.env[credential.env]]
      : [`file "${credential.file}"`, readIfThere(credential.file)];
  if (text?.trim()) return text.trim();
  const userMessage = `reading the registry's credentials: ${what} is missing or empty`;
  throw new TerminalError({ reason: "TargetInvalid", userMessage });
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
