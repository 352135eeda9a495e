/** How requests come in where not by the gateway alone: an Ingress or HTTPRoute of the preview's own. */
import { setTimeout as delay } from "node:timers/promises";
import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource.js";
import { Ingress } from "@pulumi/kubernetes/networking/v1/ingress.js";
import { type CustomResourceOptions, type Output, output } from "@pulumi/pulumi";
import { StacklingError } from "../errors.ts";
import type { Awaited, Work } from "./awaited.ts";
import { type Cluster, found } from "./client.ts";
import { SERVICE_PORT, SKIP_AWAIT } from "./names.ts";
import type { DirectEdge, KubernetesOptions } from "./options.ts";

export interface EdgeDefinition {
  readonly namespace: string;
  /** Public URL by service. */
  readonly urls: Readonly<Record<string, string>>;
  readonly options: Pick<KubernetesOptions, "edge" | "reach" | "scheduleTimeoutSeconds">;
  readonly childName: (part: string) => string;
  readonly inside: CustomResourceOptions;
  readonly awaited: Awaited;
}

const POLL_MS = 500;
/** Name of what leads into a preview; there is one of it. */
const EDGE = "edge";

/** The public name or address previews are reached by; undefined where the gateway is the edge. */
export function declareEdge(definition: EdgeDefinition): Output<string> | undefined {
  const { edge, reach } = definition.options;
  if (Object.keys(definition.urls).length === 0) return undefined;
  if (edge === "gateway") {
    if (reach !== "cluster") {
      // By TLS alone then: the controller's own certificate, and with most of them no plain HTTP for these hosts.
      declareIngress(definition, { ...reach, tls: reach.tls && "controller" });
    }
    return undefined;
  }
  return "gateway" in edge.direct ? declareRoute(definition, edge.direct) : declareDirect(definition, edge.direct);
}

type IngressEdge = Extract<DirectEdge, { ingressClass: string }>;
type GatewayEdge = Exclude<DirectEdge, IngressEdge>;

function declareDirect(definition: EdgeDefinition, direct: IngressEdge): Output<string> {
  const { namespace } = definition;
  const ingress = declareIngress(definition, direct);
  return definition.awaited("waiting for the certificate and the public address", {
    value: ingress.id,
    instead: () => direct.address ?? "",
    work: async (_id, work) => {
      const secret = secretOf(direct.tls);
      if (secret !== undefined) await awaitCertificate(work, definition, secret);
      if (direct.address !== undefined) return direct.address;
      return until(
        definition,
        work,
        `Ingress "${EDGE}" has no public address; is there a controller for it?`,
        async () => {
          const there = await found(work.cluster.networking.readNamespacedIngress({ namespace, name: EDGE }));
          const first = there?.status?.loadBalancer?.ingress?.[0];
          return first?.hostname ?? first?.ip;
        },
      );
    },
  });
}

function declareIngress(
  { namespace, urls, childName, inside }: EdgeDefinition,
  {
    ingressClass,
    annotations,
    tls,
  }: Pick<IngressEdge, "ingressClass" | "annotations"> & { tls: IngressEdge["tls"] | undefined },
): Ingress {
  const hosts = hostsOf(urls);
  const secretName = secretOf(tls);
  const issuer: Record<string, string> =
    typeof tls === "object" && "issuer" in tls ? { "cert-manager.io/cluster-issuer": tls.issuer } : {};
  return new Ingress(
    childName(EDGE),
    {
      metadata: { namespace, name: EDGE, annotations: { ...annotations, ...issuer, ...SKIP_AWAIT } },
      spec: {
        ingressClassName: ingressClass,
        ...(tls && {
          tls: [{ hosts: hosts.map(({ host }) => host), ...(secretName !== undefined && { secretName }) }],
        }),
        rules: hosts.map(({ host, service }) => ({
          host,
          http: {
            paths: [
              {
                path: "/",
                pathType: "Prefix",
                backend: { service: { name: service, port: { number: SERVICE_PORT } } },
              },
            ],
          },
        })),
      },
    },
    inside,
  );
}

function declareRoute(definition: EdgeDefinition, direct: GatewayEdge): Output<string> {
  const { namespace, urls, childName, inside, awaited } = definition;
  const { name, namespace: where, section } = direct.gateway;
  const routes = hostsOf(urls).map(
    ({ host, service }) =>
      new CustomResource(
        childName(service),
        {
          apiVersion: "gateway.networking.k8s.io/v1",
          kind: "HTTPRoute",
          metadata: { namespace, name: service, annotations: { ...SKIP_AWAIT } },
          spec: {
            parentRefs: [{ name, namespace: where, ...(section !== undefined && { sectionName: section }) }],
            hostnames: [host],
            rules: [{ backendRefs: [{ name: service, port: SERVICE_PORT }] }],
          },
        },
        inside,
      ),
  );
  return awaited("waiting for the gateway's public address", {
    value: output(routes.map((route) => route.id)),
    instead: () => direct.address ?? "",
    work: async (_ids, work) =>
      direct.address ??
      until(definition, work, `Gateway "${where}/${name}" has no address`, () =>
        gatewayAddress(work.cluster, where, name),
      ),
  });
}

async function gatewayAddress({ custom }: Cluster, namespace: string, name: string): Promise<string | undefined> {
  const asked = { group: "gateway.networking.k8s.io", version: "v1", plural: "gateways", namespace, name };
  const gateway: unknown = await found(custom.getNamespacedCustomObject(asked));
  const { addresses } = (gateway as { status?: { addresses?: { value?: string }[] } } | undefined)?.status ?? {};
  return addresses?.[0]?.value;
}

async function awaitCertificate(work: Work, definition: EdgeDefinition, secret: string): Promise<void> {
  const { namespace } = definition;
  const missing = `certificate: Secret "${secret}" is not in namespace "${namespace}"; is cert-manager, or what copies the wildcard certificate, at work?`;
  await until(
    definition,
    work,
    missing,
    async () => {
      const there = await found(work.cluster.core.readNamespacedSecret({ namespace, name: secret }));
      return there?.data?.["tls.crt"] ? secret : undefined;
    },
    "CertificateMissing",
  );
}

async function until(
  { options }: EdgeDefinition,
  { signal }: Work,
  missing: string,
  ask: () => Promise<string | undefined>,
  reason = "EdgeNotReady",
): Promise<string> {
  const end = performance.now() + options.scheduleTimeoutSeconds * 1000;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > end) throw new StacklingError({ reason, userMessage: `opening the way in: ${missing}` });
    await delay(POLL_MS, undefined, { signal });
  }
}

function secretOf(tls: IngressEdge["tls"] | undefined): string | undefined {
  if (tls === undefined || tls === "controller") return undefined;
  return "issuer" in tls ? "edge-tls" : tls.secretName;
}

function hostsOf(urls: Readonly<Record<string, string>>): { readonly service: string; readonly host: string }[] {
  return Object.entries(urls).map(([service, url]) => ({ service, host: new URL(url).hostname }));
}
