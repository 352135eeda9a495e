/** What runs for as long as a preview is awake: a Deployment with its Service, or a CronJob. */
import { Deployment } from "@pulumi/kubernetes/apps/v1/deployment.js";
import { CronJob } from "@pulumi/kubernetes/batch/v1/cronJob.js";
import { Service } from "@pulumi/kubernetes/core/v1/service.js";
import type * as input from "@pulumi/kubernetes/types/input.js";
import { all, type CustomResourceOptions, type Input, log, type Output, type Resource } from "@pulumi/pulumi";
import type { ServiceDefinition } from "../ports.ts";
import type { Awaited } from "./awaited.ts";
import { GENERATION_ANNOTATION, KIND_LABEL, SERVICE_LABEL, SERVICE_PORT, SKIP_AWAIT } from "./names.ts";
import { portOf } from "./pods.ts";
import { awaitDeployment } from "./rollout.ts";
import { suspend } from "./scale.ts";

export interface WorkloadDefinition {
  readonly service: ServiceDefinition;
  readonly namespace: string;
  readonly pod: Input<input.core.v1.PodSpec>;
  /** Raised to release the same commit again. */
  readonly generation: number;
  readonly scheduleTimeoutSeconds: number;
  /** Values that must not show in log lines. Secret. */
  readonly hidden: Output<readonly string[]>;
  readonly childName: string;
  readonly inside: CustomResourceOptions;
  readonly awaited: Awaited;
}

export interface DeclaredWorkload {
  readonly resources: readonly Resource[];
  /** Resolves when it takes traffic, or would. */
  readonly ready: Output<unknown>;
}

/** Pods of the version before that are kept for a rollback by hand. */
const HISTORY = 2;
const SETTLE_SECONDS = 3;

/**
 * `replicas` stays unset, for sleep and wake are no changes of the stack. No PodDisruptionBudget: a
 * preview must never hold up the emptying of a node.
 */
export function declareDeployment(definition: WorkloadDefinition): DeclaredWorkload {
  const { service, namespace, childName, inside, awaited } = definition;
  const { name, kind } = service;
  const deadlineSeconds = Math.ceil(service.startTimeoutSeconds + definition.scheduleTimeoutSeconds);
  const selector = { [SERVICE_LABEL]: name };
  const entrance = kind === "web" ? [declareEntrance(definition, selector)] : [];
  const deployment = new Deployment(
    childName,
    {
      metadata: { namespace, name, labels: { ...selector }, annotations: { ...SKIP_AWAIT } },
      spec: {
        selector: { matchLabels: selector },
        strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
        revisionHistoryLimit: HISTORY,
        // Nobody asks a worker whether it is well: one that lives for a moment is.
        ...(kind === "worker" && { minReadySeconds: SETTLE_SECONDS }),
        progressDeadlineSeconds: deadlineSeconds,
        template: template(definition),
      },
    },
    inside,
  );
  const ready = awaited(`starting service "${name}"`, {
    value: all([deployment.id, definition.hidden, all(entrance.map(({ id }) => id))]),
    instead: () => undefined,
    work: ([, secrets], { cluster, signal }) =>
      awaitDeployment(
        cluster,
        { name, listens: entrance.length > 0 },
        {
          namespace,
          deadlineMs: deadlineSeconds * 1000,
          signal,
          secrets,
          say: (text) => void log.info(text, deployment, undefined, true),
        },
      ),
  });
  return { resources: [deployment, ...entrance], ready };
}

/** Runs by the clock, in UTC, one at a time. */
export function declareCronJob(definition: WorkloadDefinition): DeclaredWorkload {
  const { service, namespace, childName, inside, awaited } = definition;
  const { name, schedule = "" } = service;
  const cron = new CronJob(
    childName,
    {
      metadata: { namespace, name, labels: { [SERVICE_LABEL]: name } },
      spec: {
        schedule,
        timeZone: "Etc/UTC",
        concurrencyPolicy: "Forbid",
        successfulJobsHistoryLimit: 1,
        failedJobsHistoryLimit: 1,
        jobTemplate: { spec: { backoffLimit: 0, template: template(definition) } },
      },
    },
    inside,
  );
  const ready = awaited(`scheduling service "${name}"`, {
    value: cron.id,
    instead: () => undefined,
    work: (_id, { cluster }) => suspend(cluster, namespace, false),
  });
  return { resources: [cron], ready };
}

function declareEntrance(
  { service, namespace, childName, inside }: WorkloadDefinition,
  selector: Readonly<Record<string, string>>,
): Service {
  return new Service(
    childName,
    {
      metadata: { namespace, name: service.name, annotations: { ...SKIP_AWAIT } },
      spec: { selector: { ...selector }, ports: [{ name: "http", port: SERVICE_PORT, targetPort: portOf(service) }] },
    },
    inside,
  );
}

function template({ service, pod, generation }: WorkloadDefinition): input.core.v1.PodTemplateSpec {
  return {
    metadata: {
      labels: { [SERVICE_LABEL]: service.name, [KIND_LABEL]: service.kind },
      annotations: { [GENERATION_ANNOTATION]: String(generation) },
    },
    spec: pod,
  };
}
