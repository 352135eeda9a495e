/** A GitHub, a registry that CI pushes to, a cluster, and a service whose previews run on it. */
import assert from "node:assert/strict";
import process from "node:process";
import {
  AppsV1Api,
  BatchV1Api,
  CoreV1Api,
  KubeConfig,
  NetworkingV1Api,
  type V1Deployment,
} from "@kubernetes/client-node";
import { withClient } from "../../../components/local/database-client.ts";
import type { PreviewView } from "../../../service/api/preview-view.ts";
import { type GithubWorld, prepareGithubWorld } from "../../e2e/support/github-world.ts";
import { eventually } from "../../support/eventually.ts";
import { startKubelab, useKubelab } from "../../support/kubernetes/kubelab.ts";
import { kubernetesPlugin } from "../../support/kubernetes/plugin.ts";
import { startTestPostgres } from "../../support/postgres.ts";
import { startRegistry, type TestRegistry } from "../../support/registry.ts";
import { startIngress } from "./ingress.ts";

/** What a commit's image does on the cluster: see tools/kubelab/stages.yaml. */
export type Behaviour = "runs" | "missing" | "crashing" | "unready";

const digits: Readonly<Record<Exclude<Behaviour, "runs">, string>> = {
  missing: "dead",
  crashing: "fa11",
  unready: "0bad",
};

export interface Change {
  readonly number: number;
  readonly headSha: string;
  /** Of the image that CI built for it. */
  readonly digest: string;
}

export interface ClusterWorld {
  readonly world: GithubWorld;
  readonly registry: TestRegistry;
  readonly core: CoreV1Api;
  readonly apps: AppsV1Api;
  readonly batch: BatchV1Api;
  readonly networking: NetworkingV1Api;
  /** Of the control plane. */
  readonly pid: number;
  /** Again, after it was killed. */
  startService(): Promise<void>;
  namespaceOf(number: number): string;
  /** A pull request whose image CI has built. */
  open(gitBranch: string, behaviour?: Behaviour): Promise<Change>;
  push(number: number, behaviour?: Behaviour): Promise<Change>;
  live(change: Pick<Change, "number" | "headSha">): Promise<PreviewView>;
  /** Waits until the preview's link answers from a pod of that image. */
  serves(change: Pick<Change, "number" | "digest">): Promise<void>;
  deployment(number: number, name?: string): Promise<V1Deployment>;
  /** Waits until the pull request's preview is gone, and its namespace with it. */
  gone(number: number): Promise<void>;
  namespaces(): Promise<readonly string[]>;
  /** Databases and roles of previews. */
  databases(): Promise<readonly string[]>;
  remove(): Promise<void>;
}

export interface ClusterWish {
  /** First part of the namespaces' names, and ingress class; another one for each test file, which share the cluster. */
  readonly prefix: string;
  /** Further options of the service driver, as lines of YAML. */
  readonly options?: readonly string[];
  /** Text of `preview.yaml`; gets the image's name. */
  readonly application?: (image: string) => string;
  /** Further lines of `stackling.yaml`. */
  readonly more?: string;
  /** A cluster of its own, which the test may freeze. */
  readonly alone?: boolean;
}

/** Starts the service; its log is in the instance's data folder. */
export async function startClusterWorld({
  prefix,
  options = [],
  application = shop,
  more = "",
  alone = false,
}: ClusterWish): Promise<ClusterWorld> {
  const undo: (() => Promise<void>)[] = [];
  const remove = async () => {
    for (const one of undo.splice(0).reverse()) await one();
  };
  try {
    return await start({ prefix, options, application, more, alone }, undo, remove);
  } catch (error) {
    await remove();
    throw error;
  }
}

async function start(
  { prefix, options, application, more, alone }: Required<ClusterWish>,
  undo: (() => Promise<void>)[],
  remove: () => Promise<void>,
): Promise<ClusterWorld> {
  const lab = alone ? await startKubelab() : await useKubelab();
  undo.push(lab.stop);
  const plugin = await kubernetesPlugin();
  undo.push(plugin.remove);
  const registry = await startRegistry();
  undo.push(registry.close);
  // Its own, for the test files' previews bear the same names.
  const databases = await startTestPostgres();
  undo.push(databases.stop);
  const config = new KubeConfig();
  config.loadFromFile(lab.kubeconfig);
  const [core, apps] = [config.makeApiClient(CoreV1Api), config.makeApiClient(AppsV1Api)];
  const ingress = await startIngress(config, prefix);
  undo.push(ingress.close);
  const world = await prepareGithubWorld({
    files: { "preview.yaml": application(`${registry.host}/acme/shop:{sha}`) },
    environment: { PATH: `${plugin.folder}:${process.env.PATH}`, TEST_DATABASES_URL: databases.url },
  });
  undo.push(world.remove);
  const target = [
    "targets:",
    "  cluster:",
    "    database: { driver: clone, server: { env: TEST_DATABASES_URL } }",
    "    service:",
    "      driver: kubernetes",
    `      kubeconfig: { file: ${lab.kubeconfig} }`,
    `      namespacePrefix: ${prefix}`,
    `      reach: { host: ${ingress.host}, port: ${ingress.port}, ingressClass: ${prefix} }`,
    ...options.map((line) => `      ${line}`),
    more,
  ].join("\n");
  const { github, instance } = world;
  const startService = () => instance.start({ config: world.config({ more: target }) });
  await startService();

  let pushes = 0;
  const build = (headSha: string, behaviour: Behaviour): string => {
    for (;;) {
      const digest = registry.push("acme/shop", headSha, `${behaviour} ${pushes++}`);
      const begins = (start: string) => digest.startsWith(`sha256:${start}`);
      const others = Object.values(digits).some(begins);
      if (behaviour === "runs" ? !others : begins(digits[behaviour])) return digest;
    }
  };
  const namespaceOf = (number: number) => `${prefix}-shop-pr-${number}`;
  const namespaces = async () =>
    (await core.listNamespace()).items
      .map(({ metadata }) => metadata?.name ?? "")
      .filter((name) => name.startsWith(prefix));
  return {
    world,
    registry,
    core,
    apps,
    batch: config.makeApiClient(BatchV1Api),
    networking: config.makeApiClient(NetworkingV1Api),
    pid: lab.pid,
    startService,
    namespaceOf,
    namespaces,
    databases: () =>
      withClient(databases.url, async (client) => {
        const { rows } = await client.query<{ name: string }>(
          "select datname as name from pg_database union select rolname from pg_roles",
        );
        return rows.map(({ name }) => name).filter((name) => name.startsWith("shop_"));
      }),
    async open(gitBranch, behaviour = "runs") {
      const { number, headSha } = await github.open({ gitBranch, files: { "text.txt": gitBranch } });
      return { number, headSha, digest: build(headSha, behaviour) };
    },
    async push(number, behaviour = "runs") {
      const headSha = await github.push(number, { "text.txt": `push ${pushes}` });
      return { number, headSha, digest: build(headSha, behaviour) };
    },
    live: ({ number, headSha }) =>
      instance.waitFor(`shop#${number}`, (p) => p.reason === "Healthy" && p.commit === headSha, `live at ${headSha}`),
    async serves({ number, digest }) {
      const { url = "" } = await instance.client.find(`shop#${number}`);
      await eventually(
        async () => {
          const page = await instance.get(url);
          assert.equal(page.status, 200);
          assert.ok(page.text.includes(digest), `"${page.text}" is of ${digest}`);
          return true;
        },
        { what: `${url} serves ${digest}` },
      );
    },
    deployment: (number, name = "web") => apps.readNamespacedDeployment({ name, namespace: namespaceOf(number) }),
    async gone(number) {
      await instance.waitFor(`shop#${number}`, (p) => p.stage === "Gone", "gone");
      assert.ok(!(await namespaces()).includes(namespaceOf(number)));
    },
    remove,
  };
}

function shop(image: string): string {
  return [
    "services:",
    "  web:",
    `    image: ${image}`,
    "    health: /health",
    "    startTimeoutSeconds: 20",
    "database:",
    "  migrate: node migrate.mjs",
    "",
  ].join("\n");
}
