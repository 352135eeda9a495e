/** The driver's questions to a cluster, on recorded answers; test/kubernetes asks a real API server. */
import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { afterEach, beforeEach, describe, it } from "node:test";
import { StacklingError, TerminalError } from "../../../components/errors.ts";
import { connect } from "../../../components/kubernetes/client.ts";
import { awaitDeployment } from "../../../components/kubernetes/rollout.ts";
import type { LogLine, LogQuery } from "../../../components/ports.ts";
import { kubernetesService } from "../../../components/service/kubernetes.ts";
import { type ClusterServer, failWith, startClusterServer } from "./cluster-server.ts";

const { operations } = kubernetesService;
const NAMESPACE = "preview-shop-pr-1";
const PODS = `GET /api/v1/namespaces/${NAMESPACE}/pods`;

let server: ClusterServer;
beforeEach(async () => {
  server = await startClusterServer();
});
afterEach(() => server.close());

const context = () => ({ options: server.options, stack: "shop-pr-1" });

function podOf(name: string, service: string, more: object = {}): object {
  return {
    metadata: {
      name,
      uid: name,
      namespace: NAMESPACE,
      creationTimestamp: "2026-11-21T10:00:00Z",
      labels: { "preview.stackling.dev/service": service },
    },
    spec: { containers: [{ name: service.replace(".task", "") }] },
    status: { phase: "Running" },
    ...more,
  };
}

describe("the logs of a preview", () => {
  const read = async (query: Partial<LogQuery> = {}) => {
    const lines: LogLine[] = [];
    const asked = { tail: 10, follow: false, signal: new AbortController().signal, ...query };
    for await (const line of operations.logs?.(context(), asked) ?? []) lines.push(line);
    return lines;
  };
  beforeEach(() => {
    const items = [podOf("web-1", "web"), podOf("migrate-1", "migrate.task"), podOf("api-1", "api")];
    server.answer(PODS, { items });
    server.answer(
      `${PODS}/web-1/log`,
      "2026-11-21T10:00:01.123456789Z listening\n2026-11-21T10:00:02Z password=hunter22\n",
    );
    server.answer(`${PODS}/migrate-1/log`, "2026-11-21T09:59:00.5Z migrated\n");
  });

  it("come by service with their times, redacted, and without those that have none yet", async () => {
    assert.deepEqual(await read(), [
      { service: "migrate", at: "2026-11-21T09:59:00.500Z", text: "migrated" },
      { service: "web", at: "2026-11-21T10:00:01.123Z", text: "listening" },
      { service: "web", at: "2026-11-21T10:00:02.000Z", text: "password=[redacted]" },
    ]);
  });

  it("are those of one service, cut at the end", async () => {
    const lines = await read({ service: "web", tail: 1 });
    assert.deepEqual(
      lines.map(({ text }) => text),
      ["password=[redacted]"],
    );
  });

  it("go on behind what was read, over a restart, until nobody listens any more", async () => {
    const streams: ServerResponse[] = [];
    server.answer(`${PODS}/web-1/log`, (_request, response, url) => {
      response.writeHead(200, { "content-type": "text/plain" });
      const written = "2026-11-21T10:00:02Z old\n";
      if (url.searchParams.get("follow") !== "true") return void response.end(written);
      streams.push(response);
      // Again what was read already, and a container that ends and begins anew.
      response.write("2026-11-21T10:00:02.000000000Z old\n2026-11-21T10:00:03.000000000Z first\n");
      if (streams.length === 1) return void response.end();
      response.write("2026-11-21T10:00:04.000000000Z sec");
      setImmediate(() => response.write("ond\n"));
    });
    const stop = new AbortController();
    const lines: string[] = [];
    const query = { service: "web", tail: 10, follow: true, signal: stop.signal };
    for await (const { text } of operations.logs?.(context(), query) ?? []) {
      lines.push(text);
      if (lines.length === 3) stop.abort();
    }
    assert.deepEqual(lines, ["old", "first", "second"]);
    assert.equal(streams.length, 2);
  });
});

describe("a version that crashes", () => {
  it("is told with its last lines, without the secrets among them", async () => {
    const metadata = { name: "web", namespace: NAMESPACE, uid: "d", generation: 2 };
    server.answer(`GET /apis/apps/v1/namespaces/${NAMESPACE}/deployments/web`, {
      metadata: { ...metadata, labels: { "preview.stackling.dev/service": "web" } },
      spec: { replicas: 1, template: { metadata: {}, spec: { containers: [] } } },
      status: { observedGeneration: 2, replicas: 2, updatedReplicas: 1, availableReplicas: 1 },
    });
    server.answer(`GET /apis/apps/v1/namespaces/${NAMESPACE}/replicasets`, {
      items: ["1", "2"].map((revision) => ({
        metadata: {
          uid: `set-${revision}`,
          ownerReferences: [{ uid: "d" }],
          annotations: { "deployment.kubernetes.io/revision": revision },
        },
      })),
    });
    const crashed = {
      name: "web",
      restartCount: 2,
      ready: false,
      state: { waiting: { reason: "CrashLoopBackOff" } },
      lastState: { terminated: { exitCode: 1, reason: "Error" } },
    };
    const pod = podOf("web-2", "web", { status: { phase: "Running", containerStatuses: [crashed] } });
    const owned = { ...pod, metadata: { name: "web-2", uid: "web-2", ownerReferences: [{ uid: "set-2" }] } };
    server.answer(PODS, { items: [podOf("web-1", "web"), owned] });
    server.answer(`GET /api/v1/namespaces/${NAMESPACE}/events`, { items: [] });
    server.answer(`${PODS}/web-2/log`, "connecting to postgres://u:s3cr3t-pw@db/x\nError: relation s3cr3t-pw\n");

    const waiting = {
      namespace: NAMESPACE,
      deadlineMs: 60_000,
      signal: new AbortController().signal,
      say: () => {},
      secrets: ["s3cr3t-pw"],
    };
    const cluster = await connect(server.options);
    await assert.rejects(awaitDeployment(cluster, { name: "web", listens: true }, waiting), (error) => {
      assert.ok(error instanceof TerminalError);
      assert.equal(error.reason, "StartFailed");
      assert.equal(error.userMessage, 'starting service "web": container "web" exited with code 1 2 times');
      assert.deepEqual(error.excerpt, ["connecting to postgres://[redacted]@db/x", "Error: relation [redacted]"]);
      return true;
    });
    assert.ok(server.asked.includes(`${PODS}/web-2/log?container=web&previous=true&tailLines=20`));
  });
});

describe("a namespace", () => {
  const SELF = `GET /api/v1/namespaces/${NAMESPACE}`;
  const thing = { kind: "namespace", id: NAMESPACE, stack: "shop-pr-1" };
  const namespace = (labels: object, more: object = {}) => ({ metadata: { name: NAMESPACE, labels, ...more } });

  it("of somebody else is neither removed nor counted as ours", async () => {
    server.answer(SELF, namespace({ "stackling.dev/stack": "other-pr-9" }));
    await assert.rejects(
      async () => operations.remove?.(server.options, thing),
      (error) => error instanceof TerminalError && error.reason === "NameTaken",
    );
    assert.ok(!server.asked.some((asked) => asked.startsWith("DELETE")));
    server.answer("GET /api/v1/namespaces", {
      items: [
        namespace({ "stackling.dev/stack": "other-pr-9" }),
        { metadata: { name: "staging-shop-pr-1", labels: { "stackling.dev/stack": "shop-pr-1" } } },
        namespace({ "stackling.dev/stack": "shop-pr-1" }),
      ],
    });
    assert.deepEqual(await operations.owned?.(server.options), [thing]);
  });

  it("that is gone already is removed", async () => {
    await operations.remove?.(server.options, thing);
  });

  it("that a finalizer holds says which, and what to do", async () => {
    server.answer(SELF, {
      ...namespace({ "stackling.dev/stack": "shop-pr-1" }, { deletionTimestamp: "2026-11-21T10:00:00Z" }),
      status: {
        conditions: [
          {
            type: "NamespaceFinalizersRemaining",
            status: "True",
            message: "Some content in the namespace has finalizers remaining: acme.dev/hold in 1 resource instances",
          },
        ],
      },
    });
    assert.equal(
      await operations.explain?.(context()),
      `namespace "${NAMESPACE}": it is in deletion since 2026-11-21T10:00:00.000Z: Some content in the namespace has finalizers remaining: acme.dev/hold in 1 resource instances; start the controller that serves the finalizer, or take the finalizer out of what is named`,
    );
  });
});

describe("a cluster", () => {
  it("that does not answer is an outage, and the gateway goes on without it", async () => {
    const { options } = server;
    await server.stop();
    await assert.rejects(
      async () => operations.owned?.(options),
      (error) =>
        error instanceof StacklingError &&
        !(error instanceof TerminalError) &&
        error.reason === "TargetUnreachable" &&
        /the cluster cannot be reached \(ECONNREFUSED\)/.test(error.userMessage),
    );
    assert.equal(
      await operations.address?.({ options, stack: "shop-pr-1" }, "web"),
      `web.${NAMESPACE}.svc.cluster.local:80`,
    );
    const [finding] = (await operations.check?.(options)) ?? [];
    assert.deepEqual([finding?.ok, finding?.remedy !== undefined], [false, true]);
  });

  it("that says no is asked no more, and names verb and resource", async () => {
    const words = 'namespaces is forbidden: User "ci" cannot list resource "namespaces" in API group ""';
    server.answer("GET /api/v1/namespaces", (_request, response) => failWith(response, 403, "Forbidden", words));
    await assert.rejects(
      async () => operations.owned?.(server.options),
      (error) =>
        error instanceof TerminalError && error.reason === "TargetForbidden" && error.userMessage.endsWith(words),
    );
  });

  it("whose kubeconfig is missing is named, and not what may be in it", async () => {
    const options = { ...server.options, kubeconfig: { file: "/nowhere/kubeconfig" } };
    await assert.rejects(
      async () => operations.owned?.(options),
      (error) =>
        error instanceof TerminalError &&
        error.reason === "TargetInvalid" &&
        error.userMessage.includes('kubeconfig file "/nowhere/kubeconfig" cannot be read as a kubeconfig (ENOENT)'),
    );
  });

  it("shows doctor its version and what it does not allow", async () => {
    server.answer("GET /version", { major: "1", minor: "36+", gitVersion: "v1.36.3" });
    server.answer("POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews", (request, response) => {
      let text = "";
      request.on("data", (chunk) => {
        text += chunk;
      });
      request.on("end", () => {
        const { resource, verb, subresource } = JSON.parse(text).spec.resourceAttributes;
        const allowed = !(subresource === "log" || (resource === "namespaces" && verb === "delete"));
        response.writeHead(201, { "content-type": "application/json" }).end(JSON.stringify({ status: { allowed } }));
      });
    });
    assert.deepEqual(await operations.check?.(server.options), [
      { ok: true, what: 'cluster "recorded": Kubernetes v1.36.3' },
      {
        ok: false,
        what: "the cluster does not allow: delete namespaces, get pods/log",
        remedy: "grant the role of docs/targets.md to the identity of the target's kubeconfig",
      },
    ]);
  });

  it("without the Gateway API is no target for HTTPRoutes, and doctor says what to install", async () => {
    server.answer("GET /version", { major: "1", minor: "36", gitVersion: "v1.36.3" });
    server.answer("POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews", { status: { allowed: true } });
    const direct = { gateway: { name: "public", namespace: "edge" } };
    const options = kubernetesService.options.parse({ ...server.options, edge: { direct } });
    const [, , missing] = (await operations.check?.(options)) ?? [];
    assert.equal(missing?.ok, false);
    assert.match(missing?.what ?? "", /does not serve "gateway.networking.k8s.io\/v1"; install the Gateway API/);
    server.answer("GET /apis/gateway.networking.k8s.io/v1", { resources: [{ name: "httproutes", kind: "HTTPRoute" }] });
    const [, , there] = (await operations.check?.(options)) ?? [];
    assert.equal(there?.ok, true);
  });

  it("is not waited for on waking once nobody wants the preview any more", async () => {
    const labels = { "preview.stackling.dev/service": "web" };
    const metadata = { name: "web", namespace: NAMESPACE, labels, generation: 1 };
    const web = { metadata, spec: { replicas: 1, template: { metadata: { labels } } } };
    const deployments = `GET /apis/apps/v1/namespaces/${NAMESPACE}/deployments`;
    const unwanted = new AbortController();
    server.answer(deployments, { items: [web] });
    server.answer(`${deployments}/web`, (_request, response) => {
      unwanted.abort(new Error("it is closed"));
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(web));
    });
    server.answer(`GET /apis/batch/v1/namespaces/${NAMESPACE}/cronjobs`, { items: [] });
    const woken = operations.setAwake?.(context(), true, unwanted.signal);
    await assert.rejects(woken ?? Promise.resolve(), /waking namespace/);
    assert.ok(!server.asked.some((question) => question.includes("replicasets")), "it went on waiting");
  });

  it("tells who changed an object last, leaving out its own controllers and us", async () => {
    server.answer("GET /apis/apps/v1", { resources: [{ name: "deployments", kind: "Deployment", namespaced: true }] });
    const managedFields = [
      { manager: "pulumi-kubernetes-1", time: "2026-11-21T10:00:00Z" },
      { manager: "kubectl-edit", time: "2026-11-21T10:05:00Z" },
      { manager: "kube-controller-manager", time: "2026-11-21T10:06:00Z", subresource: "status" },
      { manager: "stackling", time: "2026-11-21T10:07:00Z" },
    ];
    server.answer(`GET /apis/apps/v1/namespaces/${NAMESPACE}/deployments/web`, { metadata: { managedFields } });
    const resource = { type: "kubernetes:apps/v1:Deployment", id: `${NAMESPACE}/web` };
    assert.deepEqual(await operations.changed?.(context(), resource), {
      by: "kubectl-edit",
      at: "2026-11-21T10:05:00.000Z",
    });
  });
});
