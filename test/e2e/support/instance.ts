import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import type { RunnerLimits } from "../../../infra/runner.ts";
import type { PreviewView } from "../../../service/api/preview-view.ts";
import { type Client, createClient } from "../../../service/cli/client.ts";
import type { Step } from "../../../service/reconcile.ts";
import { eventually } from "../../support/eventually.ts";
import { freePort } from "../../support/free-port.ts";
import { type Samples, samplesOf } from "../../support/metrics.ts";
import type { HeldMemory } from "./held-memory.ts";
import { dial } from "./visitor.ts";

export interface KillPoint {
  readonly step: Step;
  readonly key: string;
  /** 1: the first time the step is reached. */
  readonly occurrence: number;
}

/** What is asked of a running process: to die there, or to collect its garbage and say what it holds. */
export type Wish = KillPoint | "memory";

export interface ServiceSettings {
  readonly dataDir: string;
  readonly port: number;
  /** Text of a `stackling.yaml`. */
  readonly config: string;
  readonly killAt?: KillPoint;
  /** Of its runs; those of production by default. */
  readonly runnerLimits?: Partial<RunnerLimits>;
  /** Between two looks at costs and budgets; that of production by default. */
  readonly moneyEveryMs?: number;
}

/** One data folder with a service that can be killed and started again on it. */
export interface Instance {
  readonly dataDir: string;
  readonly port: number;
  readonly client: Client;
  /** Steps of reconcile that were reached, in order, over all lives. */
  readonly steps: { readonly step: Step; readonly key: string }[];
  pid(): number;
  /** How the last process ended, and what it wrote to stderr; both null while it runs. */
  lastEnd(): Pick<ChildProcess, "exitCode" | "signalCode"> & { readonly stderr: string };
  start(options?: { killAt?: KillPoint; config?: string }): Promise<void>;
  /** The running process dies by SIGKILL there. */
  arm(killAt: KillPoint): Promise<void>;
  /** Collects the garbage of the running process and says what it holds then. */
  memory(): Promise<HeldMemory>;
  /** Resolves once the process ended by itself. */
  died(): Promise<void>;
  kill(): Promise<void>;
  stop(): Promise<void>;
  /** Waits until the preview satisfies `done`. */
  waitFor(key: string, done: (preview: PreviewView) => boolean, what: string): Promise<PreviewView>;
  /** Waits until a preview of that git branch satisfies `done`; for pull requests whose number is not known. */
  waitForBranch(gitBranch: string, done: (preview: PreviewView) => boolean, what: string): Promise<PreviewView>;
  /** What the API answers on `path` below `/api/v1`, beyond what the client knows. */
  ask(path: string): Promise<unknown>;
  /** What `/metrics` says now. */
  metrics(): Promise<Samples>;
  /** GET through the gateway; the body as text. */
  get(url: string, path?: string): Promise<{ status: number; text: string }>;
  remove(): Promise<void>;
}

const PATIENCE_MS = 90_000;

/** Not started yet. `environment` is set for the service beside our own. */
export async function prepareInstance({
  config,
  environment = {},
  runnerLimits,
  moneyEveryMs,
}: {
  config: (port: number) => string;
  environment?: Readonly<Record<string, string>>;
  runnerLimits?: Partial<RunnerLimits>;
  moneyEveryMs?: number;
}): Promise<Instance> {
  const dataDir = await mkdtemp(join(tmpdir(), "stackling-e2e-"));
  await chmod(dataDir, 0o711);
  const port = await freePort();
  const steps: Instance["steps"] = [];
  let child: ChildProcess | undefined;
  let ended: Promise<unknown> = Promise.resolve();
  let client: Client | undefined;
  let token = "";
  let stderr = "";

  const whatIs = (found: unknown) => {
    const over = child && (child.exitCode !== null || child.signalCode !== null);
    return new Error(
      over ? `the service ended (${child?.signalCode ?? child?.exitCode}): ${stderr}` : JSON.stringify(found),
    );
  };
  const answerTo = async (wish: Wish): Promise<unknown> => {
    if (!child) throw new Error("the instance was not started");
    const answered = once(child, "message");
    child.send(wish);
    const over = ended.then(() => Promise.reject(whatIs(wish)));
    return (await Promise.race([answered, over]))[0];
  };
  const theClient = () => {
    if (!client) throw new Error("the instance was not started");
    return client;
  };
  const instance: Instance = {
    dataDir,
    port,
    get client() {
      return theClient();
    },
    steps,
    pid: () => child?.pid ?? 0,
    lastEnd: () => ({ exitCode: child?.exitCode ?? null, signalCode: child?.signalCode ?? null, stderr }),
    start: async (options = {}) => {
      const settings: ServiceSettings = {
        dataDir,
        port,
        config: options.config ?? config(port),
        killAt: options.killAt,
        runnerLimits,
        moneyEveryMs,
      };
      const entry = join(import.meta.dirname, "service-process.ts");
      const started = spawn(process.execPath, [entry, JSON.stringify(settings)], {
        stdio: ["ignore", "pipe", "pipe", "ipc"],
        env: { ...process.env, ...environment },
      });
      child = started;
      ended = once(started, "exit");
      stderr = "";
      started.stderr?.on("data", (data) => {
        stderr += String(data);
      });
      const lines = createInterface({ input: pipeOf(started) });
      const listening = new Promise<{ url: string; token: string }>((resolve) => {
        lines.on("line", (line) => {
          const message = JSON.parse(line) as { url: string; token: string } | { step: Step; key: string };
          if ("step" in message) steps.push(message);
          else resolve(message);
        });
      });
      const first = await Promise.race([listening, ended.then(() => undefined)]);
      // A kill point in the very first steps may be reached before it listens.
      token = first?.token ?? token;
      if (first) client = createClient(first);
      else if (!options.killAt) throw new Error(`the service ended at once: ${stderr}`);
    },
    arm: async (killAt) => {
      await answerTo(killAt);
    },
    memory: async () => (await answerTo("memory")) as HeldMemory,
    died: async () => {
      await ended;
    },
    kill: async () => {
      child?.kill("SIGKILL");
      await ended;
    },
    stop: async () => {
      child?.kill("SIGTERM");
      await ended;
    },
    waitFor: (key, done, what) =>
      eventually(
        async () => {
          const preview = await theClient()
            .find(key)
            .catch(() => undefined);
          if (preview && done(preview)) return preview;
          throw whatIs(preview ?? `no preview "${key}"`);
        },
        { timeoutMs: PATIENCE_MS, intervalMs: 50, what: `${key}: ${what}` },
      ),
    waitForBranch: (gitBranch, done, what) =>
      eventually(
        async () => {
          const previews = await theClient().list();
          const preview = previews.find((candidate) => candidate.gitBranch === gitBranch);
          if (preview && done(preview)) return preview;
          throw whatIs(preview ?? `no preview of "${gitBranch}"`);
        },
        { timeoutMs: PATIENCE_MS, intervalMs: 50, what: `${gitBranch}: ${what}` },
      ),
    ask: async (path) => {
      const answer = await dial(port, {
        path: `/api/v1${path}`,
        headers: { host: `127.0.0.1:${port}`, authorization: `Bearer ${token}` },
      });
      return JSON.parse(answer.text);
    },
    metrics: async () => {
      const headers = { host: `127.0.0.1:${port}`, authorization: `Bearer ${token}` };
      return samplesOf((await dial(port, { path: "/metrics", headers })).text);
    },
    get: async (url, path = "/") => {
      const { hostname } = new URL(url);
      return dial(port, { path, headers: { host: `${hostname}:${port}` } });
    },
    remove: async () => {
      if (child && child.exitCode === null && child.signalCode === null) await instance.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
  return instance;
}

function pipeOf({ stdout }: ChildProcess): Readable {
  if (!stdout) throw new Error("the service's output is not piped");
  return stdout;
}
