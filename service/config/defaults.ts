/** What holds where `stackling.yaml` says nothing, and for the embedded default, which has no such file. */

import type { PullRequestRules } from "./repository-types.ts";
import type { OperatorConfig } from "./types.ts";

export const DEFAULT_PORT = 4000;
const DAY_SECONDS = 86_400;

/** CPU and memory as a Kubernetes quota for one preview would be: 4 CPU, 8 GiB. GitHub's bodies reach 25 MB. */
export const defaultLimits: OperatorConfig["limits"] = {
  engineRuns: 2,
  memoryMiB: 8192,
  cpu: 4,
  services: 15,
  webhookBytes: 25 * 1024 * 1024,
  largeBodies: 4,
};

/** Smoke tests and gates of one preview, and seconds for all of them. */
export const defaultChecks = { most: 50, forSeconds: 900 };

export const defaultLifecycle: OperatorConfig["lifecycle"] = {
  sleepAfterSeconds: 48 * 3600,
  warnAfterSeconds: 14 * DAY_SECONDS,
  destroyAfterSeconds: 21 * DAY_SECONDS,
  hardStopSeconds: 30 * DAY_SECONDS,
  extendMaxSeconds: 90 * DAY_SECONDS,
  resyncSeconds: 60,
};

export const defaultDrift: NonNullable<OperatorConfig["drift"]> = { policy: "report", everySeconds: DAY_SECONDS };

export const defaultSweep: NonNullable<OperatorConfig["sweep"]> = { everySeconds: 3600 };

/** How long what applications said is kept on this machine. */
export const defaultApplicationLogs: NonNullable<OperatorConfig["applicationLogs"]> = { keepDays: 7 };

/** How long who did what is remembered. */
export const defaultAudit: NonNullable<OperatorConfig["audit"]> = { keepDays: 365 };

export const defaultPullRequests: PullRequestRules = {
  drafts: true,
  bots: true,
  ignoreLabel: "no-preview",
  bases: ["**"],
};

export const defaultImages: OperatorConfig["images"] = { credentials: {}, waitSeconds: 15 * 60 };

/** Drivers of the target that runs on this machine. */
export const localDrivers = { service: "local", database: "clone", dns: "gateway", secrets: "local" } as const;

/** What differs where services run elsewhere; a database is always chosen there. */
export const remoteDrivers = { dns: "wildcard" } as const;
