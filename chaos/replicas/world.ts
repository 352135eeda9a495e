/** Replicas of the service on this machine over one store, one state backend and one disk, with an application to preview. */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { firewallFault, removeFirewall } from "../../components/local/firewall.ts";
import { layout, prepareDataDir } from "../../components/local/layout.ts";
import type { PreviewView } from "../../service/api/preview-view.ts";
import { type Client, createClient } from "../../service/cli/client.ts";
import { type EmbeddedServers, startEmbeddedServers } from "../../service/embedded/postgres-servers.ts";
import type { Step } from "../../service/reconcile.ts";
import { tinyApp } from "../../test/e2e/support/tiny-app.ts";
import { dial } from "../../test/e2e/support/visitor.ts";
import { eventually } from "../../test/support/eventually.ts";
import { freePort } from "../../test/support/free-port.ts";
import { createRepository, type TestRepository } from "../../test/support/git-repository.ts";
import type { ReplicaSettings } from "./replica-process.ts";

const APPLICATION = "twin";

export interface Replica {
  readonly name: string;
  readonly pid: number;
  readonly client: Client;
  /** Steps of reconcile that it reached, in order. */
  readonly steps: { readonly step: Step; readonly key: string }[];
  /** It stops itself (SIGSTOP) when it reaches that step the next time. */
  freezeAt(step: Step, key: string): Promise<void>;
  /** What it logged so far. */
  log(): Promise<string>;
  isReady(): Promise<boolean>;
  waitFor(gitBranch: string, done: (preview: PreviewView) => boolean, what: string): Promise<PreviewView>;
  /** The page of a preview through its gateway. */
  get(url: string): Promise<{ readonly status: number; readonly text: string }>;
  /** SIGTERM; resolves with its exit code once it ended. */
  stop(): Promise<number | null>;
}

export interface ReplicaWorld {
  readonly dataDir: string;
  readonly repository: TestRepository;
  readonly replicas: readonly Replica[];
  /** Of the store, for those who look into it. */
  readonly storeUrl: string;
  remove(): Promise<void>;
}

/** Patience of a machine that does other things too. */
const PATIENCE_MS = 180_000;

export interface ReplicaWish extends Pick<ReplicaSettings, "runnerLimits"> {
  /** Each on a machine of its own name, which only root can make so. */
  readonly ownHosts?: boolean;
}

/** Resolves when all of them listen. */
export async function startReplicas(names: readonly string[], wish: ReplicaWish = {}): Promise<ReplicaWorld> {
  const undo: (() => Promise<unknown>)[] = [];
  const remove = async () => {
    for (const end of undo.splice(0).toReversed()) await end();
  };
  try {
    return { ...(await start(names, undo, wish)), remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function start(
  names: readonly string[],
  undo: (() => Promise<unknown>)[],
  { ownHosts = false, runnerLimits }: ReplicaWish,
): Promise<Omit<ReplicaWorld, "remove">> {
  const dataDir = await mkdtemp(join(tmpdir(), "stackling-replicas-"));
  undo.push(async () => {
    // Replicas leave it to whoever goes on; here nobody does.
    if ((await firewallFault()) === undefined) await removeFirewall(dataDir);
    await rm(dataDir, { recursive: true, force: true });
  });
  await chmod(dataDir, 0o711);
  await prepareDataDir(dataDir);
  const paths = layout(dataDir);
  for (const folder of [paths.state, paths.pulumiHome, paths.engineRuns]) await mkdir(folder, { mode: 0o700 });
  await writeFile(paths.passphrase, randomBytes(16).toString("hex"), { mode: 0o600 });
  const repository = await createRepository({ files: tinyApp({ text: "main", build: "" }) });
  undo.push(repository.remove);
  const servers = await startEmbeddedServers({ dir: paths.postgres, needed: ["store", "previews"], logger: SILENT });
  undo.push(servers.stop);
  const [front = 0, ...further] = await Promise.all(names.map(freePort));
  const token = randomBytes(16).toString("hex");
  const replicas = await Promise.all(
    names.map(async (name, index) => {
      const port = index === 0 ? front : (further[index - 1] ?? 0);
      const settings = { name, dataDir, token, ...urlsOf(servers), log: join(dataDir, `${name}.log`) };
      // One address for all, as behind a load balancer.
      const config = configOf({ port, front, repository });
      const replica = await startReplica(
        { ...settings, config, ...(runnerLimits ? { runnerLimits } : {}) },
        { port, ...(ownHosts ? { host: name } : {}) },
      );
      undo.push(replica.stop);
      return replica;
    }),
  );
  return { dataDir, repository, replicas, storeUrl: servers.store?.url ?? "" };
}

const SILENT = { info: () => undefined, warn: () => undefined };

function urlsOf({ store, previews }: EmbeddedServers): Pick<ReplicaSettings, "storeUrl" | "adminUrl"> {
  return { storeUrl: store?.url ?? "", adminUrl: previews?.url ?? "" };
}

function configOf({ port, front, repository }: { port: number; front: number; repository: TestRepository }): string {
  return [
    `port: ${port}`,
    `url: http://localhost:${front}`,
    "repositories:",
    `  - { path: ${repository.path}, name: ${APPLICATION} }`,
    "lifecycle: { resync: 2s }",
    "limits: { engineRuns: 1 }",
    "",
  ].join("\n");
}

async function startReplica(
  settings: ReplicaSettings,
  { port, host }: { readonly port: number; readonly host?: string },
): Promise<Replica> {
  const { name, token, log } = settings;
  const node = [process.execPath, join(import.meta.dirname, "replica-process.ts"), JSON.stringify(settings)];
  const [program = "", ...args] = host === undefined ? node : [...NAMED, host, ...node];
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit", "ipc"] });
  const ended = once(child, "exit") as Promise<[number | null]>;
  const steps: Replica["steps"] = [];
  const listening = new Promise<boolean>((resolve) => {
    createInterface({ input: outputOf(child) }).on("line", (line) => {
      const said = JSON.parse(line) as { url: string } | { step: Step; key: string };
      if ("step" in said) steps.push(said);
      else resolve(true);
    });
  });
  const began = await Promise.race([listening, ended.then(() => false)]);
  if (!began) throw new Error(`replica "${name}" ended at once; its log: ${await readFile(log, "utf8")}`);
  const client = createClient({ url: `http://127.0.0.1:${port}`, token });
  return {
    name,
    pid: child.pid ?? 0,
    client,
    steps,
    async freezeAt(step, key) {
      const armed = once(child, "message");
      child.send({ step, key });
      await armed;
    },
    log: () => readFile(log, "utf8"),
    isReady: async () => (await dial(port, { path: "/readyz" })).status === 200,
    waitFor: (gitBranch, done, what) =>
      eventually(
        async () => {
          const all = await client.list({ gone: true });
          const preview = all.find((candidate) => candidate.gitBranch === gitBranch);
          if (preview && done(preview)) return preview;
          throw new Error(JSON.stringify(preview ?? `no preview of "${gitBranch}"`));
        },
        { timeoutMs: PATIENCE_MS, intervalMs: 100, what: `${gitBranch}: ${what}` },
      ),
    get: (url) => dial(port, { path: "/", headers: { host: new URL(url).host } }),
    async stop() {
      child.kill("SIGCONT");
      child.kill("SIGTERM");
      const [code] = await ended;
      return code;
    },
  };
}

/** Becomes the program behind the name, in a namespace where the machine is called so. */
const NAMED = ["unshare", "--uts", "sh", "-c", 'hostname "$0" && exec "$@"'] as const;

function outputOf({ stdout }: ChildProcess) {
  if (!stdout) throw new Error("the replica's output is not piped");
  return stdout;
}
