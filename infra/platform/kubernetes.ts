/** Stackling on a Kubernetes cluster, with what its previews there need. */
import { ConfigMap } from "@pulumi/kubernetes/core/v1/configMap.js";
import { Namespace } from "@pulumi/kubernetes/core/v1/namespace.js";
import { Secret } from "@pulumi/kubernetes/core/v1/secret.js";
import { Service } from "@pulumi/kubernetes/core/v1/service.js";
import { NetworkPolicy } from "@pulumi/kubernetes/networking/v1/networkPolicy.js";
import { PodDisruptionBudget } from "@pulumi/kubernetes/policy/v1/podDisruptionBudget.js";
import { Provider } from "@pulumi/kubernetes/provider.js";
import { PriorityClass } from "@pulumi/kubernetes/scheduling/v1/priorityClass.js";
import { type ComponentResourceOptions, type Input, secret } from "@pulumi/pulumi";
import { kubeconfigInput } from "../../components/kubernetes/client.ts";
import { PreviewComponent } from "../../components/preview-component.ts";
import { type InstallArgs, PORT } from "./install.ts";
import { createAccount } from "./kubernetes-account.ts";
import { createEntrance } from "./kubernetes-entrance.ts";
import { createWorkload } from "./kubernetes-workload.ts";
import type { KubernetesSettings } from "./settings.ts";

/** Name of the class; `priorityClassName` of the driver's options. */
export const PREVIEW_PRIORITY = "stackling-preview";

export interface KubernetesPlatformArgs extends InstallArgs, Omit<KubernetesSettings, "kubeconfig" | "context"> {}

export type Labels = Readonly<Record<string, string>>;

/** Where every part goes. */
export interface Site {
  readonly namespace: Input<string>;
  /** What tells Stackling's own pods from others. */
  readonly selector: Labels;
  readonly childName: (part: string) => string;
  readonly parent: PreviewComponent;
}

/**
 * Namespace, service with its replicas, account with the rights that the Kubernetes driver needs,
 * certificate and entrance. Postgres and the state's backend are the operator's, named in
 * `stackling.yaml` by reference. Give it the cluster's provider; it makes none.
 */
export class KubernetesPlatform extends PreviewComponent {
  readonly outputs: Readonly<Record<string, unknown>>;

  constructor(name: string, args: KubernetesPlatformArgs, opts: ComponentResourceOptions) {
    super("stackling:platform:Kubernetes", name, {}, opts);
    const parent = { parent: this };
    const child = (part: string) => this.childName(part);
    const namespace = new Namespace(
      child("namespace"),
      {
        metadata: {
          name: args.namespace,
          labels: {
            "pod-security.kubernetes.io/enforce": "restricted",
            "pod-security.kubernetes.io/warn": "restricted",
          },
        },
      },
      parent,
    );
    const selector = { "app.kubernetes.io/name": "stackling", "app.kubernetes.io/instance": name };
    const site: Site = { namespace: namespace.metadata.name, selector, childName: child, parent: this };
    const account = createAccount(site, args.accountAnnotations);
    // Names of their own each time, so that a change rolls the pods and a roll back finds the old one.
    const configuration = new ConfigMap(
      child("configuration"),
      { metadata: { namespace: site.namespace }, immutable: true, data: { "stackling.yaml": args.configuration } },
      parent,
    );
    const secrets = new Secret(
      child("secrets"),
      { metadata: { namespace: site.namespace }, immutable: true, stringData: secret(args.secrets) },
      parent,
    );
    const workload = createWorkload(site, {
      ...args,
      account: account.metadata.name,
      configurationMap: configuration.metadata.name,
      environmentSecret: secrets.metadata.name,
    });
    const service = new Service(
      child("service"),
      {
        metadata: { name: "stackling", namespace: site.namespace },
        spec: {
          selector,
          ports: [{ name: "http", port: 80, targetPort: "http" }],
        },
      },
      parent,
    );
    createGuards(site, args);
    createEntrance(site, { ...args, service: service.metadata.name });
    this.outputs = {
      url: `https://${args.domain}`,
      namespace: site.namespace,
      deployment: workload.metadata.name,
      priorityClassName: PREVIEW_PRIORITY,
      network: { from: [{ namespace: args.namespace, pods: selector }] },
    };
    this.registerOutputs(this.outputs);
  }
}

/**
 * The cluster's provider, from credentials by reference as the driver takes them. Unlike a preview's it
 * adopts nothing that is there already, and replaces a ConfigMap or Secret where it changes.
 */
export function createCluster(name: string, access: Pick<KubernetesSettings, "kubeconfig" | "context">): Provider {
  const { text, secret: isSecret } = kubeconfigInput(access);
  const { context } = access;
  return new Provider(name, {
    kubeconfig: isSecret ? secret(text) : text,
    ...(context === undefined ? {} : { context }),
  });
}

/** What keeps Stackling up while nodes come and go, keeps previews below everything else, and keeps them out. */
function createGuards({ namespace, selector, childName, parent }: Site, args: KubernetesPlatformArgs): void {
  if (args.replicas > 1) {
    new PodDisruptionBudget(
      childName("disruption"),
      { metadata: { name: "stackling", namespace }, spec: { maxUnavailable: 1, selector: { matchLabels: selector } } },
      { parent },
    );
  }
  new PriorityClass(
    childName("preview-priority"),
    {
      metadata: { name: PREVIEW_PRIORITY },
      value: args.previewPriority,
      globalDefault: false,
      preemptionPolicy: "Never",
      description: "Previews: evicted before anything else, and never in place of something else.",
    },
    { parent },
  );
  new NetworkPolicy(
    childName("network"),
    {
      metadata: { name: "stackling", namespace },
      spec: {
        podSelector: { matchLabels: selector },
        // What it calls (forges, registries, clouds, the cluster's API) has no address that could be listed.
        policyTypes: ["Ingress"],
        ingress: [
          {
            from: [
              { namespaceSelector: { matchExpressions: [{ key: "stackling.dev/preview", operator: "DoesNotExist" }] } },
              ...args.visitorCidrs.map((cidr) => ({ ipBlock: { cidr } })),
            ],
            ports: [{ port: PORT }],
          },
        ],
      },
    },
    { parent },
  );
}
