/** A pull request's life on a cluster: real API server and controllers, played nodes and pods. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { eventually } from "../support/eventually.ts";
import { requires } from "../support/requires.ts";
import { type Change, type ClusterWorld, startClusterWorld } from "./support/cluster-world.ts";

describe("a pull request's preview on a cluster", requires("engine", "postgres", "kubernetes"), () => {
  let cluster: ClusterWorld;
  let change: Change;
  before(async () => {
    cluster = await startClusterWorld({ prefix: "life" });
  });
  after(() => cluster?.remove());

  const key = () => `shop#${change.number}`;
  const namespace = () => cluster.namespaceOf(change.number);
  const act = (action: "sleep" | "wake" | "repair") => cluster.world.instance.client.act(key(), { action });
  const pods = async () => (await cluster.core.listNamespacedPod({ namespace: namespace() })).items;
  const uid = async () => (await cluster.deployment(change.number)).metadata?.uid;

  it("goes from a signed webhook to a link that its pod answers", async () => {
    change = await cluster.open("cart");
    const { url = "" } = await cluster.live(change);
    await cluster.serves(change);
    assert.notDeepEqual(await cluster.databases(), []);
    const text = await cluster.world.commented(change.number, /is ready/);
    assert.ok(text.includes(`](${url})`), text);
  });

  it("has walls, and was migrated before it got traffic", async () => {
    const { core, networking, batch } = cluster;
    const where = { namespace: namespace() };
    const { metadata } = await core.readNamespace({ name: namespace() });
    assert.equal(metadata?.labels?.["pod-security.kubernetes.io/enforce"], "restricted");
    assert.equal(metadata?.labels?.["stackling.dev/stack"], `shop-pr-${change.number}`);
    const [quotas, limits, policies, accounts] = await Promise.all([
      core.listNamespacedResourceQuota(where),
      core.listNamespacedLimitRange(where),
      networking.listNamespacedNetworkPolicy(where),
      core.listNamespacedServiceAccount(where),
    ]);
    assert.deepEqual([quotas.items.length, limits.items.length], [1, 1]);
    const closed = policies.items.find(({ spec }) => !spec?.ingress && !spec?.egress);
    assert.deepEqual({ ...closed?.spec?.podSelector }, {});
    assert.deepEqual(closed?.spec?.policyTypes, ["Ingress", "Egress"]);
    const [web] = (await pods()).filter(({ status }) => status?.phase === "Running");
    assert.equal(web?.spec?.automountServiceAccountToken, false);
    assert.ok(accounts.items.some(({ metadata: { name } = {} }) => name === web?.spec?.serviceAccountName));
    const [migration] = (await batch.listNamespacedJob(where)).items;
    const migrated = migration?.status?.completionTime?.getTime() ?? Number.POSITIVE_INFINITY;
    assert.ok(
      migrated <= (web?.metadata?.creationTimestamp?.getTime() ?? 0),
      "the migration ended before the pod began",
    );
  });

  it("serves what was pushed from the same objects", async () => {
    const before = await uid();
    change = await cluster.push(change.number);
    await cluster.live(change);
    await cluster.serves(change);
    assert.equal(await uid(), before);
  });

  it("has no drift when nobody touched it", async () => {
    assert.deepEqual((await cluster.world.instance.client.drift(key())).differences, []);
  });

  it("sees what was deleted and edited by hand, and repairs it", async () => {
    const { core, apps } = cluster;
    await core.deleteNamespacedService({ name: "web", namespace: namespace() });
    const edit = (value: string) => [{ op: "replace", path: "/metadata/labels/stackling.dev~1stack", value }];
    const deployment = { name: "web", namespace: namespace() };
    const { metadata } = await apps.readNamespacedDeployment(deployment);
    assert.equal(metadata?.labels?.["stackling.dev/stack"], `shop-pr-${change.number}`);
    await apps.patchNamespacedDeployment({ ...deployment, body: edit("mine") });

    const { differences } = await cluster.world.instance.client.drift(key());
    const seen = differences.map(({ type, kind }) => `${type} ${kind}`).toSorted();
    assert.deepEqual(seen, ["kubernetes:apps/v1:Deployment changed", "kubernetes:core/v1:Service missing"]);
    await act("repair");
    await eventually(async () => {
      const mended = await apps.readNamespacedDeployment(deployment);
      return mended.metadata?.labels?.["stackling.dev/stack"] === `shop-pr-${change.number}`;
    });
    await cluster.serves(change);
    await cluster.live(change);
    assert.deepEqual((await cluster.world.instance.client.drift(key())).differences, []);
  });

  it("sleeps without a pod and without drift", async () => {
    await act("sleep");
    await cluster.world.instance.waitFor(key(), (p) => !p.awake, "asleep");
    await eventually(async () => (await pods()).every(({ status }) => status?.phase === "Succeeded"));
    assert.equal((await cluster.deployment(change.number)).spec?.replicas, 0);
    assert.deepEqual((await cluster.world.instance.client.drift(key())).differences, []);
  });

  it("is woken by a visit", async () => {
    await cluster.serves(change);
    const { awake } = await cluster.world.instance.waitFor(key(), (p) => p.awake, "awake");
    assert.equal(awake, true);
    assert.equal((await cluster.deployment(change.number)).spec?.replicas, 1);
  });

  it("leaves nothing when the pull request is closed, and says so", async () => {
    await cluster.world.github.close(change.number);
    await cluster.gone(change.number);
    await cluster.world.commented(change.number, /is gone/);
    assert.deepEqual(await cluster.namespaces(), []);
    assert.deepEqual(await cluster.databases(), []);
  });
});
