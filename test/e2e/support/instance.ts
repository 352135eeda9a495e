import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { PreviewView } from "../../../service/api/preview-view.ts";
import { type Client, createClient } from "../../../service/cli/client.ts";
import type { Step } from "../../../service/reconcile.ts";
import { eventually } from "../../support/eventually.ts";

export interface KillPoint {
  readonly step: Step;
  readonly key: string;
  /** 1: the first time the step is reached. */
  readonly occurrence: number;
}

export interface ServiceSettings {
  readonly dataDir: string;
  readonly port: number;
  /** Text of a `stackling.yaml`. */
  readonly config: string;
  readonly killAt?: KillPoint;
}

/** One data folder with a service that can be killed and started again on it. */
export interface Instance {
  readonly dataDir: string;
  readonly port: number;
  readonly client: Client;
  /** Steps of reconcile that were reached, in order, over all lives. */
  readonly steps: { readonly step: Step; readonly key: string }[];
  pid(): number;
  start(options?: { killAt?: KillPoint; config?: string }): Promise<void>;
  /** Resolves once the process ended by itself. */
  died(): Promise<void>;
  kill(): Promise<void>;
  stop(): Promise<void>;
  /** Waits until the preview satisfies `done`. */
  waitFor(key: string, done: (preview: PreviewView) => boolean, what: string): Promise<PreviewView>;
  /** GET through the gateway; the body as text. */
  get(url: string, path?: string): Promise<{ status: number; text: string }>;
  remove(): Promise<void>;
}

const PATIENCE_MS = 90_000;

/** Not started yet; `config` may use `{port}` and `{dataDir}`. */
export async function prepareInstance({ config }: { config: (port: number) => string }): Promise<Instance> {
  const dataDir = await mkdtemp(join(tmpdir(), "stackling-e2e-"));
  await chmod(dataDir, 0o711);
  const port = await freePort();
  const steps: Instance["steps"] = [];
  let child: ChildProcess | undefined;
  let ended: Promise<unknown> = Promise.resolve();
  let client: Client | undefined;

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
    start: async (options = {}) => {
      const settings: ServiceSettings = {
        dataDir,
        port,
        config: options.config ?? config(port),
        killAt: options.killAt,
      };
      const entry = join(import.meta.dirname, "service-process.ts");
      const started = spawn(process.execPath, [entry, JSON.stringify(settings)], { stdio: ["ignore", "pipe", "pipe"] });
      child = started;
      ended = once(started, "exit");
      let stderr = "";
      started.stderr.on("data", (data) => {
        stderr += String(data);
      });
      const lines = createInterface({ input: started.stdout });
      const listening = new Promise<{ url: string; token: string }>((resolve) => {
        lines.on("line", (line) => {
          const message = JSON.parse(line) as { url: string; token: string } | { step: Step; key: string };
          if ("step" in message) steps.push(message);
          else resolve(message);
        });
      });
      const first = await Promise.race([listening, ended.then(() => undefined)]);
      // A kill point in the very first steps may be reached before it listens.
      if (first) client = createClient(first);
      else if (!options.killAt) throw new Error(`the service ended at once: ${stderr}`);
    },
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
          throw new Error(JSON.stringify(preview ?? `no preview "${key}"`));
        },
        { timeoutMs: PATIENCE_MS, intervalMs: 50, what: `${key}: ${what}` },
      ),
    get: async (url, path = "/") => {
      const { hostname } = new URL(url);
      const { request } = await import("node:http");
      const message = await new Promise<{ status: number; text: string }>((resolve, reject) => {
        const asked = request(
          { host: "127.0.0.1", port, path, headers: { host: `${hostname}:${port}` }, agent: false },
          (response) => {
            let text = "";
            response.setEncoding("utf8");
            response.on("data", (part: string) => {
              text += part;
            });
            response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
            response.on("error", reject);
          },
        );
        asked.on("error", reject);
        asked.end();
      });
      return message;
    },
    remove: async () => {
      if (child && child.exitCode === null && child.signalCode === null) await instance.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
  return instance;
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
