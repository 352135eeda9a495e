/** `Stacks` over a pool of warm children: one engine per child, requests wait while all are busy. */
import { join } from "node:path";
import type { LocalSettings } from "../components/local/resource.ts";
import type { PolicyOptions } from "../components/policy/rules.ts";
import { folderBackend } from "./backend.ts";
import { engineLogsOf } from "./engine-logs.ts";
import { ENGINE_LIMITS, type EngineLimits } from "./engine-process.ts";
import type { RunnerModules, Work } from "./runner-messages.ts";
import { createRunnerPool } from "./runner-pool.ts";
import { startRunnerProcess } from "./runner-process.ts";
import { createStackDriver } from "./stack-driver.ts";
import type { StackDriverSettings } from "./stack-driver-settings.ts";
import type { RunRequest, Stacks } from "./stacks.ts";

export interface RunnerLimits extends EngineLimits {
  /** Without a renewed lease or a heartbeat for so long, a run's process group is killed. */
  readonly watchdogMs: number;
  /** How long `close` lets running engines finish before it interrupts them. */
  readonly closeMs: number;
}

const RUNNER_LIMITS: RunnerLimits = { ...ENGINE_LIMITS, watchdogMs: 10_000, closeMs: 30_000 };

export interface RunnerOptions {
  readonly dataDir: string;
  readonly backendUrl: string;
  readonly passphraseFile: string;
  /** See `StackDriverSettings`. */
  readonly secretsProvider?: string;
  /** Path of the engine's executable. */
  readonly engine: string;
  /** Engines at once. */
  readonly size: number;
  readonly providerSettings: LocalSettings;
  readonly limits?: Partial<RunnerLimits>;
  readonly logger: { warn(fields: object, message: string): void };
  /** Variables the backend or cloud drivers need beside PATH, HOME and the like, such as credentials. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly modules?: RunnerModules;
  /** What previews' resources must never be; absent: anything goes. */
  readonly policy?: PolicyOptions;
}

/** Starts the pool; resolves when every child is warm. */
export async function createRunner(options: RunnerOptions): Promise<Stacks> {
  const limits = { ...RUNNER_LIMITS, ...options.limits };
  const driver = driverSettings(options, limits);
  const cheap = createStackDriver(driver);
  const folder = folderBackend(options.backendUrl);
  const pool = createRunnerPool(options.size, () =>
    startRunnerProcess({
      settings: { driver, provider: options.providerSettings, modules: options.modules ?? ourModules() },
      environment: driver.environment,
      watchdogMs: limits.watchdogMs,
      onStderr: (text) => options.logger.warn({ text: text.trimEnd() }, "a runner wrote to stderr"),
    }),
  );
  await pool.warm();
  const run = <K extends Work["kind"]>(stack: string, work: Extract<Work, { kind: K }>, request: RunRequest) =>
    // What goes makes room, and may have to go because of what it costs.
    pool.use((child) => child.run(stack, work, request), { first: work.kind === "destroy" });
  return {
    up: ({ spec, secrets, refresh, mayBeNew, ...request }) =>
      run(spec.stack, { kind: "up", spec, secrets, refresh, mayBeNew }, request),
    destroy: ({ stack, ...request }) => run(stack, { kind: "destroy" }, request),
    drift: ({ stack, ...request }) => run(stack, { kind: "drift" }, request),
    list: () => cheap.list(),
    outputs: (stack) => cheap.outputs(stack),
    resources: (stack) => cheap.resources(stack),
    remains: async (stack) => {
      const held = folder ? await folder.remains(stack) : (await cheap.list()).filter((name) => name === stack);
      return [...held, ...(await engineLogsOf(driver.pulumiHome, stack))];
    },
    // Other backends keep nothing apart from the stack, or nothing that can be listed without it.
    leftovers: async () => (await folder?.leftovers()) ?? [],
    load: () => pool.load(),
    close: () => pool.close(limits.closeMs),
  };
}

function driverSettings(options: RunnerOptions, limits: RunnerLimits): StackDriverSettings {
  const { dataDir, engine, backendUrl, passphraseFile, secretsProvider } = options;
  return {
    engine,
    backendUrl,
    passphraseFile,
    ...(secretsProvider === undefined ? {} : { secretsProvider }),
    ...(options.policy === undefined ? {} : { policy: options.policy }),
    pulumiHome: join(dataDir, "pulumi-home"),
    runsFolder: join(dataDir, "engine-runs"),
    environment: { ...cleanEnvironment(dataDir), ...options.environment },
    limits: { runMs: limits.runMs, silenceMs: limits.silenceMs, killMs: limits.killMs },
  };
}

/** Built from nothing, for ours holds secrets; only the tools' places and the network's variables are taken over. */
function cleanEnvironment(dataDir: string): Record<string, string> {
  const { PATH = "/usr/local/bin:/usr/bin:/bin", TMPDIR = "/tmp", LANG = "C.UTF-8" } = process.env;
  const network = NETWORK.flatMap((name) => {
    const value = process.env[name];
    return value === undefined || /:\/\/[^/]*@/.test(value) ? [] : [[name, value]];
  });
  return { ...Object.fromEntries(network), PATH, HOME: join(dataDir, "pulumi-home"), TMPDIR, LANG };
}

/** What reaching the network may need; one that holds a credential stays out. */
const NETWORK = ["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "SSL_CERT_DIR"].concat(
  ["HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"].flatMap((name) => [name, name.toLowerCase()]),
);

function ourModules(): RunnerModules {
  return {
    registry: new URL("../components/registry.ts", import.meta.url).href,
    provider: new URL("../components/local/provider.ts", import.meta.url).href,
  };
}
