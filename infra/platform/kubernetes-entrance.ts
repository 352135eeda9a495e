import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource.js";
import { Ingress } from "@pulumi/kubernetes/networking/v1/ingress.js";
import { all, type Input, type Resource } from "@pulumi/pulumi";
import type { KubernetesPlatformArgs, Site } from "./kubernetes.ts";

/** Of the certificate that cert-manager makes; of no meaning elsewhere. */
const CERTIFICATE_SECRET = "stackling-tls";

interface EntranceArgs extends KubernetesPlatformArgs {
  readonly service: Input<string>;
}

/** One wildcard certificate and one way in, for the service's pages and for every preview. */
export function createEntrance(site: Site, args: EntranceArgs): void {
  const hosts = [args.domain, `*.${args.domain}`];
  const { tls, dependsOn } = createCertificate(site, args, hosts);
  if ("ingressClass" in args.entrance) createIngress(site, { ...args, hosts, tls, dependsOn, ...args.entrance });
  else createGateway(site, { ...args, hosts, tls, dependsOn, ...args.entrance });
}

interface Way extends EntranceArgs {
  readonly hosts: readonly string[];
  /** Name of the TLS secret. */
  readonly tls: string;
  readonly dependsOn: readonly Resource[];
}

function createCertificate(
  { namespace, childName, parent }: Site,
  { certificate }: EntranceArgs,
  hosts: readonly string[],
): Pick<Way, "tls" | "dependsOn"> {
  if ("secretName" in certificate) return { tls: certificate.secretName, dependsOn: [] };
  const made = new CustomResource(
    childName("certificate"),
    {
      apiVersion: "cert-manager.io/v1",
      kind: "Certificate",
      metadata: { name: "stackling", namespace },
      spec: {
        secretName: CERTIFICATE_SECRET,
        dnsNames: [...hosts],
        issuerRef: { name: certificate.issuer, kind: certificate.kind, group: "cert-manager.io" },
        privateKey: { rotationPolicy: "Always" },
      },
    },
    { parent },
  );
  return { tls: CERTIFICATE_SECRET, dependsOn: [made] };
}

function createIngress(
  { namespace, childName, parent }: Site,
  way: Way & { readonly ingressClass: string; readonly annotations: Readonly<Record<string, string>> },
): void {
  const { hosts, tls, service, ingressClass, annotations, dependsOn } = way;
  new Ingress(
    childName("ingress"),
    {
      // Of a class without a load balancer of its own it never gets an address, for which the provider would wait.
      metadata: { name: "stackling", namespace, annotations: { ...annotations, "pulumi.com/skipAwait": "true" } },
      spec: {
        ingressClassName: ingressClass,
        tls: [{ hosts: [...hosts], secretName: tls }],
        rules: hosts.map((host) => ({
          host,
          http: {
            paths: [{ path: "/", pathType: "Prefix", backend: { service: { name: service, port: { name: "http" } } } }],
          },
        })),
      },
    },
    { parent, dependsOn: [...dependsOn] },
  );
}

function createGateway({ namespace, childName, parent }: Site, way: Way & { readonly gatewayClass: string }): void {
  const { hosts, tls, service, gatewayClass, dependsOn } = way;
  const gateway = new CustomResource(
    childName("gateway"),
    {
      apiVersion: "gateway.networking.k8s.io/v1",
      kind: "Gateway",
      metadata: { name: "stackling", namespace },
      spec: {
        gatewayClassName: gatewayClass,
        listeners: hosts.map((hostname, index) => ({
          name: index === 0 ? "service" : "previews",
          hostname,
          port: 443,
          protocol: "HTTPS",
          tls: { mode: "Terminate", certificateRefs: [{ kind: "Secret", name: tls }] },
          allowedRoutes: { namespaces: { from: "Same" } },
        })),
      },
    },
    { parent, dependsOn: [...dependsOn] },
  );
  new CustomResource(
    childName("route"),
    {
      apiVersion: "gateway.networking.k8s.io/v1",
      kind: "HTTPRoute",
      metadata: { name: "stackling", namespace },
      spec: {
        parentRefs: [{ name: all([gateway.metadata]).apply(([metadata]) => metadata?.name ?? "stackling") }],
        hostnames: [...hosts],
        rules: [{ backendRefs: [{ name: service, port: 80 }] }],
      },
    },
    { parent, dependsOn: [gateway] },
  );
}
