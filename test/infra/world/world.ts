/** A data folder, a runner on the real engine over the world's drivers, and leases, for one test. */
import { existsSync, readdirSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PolicyOptions } from "../../../components/policy/rules.ts";
import { locateEngine } from "../../../infra/engine.ts";
import { createRunner, type RunnerLimits } from "../../../infra/runner.ts";
import type { PreviewSpec } from "../../../infra/spec.ts";
import type { EngineProcess, Lease, Stacks } from "../../../infra/stacks.ts";
import { eventually } from "../../support/eventually.ts";

export interface Thing {
  readonly name: string;
  /** Its create waits until a file of this name is in the world. */
  readonly hold?: string;
  readonly fault?: "refuse" | "deaf";
  readonly value?: string;
}

export interface World {
  readonly dataDir: string;
  readonly backendUrl: string;
  readonly passphraseFile: string;
  readonly engine: string;
  runner(limits?: Partial<RunnerLimits>, size?: number, policy?: PolicyOptions): Promise<Stacks>;
  /** A further lease on a stack, with a higher fence; remembers engines like the store does. */
  lease(stack: string): TestLease;
  /** One that knows nothing of the engines that ran before. */
  stranger(stack: string): TestLease;
  things(): string[];
  /** Removes a thing behind the engine's back. */
  take(file: string): Promise<void>;
  /** Lets the creates that wait for `name` go on. */
  release(name: string): Promise<void>;
  /** Resolves when all these things are there. */
  appears(...files: readonly string[]): Promise<void>;
  overwrite(file: string, content: object): Promise<void>;
  clearLocks(stack: string): Promise<void>;
  /** Ends all runners and removes the folder. */
  remove(): Promise<void>;
}

export interface TestLease extends Lease {
  renew(): void;
  lose(): void;
  readonly engines: EngineProcess[];
}

export interface WorldBackend {
  /** Absent: files of the world's folder. */
  readonly url?: string;
  /** What encrypts secrets; absent: the world's passphrase. */
  readonly secretsProvider?: string;
  /** Its credentials. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** State lies in files of the world's folder unless another backend is given. */
export async function createWorld(backend?: WorldBackend): Promise<World> {
  const dataDir = await mkdtemp(join(tmpdir(), "stackling-infra-"));
  const passphraseFile = join(dataDir, "passphrase");
  await writeFile(passphraseFile, "a passphrase", { mode: 0o600 });
  const { command: engine } = await locateEngine();
  const backendUrl = backend?.url ?? `file://${join(dataDir, "state")}`;
  const runners: Stacks[] = [];
  const recorded = new Map<string, EngineProcess[]>();
  let fence = 0;
  await mkdir(join(dataDir, "state"));
  return {
    dataDir,
    backendUrl,
    passphraseFile,
    engine,
    runner: async (limits, size = 1, policy) => {
      const runner = await createRunner({
        dataDir,
        backendUrl,
        passphraseFile,
        engine,
        size,
        providerSettings: { dataDir },
        ...(policy && { policy }),
        limits: { closeMs: 100, ...limits },
        ...(backend?.secretsProvider && { secretsProvider: backend.secretsProvider }),
        ...(backend?.environment && { environment: backend.environment }),
        logger: { warn: (fields, message) => console.error(message, fields) },
        modules: {
          registry: new URL("./registry.ts", import.meta.url).href,
          provider: new URL("./provider.ts", import.meta.url).href,
        },
      });
      runners.push(runner);
      return runner;
    },
    lease: (stack) => {
      fence += 1;
      const engines = recorded.get(stack) ?? [];
      recorded.set(stack, engines);
      return createLease(stack, fence, engines);
    },
    stranger: (stack) => {
      fence += 1;
      return createLease(stack, fence, []);
    },
    take: (file) => rm(join(dataDir, "world", file)),
    things: () =>
      readdirSync(join(dataDir, "world"))
        .filter((name) => name.endsWith(".json"))
        .sort(),
    release: (name) => writeFile(join(dataDir, "world", name), ""),
    appears: async (...files) => {
      await eventually(() => files.every((file) => existsSync(join(dataDir, "world", file))), {
        what: files.join(", "),
      });
    },
    overwrite: (file, content) => writeFile(join(dataDir, "world", file), JSON.stringify(content)),
    clearLocks: (stack) =>
      rm(join(dataDir, "state/.pulumi/locks/organization/stackling", stack), { recursive: true, force: true }),
    remove: async () => {
      await Promise.all(runners.map((runner) => runner.close()));
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

function createLease(stack: string, fence: number, engines: EngineProcess[]): TestLease {
  const listeners = new Set<() => void>();
  const lost = new AbortController();
  return {
    stack,
    fence,
    lost: lost.signal,
    onRenewed: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    recordEngine: async (engine) => {
      engines.unshift(engine);
    },
    priorEngines: async () => [...engines],
    renew: () => {
      for (const listener of listeners) listener();
    },
    lose: () => lost.abort(),
    engines,
  };
}

export function spec(
  stack: string,
  things: readonly Thing[] = [{ name: "one" }],
  more: Partial<PreviewSpec> = {},
): PreviewSpec {
  return {
    version: 1,
    stack,
    key: "shop#1",
    repository: "shop",
    number: 1,
    gitBranch: "cart",
    urls: { web: "http://pr-1-shop.localhost:4000" },
    source: { repository: "/srv/shop", commit: "a".repeat(40), submodules: false, lfs: false, install: [], build: [] },
    target: {
      name: "world",
      service: { driver: "world", options: { things } },
      dns: { driver: "world", options: {} },
      secrets: { driver: "world", options: {} },
    },
    services: [
      {
        name: "web",
        kind: "web",
        command: "true",
        directory: ".",
        startTimeoutSeconds: 1,
        environment: {},
        dependsOn: [],
        sidecars: [],
        memoryMiB: 64,
        cpu: 1,
      },
    ],
    generatedSecrets: [],
    grantedSecrets: [],
    generations: { deploy: 0, database: 0, seed: 0, secrets: 0 },
    tags: { preview: stack },
    ...more,
  };
}
