/** The graph of a preview on Kubernetes: names, walls, secretness, and what a new commit changes. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { secret } from "@pulumi/pulumi";
import { StacklingError } from "../../../components/errors.ts";
import { namespaceName } from "../../../components/kubernetes/names.ts";
import { aService, aTask, atCommit, declare, image, NAMESPACE, withDatabase } from "./declared.ts";

/** By which Pulumi marks a value as secret on the wire: SDK, `specialSecretSig`. */
const SECRET_MARK = "1b47061264138c4ac30d75fd1eb44270";

describe("a preview on Kubernetes", () => {
  it("is one namespace with everything else inside, under one explicit provider", async () => {
    const { all, inputs: declared } = await declare(withDatabase());
    assert.equal((declared("Namespace", "namespace").metadata as { name: string }).name, NAMESPACE);
    for (const { type, name, inputs, opts } of all) {
      if (type === "pulumi:providers:kubernetes") continue;
      assert.ok(opts.provider, `${name} has the provider`);
      assert.ok(opts.parent, `${name} has a parent`);
      if (type.endsWith(":Namespace")) continue;
      assert.ok(opts.deletedWith, `${name} goes with its namespace`);
      assert.equal((inputs.metadata as { namespace: string }).namespace, NAMESPACE, name);
    }
  });

  it("carries its tags as labels, and restricted pod security of its own", async () => {
    const { labels } = (await declare()).inputs("Namespace", "namespace").metadata as { labels: object };
    assert.deepEqual(labels, {
      "app.kubernetes.io/managed-by": "stackling",
      "pod-security.kubernetes.io/audit": "restricted",
      "pod-security.kubernetes.io/enforce": "restricted",
      "pod-security.kubernetes.io/warn": "restricted",
      "stackling.dev/owner": "ada",
      "stackling.dev/preview": "shop-1",
      "stackling.dev/repository": "shop",
      "stackling.dev/stack": "shop-pr-1",
    });
  });

  it("passes a kubeconfig's path and not what it holds", async () => {
    const provider = (await declare()).inputs("kubernetes", "cluster");
    assert.equal(provider.kubeconfig, "/srv/kubeconfig");
  });

  it("is closed both ways but for what is named", async () => {
    const network = {
      from: [{ namespace: "stackling", pods: { app: "gateway" } }],
      egress: [{ to: { cidr: "10.0.3.0/24" }, ports: [5432] }],
    };
    const { of } = await declare({}, { network });
    const policies = Object.fromEntries(
      of("NetworkPolicy").map(({ inputs }) => [(inputs.metadata as { name: string }).name, inputs.spec]),
    );
    assert.deepEqual(policies["deny-all"], { podSelector: {}, policyTypes: ["Ingress", "Egress"] });
    assert.deepEqual(policies["allow-gateway"], {
      podSelector: { matchLabels: { "preview.stackling.dev/kind": "web" } },
      policyTypes: ["Ingress"],
      ingress: [
        {
          from: [
            {
              namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "stackling" } },
              podSelector: { matchLabels: { app: "gateway" } },
            },
          ],
        },
      ],
    });
    assert.deepEqual(policies["allow-egress"], {
      podSelector: {},
      policyTypes: ["Egress"],
      egress: [{ to: [{ ipBlock: { cidr: "10.0.3.0/24" } }], ports: [{ protocol: "TCP", port: 5432 }] }],
    });
    assert.deepEqual(Object.keys(policies).sort(), [
      "allow-dns",
      "allow-egress",
      "allow-gateway",
      "allow-inside",
      "deny-all",
    ]);
  });

  it("tells a service of another repository its own commit", async () => {
    const [own, theirs] = ["a".repeat(40), "b".repeat(40)];
    const source = { repository: "https://git.test/api.git", commit: theirs };
    const steps = { submodules: false, lfs: false, install: [], build: [] };
    const { inputs } = await declare({
      environment: { STACKLING_COMMIT: own },
      services: [aService(), aService({ name: "api", source: "api" })],
      sources: { api: { ...source, ...steps, environment: { STACKLING_COMMIT: theirs } } },
    });
    const commitOf = (name: string) => {
      const { template } = inputs("Deployment", name).spec as {
        template: { spec: { containers: readonly { env: readonly { name: string; value: string }[] }[] } };
      };
      return template.spec.containers[0]?.env.find((one) => one.name === "STACKLING_COMMIT")?.value;
    };
    assert.deepEqual([commitOf("web"), commitOf("api")], [own, theirs]);
  });

  it("tells a service and a migration nothing that the application declares itself, for Kubernetes would take ours", async () => {
    const environment = { SENTRY_ENVIRONMENT: "pr-1", SENTRY_RELEASE: "r" };
    const { inputs, of } = await declare({
      environment,
      services: [aService({ environment: { SENTRY_ENVIRONMENT: "theirs" } })],
      tasks: [aTask("migrate")],
    });
    type Pod = { spec: { containers: readonly { env: readonly { name: string }[] }[] } };
    const pods = [inputs("Deployment", "web"), ...of("Job").map((job) => job.inputs)];
    for (const { spec } of pods) {
      const names = (spec as { template: Pod }).template.spec.containers[0]?.env.map(({ name }) => name) ?? [];
      assert.deepEqual([names.includes("SENTRY_ENVIRONMENT"), names.includes("SENTRY_RELEASE")], [false, true]);
    }
    const maps = of("ConfigMap").filter(({ inputs: { data } }) => JSON.stringify(data).includes("theirs"));
    assert.equal(maps.length, 2);
  });

  it("reaches named hosts by the operator's proxy alone, and every container is told of it", async () => {
    const proxy = { url: "http://egress.proxies:3128", to: { namespace: "proxies", pods: { app: "egress" } } };
    const { of, inputs } = await declare({ environment: { STACKLING_KEY: "shop#1" } }, { network: { proxy } });
    const policy = of("NetworkPolicy").find(({ name }) => name === "service-allow-proxy");
    assert.deepEqual(policy?.inputs.spec, {
      podSelector: {},
      policyTypes: ["Egress"],
      egress: [
        {
          to: [
            {
              namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "proxies" } },
              podSelector: { matchLabels: { app: "egress" } },
            },
          ],
          ports: [{ protocol: "TCP", port: 3128 }],
        },
      ],
    });
    const { template } = inputs("Deployment", "web").spec as {
      template: { spec: { containers: readonly { env: readonly { name: string; value: string }[] }[] } };
    };
    for (const { env } of template.spec.containers) {
      const values = Object.fromEntries(env.map(({ name, value }) => [name, value]));
      assert.equal(values.HTTPS_PROXY, proxy.url);
      assert.equal(values.https_proxy, proxy.url);
      assert.equal(values.NODE_USE_ENV_PROXY, "1");
      assert.match(values.NO_PROXY ?? "", /(^|,)\.cluster\.local(,|$)/);
      assert.equal(values.STACKLING_KEY, "shop#1");
    }
    for (const url of ["http://me:secret@egress:3128", "egress:3128", "socks5://egress:1080", "http://egress/path"]) {
      await assert.rejects(declare({}, { network: { proxy: { ...proxy, url } } }), /HTTP proxy/, url);
    }
  });

  it("has a quota in amounts that the API server writes the same way", async () => {
    const { hard } = (await declare()).inputs("ResourceQuota", "quota").spec as { hard: object };
    assert.deepEqual(hard, {
      "limits.cpu": "4",
      "limits.memory": "8Gi",
      pods: "15",
      "requests.cpu": "2",
      "requests.memory": "4Gi",
      "services.loadbalancers": "0",
      "services.nodeports": "0",
    });
  });

  it("gives an identity to the repository that the operator names, and a token to nobody", async () => {
    const role = { "eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/shop" };
    const identity = async (repository: string) => {
      const account = (await declare({}, { serviceAccountAnnotations: { [repository]: role } })).inputs(
        "ServiceAccount",
        "account",
      );
      assert.equal(account.automountServiceAccountToken, false);
      return (account.metadata as { annotations: Record<string, string> }).annotations["eks.amazonaws.com/role-arn"];
    };
    assert.equal(await identity("shop"), role["eks.amazonaws.com/role-arn"]);
    assert.equal(await identity("other"), undefined);
  });

  it("has no disruption budget: it never holds up the emptying of a node", async () => {
    assert.deepEqual((await declare()).of("PodDisruptionBudget"), []);
  });
});

describe("the pods of a service", () => {
  interface Container {
    readonly name: string;
    readonly image: string;
    readonly command?: string[];
    readonly securityContext: Record<string, unknown>;
    readonly resources?: unknown;
    readonly restartPolicy?: string;
    readonly env: { name: string; value: string }[];
    readonly volumeMounts?: readonly object[];
    readonly startupProbe?: { failureThreshold: number; httpGet?: { path: string }; tcpSocket?: { port: number } };
  }
  interface Pod extends Record<string, unknown> {
    readonly containers: Container[];
    readonly initContainers?: Container[];
  }
  interface Workload {
    readonly replicas?: number;
    readonly strategy: unknown;
    readonly progressDeadlineSeconds: number;
    readonly minReadySeconds?: number;
    readonly template: { readonly spec: Pod };
  }
  const workload = async (changes: Parameters<typeof aService>[0] = {}, options: object = {}) =>
    (await declare({ services: [aService(changes)], urls: {} }, options)).inputs("Deployment", "web").spec as Workload;

  it("leave the number of replicas to sleep and wake", async () => {
    assert.equal("replicas" in (await workload()), false);
  });

  it("keep the old version until the new one is ready", async () => {
    const { strategy, progressDeadlineSeconds } = await workload({ startTimeoutSeconds: 45 });
    assert.deepEqual(strategy, { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } });
    assert.equal(progressDeadlineSeconds, 45 + 180);
  });

  it("are as restricted as the namespace asks", async () => {
    const { spec } = (await workload({ readOnlyRoot: true })).template;
    assert.equal(spec.automountServiceAccountToken, false);
    assert.deepEqual(spec.securityContext, { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } });
    assert.deepEqual(spec.containers[0]?.securityContext, {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ["ALL"] },
      readOnlyRootFilesystem: true,
    });
    assert.deepEqual(spec.containers[0]?.volumeMounts, [{ name: "tmp", mountPath: "/tmp" }]);
  });

  it("have the flag definitions as a file that they cannot write, and start anew with others", async () => {
    const declared = async (flags: string) => {
      const { inputs } = await declare({ flags, services: [aService({ readOnlyRoot: true })], urls: {} });
      const map = inputs("ConfigMap", "0-flags") as { metadata: { name: string }; data: object; immutable: boolean };
      const { spec } = (inputs("Deployment", "web").spec as Workload).template;
      const environment = inputs("ConfigMap", "web") as { data: object };
      return { map, spec, environment };
    };
    const { map, spec, environment } = await declared("{}\n");
    assert.deepEqual([map.data, map.immutable], [{ "flags.json": "{}\n" }, true]);
    assert.deepEqual(spec.volumes, [
      { name: "tmp", emptyDir: {} },
      { name: "flags", configMap: { name: map.metadata.name } },
    ]);
    assert.deepEqual(spec.containers[0]?.volumeMounts?.[1], {
      name: "flags",
      mountPath: "/etc/stackling/flags",
      readOnly: true,
    });
    assert.deepEqual(environment.data, {
      FLAGD_OFFLINE_FLAG_SOURCE_PATH: "/etc/stackling/flags/flags.json",
      FLAGD_RESOLVER: "in-process",
    });
    assert.notEqual((await declared("{ }\n")).map.metadata.name, map.metadata.name);
  });

  it("are asked for health by path, or else whether their port is open, for as long as they may start", async () => {
    const byPath = (await workload({ startTimeoutSeconds: 45 })).template.spec.containers[0]?.startupProbe;
    assert.deepEqual([byPath?.httpGet?.path, byPath?.failureThreshold], ["/health", 23]);
    const { healthPath: _, ...silent } = aService({ port: 3000 });
    const { spec } = (await declare({ services: [silent] })).inputs("Deployment", "web") as { spec: Workload };
    assert.deepEqual(spec.template.spec.containers[0]?.startupProbe?.tcpSocket, { port: 3000 });
    assert.deepEqual(
      spec.template.spec.containers[0]?.env.find(({ name }) => name === "PORT"),
      { name: "PORT", value: "3000" },
    );
  });

  it("are limited to what preview.yaml says, and set half of it aside", async () => {
    const { resources } = (await workload({ cpu: 1.5, memoryMiB: 1024 })).template.spec.containers[0] ?? {};
    assert.deepEqual(resources, {
      limits: { cpu: "1500m", memory: "1Gi" },
      requests: { cpu: "750m", memory: "512Mi" },
    });
  });

  it("run where the operator says, and are evicted first", async () => {
    const { spec } = (
      await workload(
        {},
        { tolerations: [{ key: "spot" }], priorityClassName: "previews", nodeSelector: { pool: "spot" } },
      )
    ).template;
    assert.deepEqual(spec.tolerations, [{ key: "spot", operator: "Exists" }]);
    assert.equal(spec.priorityClassName, "previews");
    assert.deepEqual(spec.nodeSelector, { pool: "spot" });
  });

  it("run a command in a shell and in its folder, and the image's own without one", async () => {
    const withCommand = await workload({ command: "npm start", directory: "./apps/it's" });
    assert.deepEqual(withCommand.template.spec.containers[0]?.command, [
      "/bin/sh",
      "-c",
      "cd -- 'apps/it'\\''s' && npm start",
    ]);
    assert.equal((await workload()).template.spec.containers[0]?.command, undefined);
  });

  it("hold sidecars beside a service, and before a job so that it can end", async () => {
    const sidecars = [{ name: "redis", image: image("7"), port: 6379 }];
    const { containers } = (await workload({ sidecars })).template.spec;
    assert.deepEqual(
      containers.map(({ name }) => name),
      ["web", "redis"],
    );
    const cron = aService({ name: "tidy", kind: "cron", schedule: "0 3 * * *", sidecars });
    const { spec } = (await declare({ services: [aService(), cron] })).inputs("CronJob", "tidy") as {
      spec: { timeZone: string; jobTemplate: { spec: { template: { spec: Pod } } } };
    };
    const pod = spec.jobTemplate.spec.template.spec;
    assert.equal(spec.timeZone, "Etc/UTC");
    assert.deepEqual(
      [pod.containers.map(({ name }) => name), pod.initContainers?.map(({ restartPolicy }) => restartPolicy)],
      [["tidy"], ["Always"]],
    );
  });

  it("have no Service when nobody is to reach them, and must live for a moment", async () => {
    const { of, inputs } = await declare({ services: [aService({ name: "mailer", kind: "worker" })], urls: {} });
    assert.deepEqual(of("Service"), []);
    assert.equal((inputs("Deployment", "mailer").spec as Workload).minReadySeconds, 3);
  });

  it("are refused without an image, with the line to write", async () => {
    const { image: _, ...source } = aService();
    await assert.rejects(
      declare({ services: [source] }),
      (error) => error instanceof StacklingError && /write "image: registry\/name:\{sha\}"/.test(error.userMessage),
    );
  });
});

describe("the environment of a service", () => {
  const environment = {
    MODE: "preview",
    DB: "${database.url}",
    KEY: "k-${secrets.KEY}",
    PEER: "${services.web.address}",
  };

  it("lies in a ConfigMap where it is public and in a Secret where it is not", async () => {
    const services = [aService(), aService({ name: "api", environment })];
    const secrets = secret<Record<string, string>>({ KEY: "s3cret-value" });
    const { inputs, all, addressesAreSecret } = await declare({ services, secrets, ...withDatabase() });
    assert.deepEqual(inputs("ConfigMap", "api").data, {
      MODE: "preview",
      PEER: `web.${NAMESPACE}.svc.cluster.local:80`,
    });
    const made = JSON.stringify(inputs("Secret", "api"));
    assert.ok(made.includes(SECRET_MARK) && made.includes(Buffer.from("k-s3cret-value").toString("base64")));
    for (const { name, type, inputs: others } of all) {
      if (type.endsWith(":Secret")) continue;
      assert.doesNotMatch(JSON.stringify(others), /s3cret-value|hunter22/, `${type} ${name}`);
      assert.ok(!JSON.stringify(others).includes(SECRET_MARK), `${type} ${name} hides what is public`);
    }
    assert.equal(addressesAreSecret, false);
  });

  it("is left in the store that only the cluster reads", async () => {
    const secretReferences = {
      STRIPE: { kind: "external", store: "vault", storeKind: "ClusterSecretStore", key: "shop/stripe" },
    } as const;
    const services = [aService({ environment: { STRIPE_KEY: "${secrets.STRIPE}" } })];
    const { of, inputs } = await declare({ services, secretReferences });
    const [external] = of("ExternalSecret");
    const spec = external?.inputs.spec as { data: unknown; secretStoreRef: unknown; target: { name: string } };
    assert.deepEqual(spec.secretStoreRef, { name: "vault", kind: "ClusterSecretStore" });
    assert.deepEqual(spec.data, [{ secretKey: "STRIPE_KEY", remoteRef: { key: "shop/stripe" } }]);
    assert.ok(JSON.stringify(inputs("Deployment", "web")).includes(spec.target.name));
    assert.deepEqual(of("Secret"), []);
    await assert.rejects(
      declare({ services: [aService({ environment: { A: "x-${secrets.STRIPE}" } })], secretReferences }),
      (error) => error instanceof StacklingError && /must be the whole value/.test(error.userMessage),
    );
  });
});

describe("a new commit", () => {
  const services = [aService({ environment: { DB: "${database.url}", MODE: "preview" } })];
  const difference = async (change: object) => {
    const [before, after] = [
      await declare({ ...withDatabase(), ...atCommit("a", services) }),
      await declare({ ...withDatabase(), ...atCommit("a", services), ...change }),
    ];
    const text = new Map(before.all.map(({ type, name, inputs }) => [`${type} ${name}`, JSON.stringify(inputs)]));
    return after.all
      .filter(({ type, name, inputs }) => text.get(`${type} ${name}`) !== JSON.stringify(inputs))
      .map(({ type, name }) => `${type.split(":").at(-1)} ${name}`)
      .sort();
  };

  it("changes the Deployment and the Jobs of tasks, and nothing else", async () => {
    const change = { ...atCommit("b", services), tasks: [aTask("migrate", { image: image("b") }), aTask("seed")] };
    // The seed's pod would name the commit too; in a cluster it is declared as it ran, see jobs.ts.
    assert.deepEqual(await difference(change), [
      "Deployment service-web",
      "Job service-task-migrate",
      "Job service-task-seed",
    ]);
  });

  it("behind which a gate runs changes nothing that serves", async () => {
    const environment = { STACKLING_ADDRESS: "http://${services.web.address}" };
    const tasks = [...withDatabase().tasks, aTask("gate", { environment, timeoutSeconds: 30 })];
    assert.deepEqual(await difference({ tasks }), [
      "ConfigMap service-task-gate",
      "Job service-task-gate",
      "Secret service-task-gate",
    ]);
    const { inputs } = await declare({ ...withDatabase(), ...atCommit("a", services), tasks });
    const { data } = inputs("ConfigMap", "task-gate");
    const address = `http://web.${NAMESPACE}.svc.cluster.local:80`;
    assert.deepEqual(data, { MODE: "preview", STACKLING_ADDRESS: address });
    assert.equal((inputs("Job", "task-gate").spec as { backoffLimit: number }).backoffLimit, 0);
  });

  it("keeps the seed's name, by which it is not run again", async () => {
    const named = async (change: object) => {
      const { inputs } = await declare({ ...withDatabase(), ...change });
      const name = (task: string) => (inputs("Job", `task-${task}`).metadata as { name: string }).name;
      return [name("migrate"), name("seed")];
    };
    const [first, pushed, remade] = [
      await named({}),
      await named(atCommit("b", services)),
      await named(withDatabase("two")),
    ];
    assert.notEqual(pushed?.[0], first?.[0]);
    assert.equal(pushed?.[1], first?.[1]);
    assert.notEqual(remade?.[1], first?.[1]);
  });

  it("that is released again rolls the pods only", async () => {
    assert.deepEqual(await difference({ generation: 1 }), ["Deployment service-web"]);
  });

  it("with another database URL makes a Secret of another name, so that the old version keeps its own", async () => {
    const database = { ...withDatabase().database, url: secret("postgres://shop:other@db.test/shop") };
    assert.deepEqual(await difference({ database }), [
      "Deployment service-web",
      "Job service-task-migrate",
      "Job service-task-seed",
      "Secret service-task-migrate",
      "Secret service-task-seed",
      "Secret service-web",
    ]);
  });
});

describe("the way in", () => {
  it("is the cluster's name of the service, for the gateway", async () => {
    const { addresses, edge, of } = await declare();
    assert.deepEqual(addresses, { web: `web.${NAMESPACE}.svc.cluster.local:80` });
    assert.equal(edge, undefined);
    assert.deepEqual(of("Ingress"), []);
  });

  it("is one ingress of a further cluster, which finds the preview by its host", async () => {
    const reach = { host: "ingress.eu.test", port: 8443, ingressClass: "internal" };
    const { addresses, edge, inputs } = await declare({}, { reach });
    assert.deepEqual(addresses, { web: "ingress.eu.test:8443" });
    assert.equal(edge, undefined);
    const { spec } = inputs("Ingress", "edge") as { spec: { tls?: unknown; rules: { host: string }[] } };
    assert.deepEqual([spec.tls, spec.rules.map(({ host }) => host)], [undefined, ["pr-1-shop.preview.test"]]);
  });

  it("is by TLS alone at that ingress where the gateway dials it so, with the controller's certificate", async () => {
    const reach = { host: "ingress.eu.test", port: 443, ingressClass: "internal", tls: true };
    const { spec } = (await declare({}, { reach })).inputs("Ingress", "edge") as { spec: { tls?: unknown } };
    assert.deepEqual(spec.tls, [{ hosts: ["pr-1-shop.preview.test"] }]);
  });

  it("is an Ingress of its own with a certificate that cert-manager makes", async () => {
    const edge = { direct: { ingressClass: "nginx", tls: { issuer: "letsencrypt" }, address: "lb.test" } };
    const declared = await declare({}, { edge });
    assert.equal(declared.edge, "lb.test");
    const { metadata, spec } = declared.inputs("Ingress", "edge") as {
      metadata: { annotations: Record<string, string> };
      spec: { tls: unknown };
    };
    assert.equal(metadata.annotations["cert-manager.io/cluster-issuer"], "letsencrypt");
    assert.deepEqual(spec.tls, [{ hosts: ["pr-1-shop.preview.test"], secretName: "edge-tls" }]);
  });

  it("is an HTTPRoute at a gateway that holds the certificate", async () => {
    const edge = { direct: { gateway: { name: "public", namespace: "edge" }, address: "lb.test" } };
    const { spec } = (await declare({}, { edge })).inputs("HTTPRoute", "web") as { spec: unknown };
    assert.deepEqual(spec, {
      parentRefs: [{ name: "public", namespace: "edge" }],
      hostnames: ["pr-1-shop.preview.test"],
      rules: [{ backendRefs: [{ name: "web", port: 80 }] }],
    });
  });
});

describe("a namespace's name", () => {
  it("fits a label, and stays two for two long stacks", () => {
    const long = "a".repeat(60);
    const names = [namespaceName("preview", `${long}-1`), namespaceName("preview", `${long}-2`)];
    assert.equal(new Set(names).size, 2);
    for (const name of names) assert.match(name, /^[a-z][a-z0-9-]{0,62}$/);
    assert.deepEqual(names, [namespaceName("preview", `${long}-1`), namespaceName("preview", `${long}-2`)]);
  });
});
