/** The platform program on a real API server: what it declares is admitted, and its role is what the driver needs. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { AppsV1Api, CoreV1Api, KubeConfig } from "@kubernetes/client-node";
import { runtime } from "@pulumi/pulumi";
import { kubernetesService } from "../../components/service/kubernetes.ts";
import { install } from "../../infra/platform/program.ts";
import { readSettings } from "../../infra/platform/settings.ts";
import { tagged } from "../../infra/tags.ts";
import { eventually } from "../support/eventually.ts";
import { type Kubelab, useKubelab } from "../support/kubernetes/kubelab.ts";
import { type KubernetesPlugin, kubernetesPlugin } from "../support/kubernetes/plugin.ts";
import { requires } from "../support/requires.ts";
import { type OwnStack, ownStack } from "./support/own-stack.ts";

const NAMESPACE = "stackling-platform-test";

describe("the platform on a cluster", requires("engine", "kubernetes"), () => {
  let lab: Kubelab;
  let plugin: KubernetesPlugin;
  let own: OwnStack;
  let core: CoreV1Api;
  let apps: AppsV1Api;

  before(async () => {
    [lab, plugin] = await Promise.all([useKubelab(), kubernetesPlugin()]);
    const config = new KubeConfig();
    config.loadFromFile(lab.kubeconfig);
    core = config.makeApiClient(CoreV1Api);
    apps = config.makeApiClient(AppsV1Api);
    own = await ownStack({ name: "platform", path: plugin.folder });
    own.become(program("comments: false\n"));
  });
  after(async () => {
    delete process.env.PLATFORM_KUBECONFIG;
    await own?.stack.destroy();
    await own?.remove();
    await plugin?.remove();
    await lab?.stop();
  });

  const program = (configuration: string) => async () => {
    runtime.registerResourceTransform((resource) => tagged(resource, { platform: "test" }));
    runtime.registerResourceTransform(({ type, name, props, opts }) => {
      // The real plugin makes names up, which the tests' stand-in does not.
      if (!/^kubernetes:core\/v1:(ConfigMap|Secret)$/.test(type) || props.metadata.name) return undefined;
      return { props: { ...props, metadata: { ...props.metadata, name: `${name}-${configuration.length}` } }, opts };
    });
    const settings = readSettings({
      image: "registry.test/stackling:0.1.0",
      domain: "preview.test.dev",
      secrets: { STORE_URL: "postgres://a:hush@db/store" },
      kubernetes: {
        kubeconfig: { file: lab.kubeconfig },
        namespace: NAMESPACE,
        entrance: { ingressClass: "nginx" },
        certificate: { secretName: "wildcard" },
      },
    });
    return { ...(await install(settings, configuration)) };
  };

  const deployment = async () => (await apps.listNamespacedDeployment({ namespace: NAMESPACE })).items[0];

  it("comes up with both replicas under restricted Pod Security", async () => {
    const { outputs } = await own.stack.up();
    assert.equal(outputs.url?.value, "https://preview.test.dev");
    await eventually(async () => (await deployment())?.status?.availableReplicas === 2, { what: "two replicas" });
  });

  it("has nothing to do when nothing changed", async () => {
    const { changeSummary } = await own.stack.preview();
    assert.deepEqual(Object.keys(changeSummary), ["same"]);
  });

  it("gives its account all that doctor asks for, and nothing beyond", async () => {
    const { status } = await core.createNamespacedServiceAccountToken({
      name: "stackling",
      namespace: NAMESPACE,
      body: { spec: { audiences: [] } },
    });
    const admin = new KubeConfig();
    admin.loadFromFile(lab.kubeconfig);
    const cluster = admin.getCurrentCluster();
    assert.ok(cluster && status);
    const account = new KubeConfig();
    account.loadFromClusterAndUser(cluster, { name: "stackling", token: status.token });
    process.env.PLATFORM_KUBECONFIG = account.exportConfig();
    const options = kubernetesService.options.parse({ kubeconfig: { env: "PLATFORM_KUBECONFIG" } });
    const findings = (await kubernetesService.operations.check?.(options)) ?? [];
    assert.ok(findings.length > 0);
    assert.deepEqual(
      findings.filter(({ ok }) => !ok),
      [],
    );
    await assert.rejects(account.makeApiClient(CoreV1Api).listNode(), { code: 403 });
  });

  it("rolls its pods onto a changed configuration", async () => {
    const before = (await deployment())?.metadata?.generation ?? 0;
    own.become(program("comments: true\nlog: stderr\n"));
    await own.stack.up();
    assert.ok(((await deployment())?.metadata?.generation ?? 0) > before);
    const maps = (await core.listNamespacedConfigMap({ namespace: NAMESPACE })).items.filter(({ data }) =>
      Object.hasOwn(data ?? {}, "stackling.yaml"),
    );
    assert.deepEqual(
      maps.map(({ data }) => data?.["stackling.yaml"]),
      ["comments: true\nlog: stderr\n"],
    );
  });
});
