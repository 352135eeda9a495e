import { NO_INTENTS } from "../../service/intents.ts";
import { newStatus, type Preview, type PreviewStatus } from "../../service/status.ts";
import { pullRequest } from "./memory-forge.ts";

export const COMMIT = "0123456789abcdef0123456789abcdef01234567";

export interface PreviewWish {
  readonly number?: number;
  readonly repository?: string;
  readonly status?: Partial<PreviewStatus>;
  /** Public URL by service of the version that serves; none: nothing was live yet. */
  readonly urls?: Readonly<Record<string, string>>;
  readonly healthPath?: string;
  readonly title?: string;
}

/** One that is new at `at` (ISO 8601), as it is given to the store. */
export function aDraft(number: number, at: string): Omit<Preview, "revision"> {
  return {
    key: `shop#${number}`,
    stack: `shop-pr-${number}`,
    repository: "shop",
    number,
    gitBranch: "feature",
    createdAt: at,
    lastPushAt: at,
    intents: NO_INTENTS,
    status: newStatus(at),
    handles: {},
  };
}

/** A preview of a pull request as the store would hold it; Ready and awake when it has `urls`. */
export function aPreview(wish: PreviewWish = {}): Preview {
  const { number = 42, repository = "shop", urls } = wish;
  const key = `${repository}#${number}`;
  const stack = `${repository}-pr-${number}`;
  const at = "2026-11-21T10:00:00.000Z";
  return {
    key,
    stack,
    repository,
    number,
    gitBranch: `feature-${number}`,
    createdAt: at,
    lastPushAt: at,
    intents: { generations: { deploy: 0, database: 0, seed: 0, secrets: 0 }, keep: false, asleep: false },
    pullRequest: pullRequest(number, COMMIT, {
      title: wish.title ?? "Show the cart total",
      url: `https://forge.example/acme/${repository}/pull/${number}`,
      commitUrl: `https://forge.example/acme/${repository}/commit/{sha}`,
      reviewUrl: `https://forge.example/acme/${repository}/pull/${number}/commits/{sha}`,
      createdAt: at,
      updatedAt: at,
    }),
    handles: {},
    revision: 1,
    status: {
      condition: urls ? "Ready" : "Reconciling",
      reason: urls ? "Healthy" : "Provisioning",
      message: urls ? "Live at 0123456." : "Creating the database.",
      excerpt: [],
      since: at,
      stackExists: true,
      outputs: {},
      interrupted: false,
      awake: true,
      destroyFailures: 0,
      live: urls && aSpec({ key, stack, repository, number, urls, healthPath: wish.healthPath }),
      ...wish.status,
    },
  };
}

function aSpec(wish: {
  readonly key: string;
  readonly stack: string;
  readonly repository: string;
  readonly number: number;
  readonly urls: Readonly<Record<string, string>>;
  readonly healthPath?: string;
}): NonNullable<PreviewStatus["live"]> {
  const local = { driver: "local", options: {} };
  return {
    version: 1,
    key: wish.key,
    stack: wish.stack,
    repository: wish.repository,
    number: wish.number,
    gitBranch: `feature-${wish.number}`,
    urls: { ...wish.urls },
    source: {
      repository: "/srv/git/shop",
      commit: COMMIT,
      submodules: false,
      lfs: false,
      install: [],
      build: [],
    },
    target: { name: "local", service: local, dns: { driver: "gateway", options: {} }, secrets: local },
    services: Object.keys(wish.urls).map((name) => ({
      name,
      kind: "web" as const,
      command: "node server.js",
      directory: ".",
      healthPath: wish.healthPath,
      startTimeoutSeconds: 30,
      environment: {},
      dependsOn: [],
      sidecars: [],
      memoryMiB: 256,
      cpu: 0.5,
    })),
    generatedSecrets: [],
    grantedSecrets: [],
    generations: { deploy: 0, database: 0, seed: 0, secrets: 0 },
    tags: {},
  };
}
