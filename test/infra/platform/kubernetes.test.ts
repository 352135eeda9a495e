import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { secret } from "@pulumi/pulumi";
import { PERMISSIONS } from "../../../components/kubernetes/check.ts";
import { permissions } from "../../../components/kubernetes/permissions.ts";
import { createCluster, KubernetesPlatform, type KubernetesPlatformArgs } from "../../../infra/platform/kubernetes.ts";
import { type Declared, type Graph, graphOf } from "./graph.ts";

const wish: KubernetesPlatformArgs = {
  image: "registry.acme.dev/stackling:0.1.0",
  domain: "preview.acme.dev",
  replicas: 2,
  configuration: "url: https://preview.acme.dev\n",
  secrets: secret({ STORE_URL: "postgres://a:hush@db/store" }),
  secretNames: ["STORE_URL"],
  namespace: "stackling",
  entrance: { ingressClass: "nginx", annotations: { "nginx.ingress.kubernetes.io/proxy-body-size": "25m" } },
  certificate: { issuer: "letsencrypt-dns", kind: "ClusterIssuer" },
  accountAnnotations: { "eks.amazonaws.com/role-arn": "arn:aws:iam::123456789012:role/stackling" },
  previewPriority: -1000,
  visitorCidrs: [],
};

const install = (change: Partial<KubernetesPlatformArgs> = {}): Promise<Graph> =>
  graphOf(() => {
    const provider = createCluster("cluster", { kubeconfig: { file: "/etc/kubeconfig" } });
    new KubernetesPlatform("stackling", { ...wish, ...change }, { provider });
  });

/** Inputs are as deep as Kubernetes has them. */
const at = (declared: Declared, path: string): unknown =>
  path.split(".").reduce<unknown>((value, key) => Object(value)[key], declared.inputs);

describe("the platform on Kubernetes", () => {
  let graph: Graph;
  before(async () => {
    graph = await install();
  });

  const pod = () => at(graph.one("kubernetes:apps/v1:Deployment"), "spec.template.spec");
  const container = () => Object(pod()).containers[0];

  it("runs the image with its replicas, and never fewer while it rolls", () => {
    const deployment = graph.one("kubernetes:apps/v1:Deployment");
    assert.equal(at(deployment, "spec.replicas"), 2);
    assert.deepEqual(at(deployment, "spec.strategy.rollingUpdate"), { maxUnavailable: 0, maxSurge: 1 });
    assert.equal(container().image, wish.image);
    assert.equal(at(graph.one("kubernetes:policy/v1:PodDisruptionBudget"), "spec.maxUnavailable"), 1);
  });

  it("runs as a user that may do nothing to the machine, on a root that it cannot write", () => {
    assert.equal(Object(pod()).securityContext.runAsNonRoot, true);
    assert.deepEqual(container().securityContext, {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    });
    const volumes = Object(pod()).volumes.map(({ name }: { name: string }) => name);
    assert.deepEqual(volumes, ["configuration", "data", "tmp"]);
    assert.equal(
      at(graph.one("kubernetes:core/v1:Namespace"), "metadata.labels")?.["pod-security.kubernetes.io/enforce" as never],
      "restricted",
    );
  });

  it("takes over once everything answers, and then serves on while a forge is away", () => {
    const { startupProbe, livenessProbe, readinessProbe, args } = container();
    assert.equal(startupProbe.httpGet.path, "/readyz");
    assert.equal(livenessProbe.httpGet.path, "/healthz");
    assert.equal(readinessProbe.httpGet.path, "/healthz");
    assert.deepEqual(args.slice(-4), ["--host", "0.0.0.0", "--port", "4000"]);
  });

  it("keeps secrets in a Secret that is one in the state too, and rolls when it changes", () => {
    const { inputs, name } = graph.one("kubernetes:core/v1:Secret");
    const data = JSON.stringify(inputs.stringData);
    assert.match(data, /1b47061264138c4ac30d75fd1eb44270/, "marked as a secret");
    assert.equal(at({ inputs } as Declared, "metadata.name"), undefined, "a name of the provider's choice");
    assert.equal(graph.all.filter((one) => one.name !== name && JSON.stringify(one.inputs).includes("hush")).length, 0);
  });

  it("gives its account exactly what the driver declares, and nothing on nodes or roles", () => {
    const role = graph.one("kubernetes:rbac.authorization.k8s.io/v1:ClusterRole");
    assert.deepEqual(role.inputs.rules, JSON.parse(JSON.stringify(permissions)));
    const words = JSON.stringify(role.inputs.rules);
    assert.doesNotMatch(words, /"\*"|"nodes"|roles|impersonate|escalate|"bind"/);
    const { subjects, roleRef } = graph.one("kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding").inputs;
    assert.deepEqual(subjects, [{ kind: "ServiceAccount", name: "stackling", namespace: "stackling" }]);
    assert.equal(Object(roleRef).name, "stackling-stackling");
  });

  it("allows every call whose permission doctor asks for", () => {
    for (const [what, verbs] of Object.entries(PERMISSIONS)) {
      const [group = "", ...resource] = what.split("/");
      for (const verb of verbs) {
        const allowed = permissions.some(
          (rule) =>
            rule.apiGroups.includes(group) && rule.resources.includes(resource.join("/")) && rule.verbs.includes(verb),
        );
        assert.ok(allowed, `${verb} ${what}`);
      }
    }
  });

  it("has one wildcard certificate and one ingress for pages and previews", () => {
    const certificate = graph.one("kubernetes:cert-manager.io/v1:Certificate");
    assert.deepEqual(at(certificate, "spec.dnsNames"), ["preview.acme.dev", "*.preview.acme.dev"]);
    assert.equal(at(certificate, "spec.issuerRef.name"), "letsencrypt-dns");
    const ingress = graph.one("kubernetes:networking.k8s.io/v1:Ingress");
    const rules = at(ingress, "spec.rules") as { host: string }[];
    assert.deepEqual(
      rules.map(({ host }) => host),
      ["preview.acme.dev", "*.preview.acme.dev"],
    );
    assert.equal(Object(at(ingress, "spec.tls"))[0].secretName, at(certificate, "spec.secretName"));
  });

  it("takes a gateway in place of an ingress, and a TLS secret in place of an issuer", async () => {
    const other = await install({ entrance: { gatewayClass: "cilium" }, certificate: { secretName: "wildcard" } });
    assert.equal(other.of("kubernetes:networking.k8s.io/v1:Ingress").length, 0);
    assert.equal(other.of("kubernetes:cert-manager.io/v1:Certificate").length, 0);
    const listeners = at(other.one("kubernetes:gateway.networking.k8s.io/v1:Gateway"), "spec.listeners") as {
      tls: { certificateRefs: { name: string }[] };
    }[];
    assert.deepEqual(
      listeners.map(({ tls }) => tls.certificateRefs[0]?.name),
      ["wildcard", "wildcard"],
    );
    const route = other.one("kubernetes:gateway.networking.k8s.io/v1:HTTPRoute");
    assert.deepEqual(at(route, "spec.parentRefs"), [{ name: "stackling" }]);
  });

  it("puts previews below everything else and keeps them away from its own port", () => {
    const priority = graph.one("kubernetes:scheduling.k8s.io/v1:PriorityClass");
    assert.equal(priority.inputs.value, -1000);
    assert.equal(priority.inputs.preemptionPolicy, "Never");
    const policy = JSON.stringify(graph.one("kubernetes:networking.k8s.io/v1:NetworkPolicy").inputs.spec);
    assert.match(policy, /"key":"stackling.dev\/preview","operator":"DoesNotExist"/);
  });

  it("lets in a load balancer that is no pod of the cluster, by its addresses", async () => {
    const open = await install({ visitorCidrs: ["10.0.1.0/24"] });
    const policy = open.one("kubernetes:networking.k8s.io/v1:NetworkPolicy");
    const [rule] = at(policy, "spec.ingress") as { from: object[]; ports: object[] }[];
    assert.deepEqual(rule?.from[1], { ipBlock: { cidr: "10.0.1.0/24" } });
    assert.deepEqual(rule?.ports, [{ port: 4000 }]);
  });

  it("asks every resource of the given cluster and labels it as the platform's, never as a preview's", () => {
    const made = graph.all.filter(({ type }) => type.startsWith("kubernetes:"));
    assert.ok(made.length >= 11);
    for (const { name, provider, inputs } of made) {
      assert.match(provider, /::cluster::/, name);
      const labels = Object(Object(inputs.metadata).labels);
      assert.equal(labels["stackling.dev/platform"], "prod", name);
      assert.equal(labels["stackling.dev/stack"] ?? labels["stackling.dev/preview"], undefined, name);
      assert.match(name, /^stackling-/);
    }
  });

  it("changes only the configuration and the pods when the configuration changes", async () => {
    const other = await install({ configuration: "url: https://preview.acme.dev\ncomments: false\n" });
    const changed = other.all.filter(
      ({ name, inputs }) => JSON.stringify(inputs) !== JSON.stringify(graph.one(name).inputs),
    );
    assert.deepEqual(
      changed.map(({ name }) => name),
      ["stackling-configuration"],
    );
    assert.equal(at(graph.one("stackling-configuration"), "metadata.name"), undefined, "so that the pods follow");
  });
});
