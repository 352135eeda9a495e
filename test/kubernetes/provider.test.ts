/** What the provider behind `@pulumi/kubernetes` does on a real API server, whichever plays it here. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, beforeEach, describe, it } from "node:test";
import { AppsV1Api, CoreV1Api, KubeConfig } from "@kubernetes/client-node";
import { apps, core, Provider } from "@pulumi/kubernetes";
import { secret } from "@pulumi/pulumi";
import { whereIs } from "../e2e/support/oracle.ts";
import { eventually } from "../support/eventually.ts";
import { type Kubelab, useKubelab } from "../support/kubernetes/kubelab.ts";
import { type KubernetesPlugin, kubernetesPlugin } from "../support/kubernetes/plugin.ts";
import { requires } from "../support/requires.ts";
import { type OwnStack, ownStack } from "./support/own-stack.ts";

const NAMESPACE = "own-program";
const PASSWORD = "correct horse battery staple";

interface Wish {
  readonly greeting?: string;
  readonly image?: string;
  readonly password?: string;
}

describe("the provider of kubernetes", requires("engine", "kubernetes"), () => {
  let lab: Kubelab;
  let plugin: KubernetesPlugin;
  let own: OwnStack;
  let clusterCore: CoreV1Api;
  let clusterApps: AppsV1Api;
  before(async () => {
    lab = await useKubelab();
    plugin = await kubernetesPlugin();
    const config = new KubeConfig();
    config.loadFromFile(lab.kubeconfig);
    clusterCore = config.makeApiClient(CoreV1Api);
    clusterApps = config.makeApiClient(AppsV1Api);
    own = await ownStack({ name: "own", path: plugin.folder });
  });
  after(async () => {
    await own?.remove();
    await plugin?.remove();
    await lab?.stop();
  });

  const program =
    ({ greeting = "hello", image = "registry.test/web@sha256:00", password = PASSWORD }: Wish = {}) =>
    async () => {
      const provider = new Provider("cluster", {
        kubeconfig: lab.kubeconfig,
        enableConfigMapMutable: true,
        enableSecretMutable: true,
        enablePatchForce: true,
      });
      const opts = { provider };
      const quick = { "pulumi.com/skipAwait": "true" };
      const namespace = new core.v1.Namespace(
        "namespace",
        { metadata: { name: NAMESPACE, labels: { of: "a" } } },
        opts,
      );
      const place = { namespace: namespace.metadata.name };
      new core.v1.ConfigMap("config", { metadata: { name: "config", ...place }, data: { greeting } }, opts);
      new core.v1.Secret(
        "secret",
        { metadata: { name: "secret", ...place }, stringData: { password: secret(password) } },
        opts,
      );
      const labels = { app: "web" };
      const web = new apps.v1.Deployment(
        "web",
        {
          metadata: { name: "web", ...place, annotations: quick },
          spec: {
            selector: { matchLabels: labels },
            template: {
              metadata: { labels },
              spec: {
                containers: [{ name: "web", image, resources: { limits: { cpu: "0.5", memory: "1024Mi" } } }],
              },
            },
          },
        },
        opts,
      );
      return { web: web.metadata.name, namespace: place.namespace };
    };
  beforeEach(() => own.become(program()));
  const greeting = async () =>
    (await clusterCore.readNamespacedConfigMap({ name: "config", namespace: NAMESPACE })).data?.greeting;

  it("creates what the program declares, and pods come up", async () => {
    const { outputs } = await own.stack.up();
    assert.deepEqual([outputs.web?.value, outputs.namespace?.value], ["web", NAMESPACE]);
    assert.equal(await greeting(), "hello");
    await eventually(async () => {
      const { status } = await clusterApps.readNamespacedDeployment({ name: "web", namespace: NAMESPACE });
      return status?.availableReplicas === 1;
    });
  });

  it("finds nothing to do when nothing changed, whatever the cluster made of it", async () => {
    await own.stack.refresh();
    const { changeSummary } = await own.stack.preview();
    assert.deepEqual(Object.keys(changeSummary), ["same"]);
  });

  it("changes in place what may change", async () => {
    const uid = async () =>
      (await clusterCore.readNamespacedConfigMap({ name: "config", namespace: NAMESPACE })).metadata?.uid;
    const before = await uid();
    own.become(program({ greeting: "good day", image: "registry.test/web@sha256:01" }));
    const { summary } = await own.stack.up();
    assert.equal(summary.resourceChanges?.update, 2);
    assert.equal(await greeting(), "good day");
    assert.equal(await uid(), before);
  });

  it("leaves alone how many replicas somebody asked for", async () => {
    await clusterApps.patchNamespacedDeploymentScale({
      name: "web",
      namespace: NAMESPACE,
      body: [{ op: "replace", path: "/spec/replicas", value: 0 }],
    });
    own.become(program({ greeting: "good day", image: "registry.test/web@sha256:02" }));
    await own.stack.up({ refresh: true });
    const { spec } = await clusterApps.readNamespacedDeployment({ name: "web", namespace: NAMESPACE });
    assert.equal(spec?.replicas, 0);
    assert.equal(spec?.template.spec?.containers[0]?.image, "registry.test/web@sha256:02");
  });

  it("sees and mends what was changed or deleted by hand", async () => {
    await clusterCore.patchNamespacedConfigMap({
      name: "config",
      namespace: NAMESPACE,
      body: [{ op: "replace", path: "/data/greeting", value: "tampered" }],
    });
    await clusterCore.deleteNamespacedSecret({ name: "secret", namespace: NAMESPACE });
    const { summary } = await own.stack.up({ refresh: true });
    assert.deepEqual([summary.resourceChanges?.create, summary.resourceChanges?.update], [1, 2]);
    assert.equal(await greeting(), "hello");
    const { data } = await clusterCore.readNamespacedSecret({ name: "secret", namespace: NAMESPACE });
    assert.equal(Buffer.from(data?.password ?? "", "base64").toString(), PASSWORD);
  });

  it("keeps secrets out of the state", async () => {
    assert.notDeepEqual(await whereIs("registry.test/web", own.folder), []);
    const token = /token: (\S+)/.exec(await readFile(lab.kubeconfig, "utf8"))?.[1] ?? "";
    assert.ok(token.length > 20);
    for (const word of [PASSWORD, Buffer.from(PASSWORD).toString("base64"), token])
      assert.deepEqual(await whereIs(word, own.folder), []);
  });

  it("does not take over what exists already", async () => {
    await clusterCore.createNamespace({ body: { metadata: { name: "others" } } });
    own.become(async () => {
      const provider = new Provider("cluster", { kubeconfig: lab.kubeconfig });
      new core.v1.Namespace("namespace", { metadata: { name: "others" } }, { provider });
      return {};
    });
    await assert.rejects(own.stack.up(), /already exists/);
    await clusterCore.deleteNamespace({ name: "others" });
  });

  it("waits until everything is gone", async () => {
    await own.stack.destroy();
    await assert.rejects(clusterCore.readNamespace({ name: NAMESPACE }), { code: 404 });
  });
});
