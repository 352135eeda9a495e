import { pino } from "pino";
import { withClient } from "../../components/local/database-client.ts";
import type { OwnedThing } from "../../components/ports.ts";
import { type ActionDeps, type AllActions, createActions } from "../../service/actions.ts";
import type { ApplicationConfig } from "../../service/config/application-types.ts";
import type { RepositoryConfig } from "../../service/config/repository-types.ts";
import type { OperatorConfig } from "../../service/config/types.ts";
import { createImages } from "../../service/images/images.ts";
import { createRegistry } from "../../service/images/registry.ts";
import { type ReconcileDeps, reconcile } from "../../service/reconcile.ts";
import type { Preview } from "../../service/status.ts";
import { openStore, type PostgresStore } from "../../service/store/postgres.ts";
import { createSubjectReader } from "../../service/subject.ts";
import type { World } from "../../service/world.ts";
import { type FakeStacks, fakeStacks } from "./fake-stacks.ts";
import { type MemoryForge, memoryForge } from "./memory-forge.ts";

export const silent = pino({ level: "silent" });
export const SHA = { a: "a".repeat(40), b: "b".repeat(40), c: "c".repeat(40) };

export const shop: RepositoryConfig = {
  name: "shop",
  forge: "memory",
  path: "acme/shop",
  target: "local",
  branches: ["**"],
  secrets: {},
  tags: {},
};

/** What a preview.yaml may come to that says nothing. */
export const application: ApplicationConfig = {
  main: "web",
  install: [],
  build: [],
  services: [],
  generatedSecrets: [],
  grantedSecrets: [],
  submodules: false,
  lfs: false,
};

const choice = { driver: "local", options: {} };
export const config: OperatorConfig = {
  forges: [],
  repositories: [shop],
  targets: [{ name: "local", runs: "source", service: choice, dns: choice, secrets: choice }],
  domain: "localhost:4000",
  scheme: "http",
  port: 4000,
  host: "127.0.0.1",
  images: { credentials: {}, waitSeconds: 900 },
  limits: { engineRuns: 2, memoryMiB: 8192, cpu: 4, services: 15, webhookBytes: 1_000_000, largeBodies: 4 },
  lifecycle: { sleepAfterSeconds: 3600, hardStopSeconds: 30 * 86_400, resyncSeconds: 60 },
  comments: "full",
};

export const PREVIEW_YAML = "services:\n  web: node server.js\n";

export interface Bench {
  readonly store: PostgresStore;
  readonly stacks: FakeStacks;
  readonly forge: MemoryForge;
  readonly deps: ReconcileDeps;
  readonly awake: Map<string, boolean>;
  readonly owned: OwnedThing[];
  readonly announced: string[];
  readonly clock: { now: string; advance(seconds: number): void };
  reconcile(key: string, more?: Partial<ReconcileDeps>): Promise<void>;
  preview(key: string): Promise<Preview>;
  close(): Promise<void>;
}

/** A world with nothing in it but what is awake, by stack. */
export function emptyWorld(awake: Map<string, boolean>): World {
  return {
    setAwake: async (_target, stack, value) => void awake.set(stack, value),
    renew: async () => undefined,
    address: async () => undefined,
    async *logs() {},
    check: async () => [],
    usage: async () => ({ counters: [], held: [] }),
    counting: async () => ({ service: false, database: false }),
    changed: async () => undefined,
    explain: async () => undefined,
    configured: [],
    owned: async () => [],
    kinds: async () => [],
    remove: async () => {},
  };
}

/** Reconcile on a real store that starts empty, with forge and engine replaced at their ports and a clock that only tests move. */
export async function reconcileBench(url: string): Promise<Bench> {
  const clock = {
    now: "2026-03-01T12:00:00.000Z",
    advance(seconds: number) {
      clock.now = new Date(Date.parse(clock.now) + seconds * 1000).toISOString();
    },
  };
  const store = await openStore({ url, holder: "bench", logger: silent, now: () => clock.now });
  await withClient(url, (client) =>
    client.query("truncate audit, preview, seat, receipt, history, lease, claim, setting, pgboss.job"),
  );
  const stacks = fakeStacks();
  const forge = memoryForge();
  forge.files.set("main:preview.yaml", PREVIEW_YAML);
  const awake = new Map<string, boolean>();
  const owned: OwnedThing[] = [];
  const announced: string[] = [];
  const world: World = {
    ...emptyWorld(awake),
    owned: async () => owned,
    kinds: async () => ["process", "database"],
    remove: async () => void owned.splice(0),
  };
  const deps: ReconcileDeps = {
    store,
    stacks,
    world,
    config,
    subjects: createSubjectReader({ config, forge: () => forge }),
    findRepository: async (name) => (name === "shop" ? shop : undefined),
    isolationOf: () => "apart",
    images: createImages({
      registry: createRegistry({ credentials: async () => undefined }),
      waitSeconds: config.images.waitSeconds,
      now: () => clock.now,
    }),
    prepareSource: async () => {},
    resolveSecrets: async () => ({}),
    announce: async ({ key, status }) => void announced.push(`${key} ${status.condition} ${status.reason}`),
    lookAgain: () => {},
    stopping: new AbortController().signal,
    now: () => clock.now,
    logger: silent,
  };
  return {
    store,
    stacks,
    forge,
    deps,
    awake,
    owned,
    announced,
    clock,
    reconcile: (key, more) => reconcile({ ...deps, ...more }, key),
    async preview(key) {
      const preview = await store.find(key);
      if (!preview) throw new Error(`there is no preview "${key}"`);
      return preview;
    },
    close: () => store.close(),
  };
}

/** The service dies with it right behind the commit of what it carried out. */
export function killedBehind(store: PostgresStore): PostgresStore {
  return {
    ...store,
    async updateAndNote(key, change) {
      await store.updateAndNote(key, change);
      throw new Error("killed");
    },
  };
}

/** What people may ask for of this bench's previews. */
export function benchActions({ deps, store, stacks, forge }: Bench, more: Partial<ActionDeps> = {}): AllActions {
  return createActions({
    ...deps,
    store,
    stacks,
    repositories: async () => [shop],
    forge: () => forge,
    localForge: "local",
    defaultTarget: "local",
    ...more,
  });
}
