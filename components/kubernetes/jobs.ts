/** Commands that run to their end: migrations, seeds, and services of kind `job`. */

import type { V1Job } from "@kubernetes/client-node";
import { Job } from "@pulumi/kubernetes/batch/v1/job.js";
import type * as input from "@pulumi/kubernetes/types/input.js";
import { all, type CustomResourceOptions, type Input, log, type Output, output } from "@pulumi/pulumi";
import type { Awaited } from "./awaited.ts";
import type { Cluster } from "./client.ts";
import { hash, KIND_LABEL, SERVICE_LABEL, SKIP_AWAIT, SPEC_ANNOTATION, TASK_LABEL, TASK_SUFFIX } from "./names.ts";
import { awaitJob } from "./rollout.ts";

export interface JobDefinition {
  /** `migrate`, `seed` or a service's name. */
  readonly name: string;
  readonly kind: "job" | "task";
  /** Runs again exactly when this changes. */
  readonly key: Output<string>;
  readonly namespace: string;
  readonly pod: Input<input.core.v1.PodSpec>;
  /** Such as `migrating the database`. */
  readonly action: string;
  /** Reason when it fails. */
  readonly failure: string;
  /** How long it may take, with what its pod needs to start. */
  readonly timeoutSeconds: number;
  readonly scheduleTimeoutSeconds: number;
  /** Values that must not show in log lines. Secret. */
  readonly hidden: Output<readonly string[]>;
  readonly childName: string;
  readonly inside: CustomResourceOptions;
  readonly awaited: Awaited;
}

export interface DeclaredJob {
  readonly job: Job;
  /** Resolves when it has succeeded. */
  readonly done: Output<unknown>;
}

/**
 * A Job named after its key. One that is there is declared again exactly as it was, whatever a new
 * commit would make of it, so that the engine leaves it alone; one that failed gets a successor.
 */
export function declareJob(definition: JobDefinition): DeclaredJob {
  const { name, namespace, childName, inside, awaited } = definition;
  const wanted = all([definition.key, output(definition.pod)]).apply(([key, pod]) => ({
    key: hash(key),
    spec: { backoffLimit: 0, activeDeadlineSeconds: deadline(definition), template: template(definition, pod) },
  }));
  const claimed = awaited(`looking for Job "${name}"`, {
    value: wanted,
    instead: ({ key, spec }): ClaimedJob => ({ name: `${name}-${key}-1`, spec: JSON.stringify(spec) }),
    work: ({ key, spec }, { cluster }) => {
      const labelSelector = selectorOf({ ...labelsOf(definition), [TASK_LABEL]: key });
      return claim(cluster, { namespace, labelSelector, base: `${name}-${key}`, spec: JSON.stringify(spec) });
    },
  });
  const job = new Job(
    childName,
    {
      metadata: {
        namespace,
        name: claimed.name,
        labels: { ...labelsOf(definition), [TASK_LABEL]: wanted.key },
        annotations: { ...SKIP_AWAIT, [SPEC_ANNOTATION]: claimed.spec },
      },
      spec: claimed.spec.apply((text): input.batch.v1.JobSpec => JSON.parse(text)),
    },
    inside,
  );
  const done = awaited(definition.action, {
    value: all([job.id, claimed.name, definition.hidden]),
    instead: () => undefined,
    work: ([, own, secrets], { cluster, signal }) =>
      awaitJob(
        cluster,
        { ...definition, name: own },
        {
          namespace,
          deadlineMs: deadline(definition) * 1000,
          signal,
          secrets,
          say: (text) => void log.info(text, job, undefined, true),
        },
      ),
  });
  return { job, done };
}

interface ClaimedJob {
  readonly name: string;
  /** JSON */
  readonly spec: string;
}

async function claim(
  { batch }: Pick<Cluster, "batch">,
  wanted: { readonly namespace: string; readonly labelSelector: string; readonly base: string; readonly spec: string },
): Promise<ClaimedJob> {
  const { namespace, labelSelector, base, spec } = wanted;
  const { items } = await batch.listNamespacedJob({ namespace, labelSelector });
  const last = items.sort((a, b) => attemptOf(a) - attemptOf(b)).at(-1);
  if (!last) return { name: `${base}-1`, spec };
  const failed = last.status?.conditions?.some(({ type, status }) => type === "Failed" && status === "True");
  const recorded = last.metadata?.annotations?.[SPEC_ANNOTATION];
  if (!failed && recorded !== undefined && !last.metadata?.deletionTimestamp) {
    return { name: last.metadata?.name ?? "", spec: recorded };
  }
  return { name: `${base}-${attemptOf(last) + 1}`, spec };
}

function attemptOf({ metadata }: V1Job): number {
  return Number(/-(\d+)$/.exec(metadata?.name ?? "")?.[1] ?? 0);
}

function deadline({ timeoutSeconds, scheduleTimeoutSeconds }: JobDefinition): number {
  return Math.ceil(timeoutSeconds + scheduleTimeoutSeconds);
}

function template(definition: JobDefinition, spec: unknown) {
  return { metadata: { labels: labelsOf(definition) }, spec };
}

/** A task's differs from any service's, for no Service may lead to its pod. */
function labelsOf({ name, kind }: JobDefinition): Record<string, string> {
  return { [SERVICE_LABEL]: kind === "task" ? `${name}${TASK_SUFFIX}` : name, [KIND_LABEL]: kind };
}

function selectorOf(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(",");
}
