/**
 * Waiting for what was declared to be there. The provider's own waiting settles for ten seconds on a
 * Service and knows no reason a person could use, so it is left out (`SKIP_AWAIT`).
 */
import { setTimeout as delay } from "node:timers/promises";
import type { V1Deployment, V1Job } from "@kubernetes/client-node";
import { StacklingError, TerminalError } from "../errors.ts";
import { withTaskFailure } from "../service/task-failure.ts";
import { type Cluster, clusterError, found } from "./client.ts";
import { type Diagnosis, diagnose } from "./diagnose.ts";
import { lookAtDeployment, lookAtJob, readExcerpt } from "./look.ts";
import { wakeDeployment } from "./scale.ts";

const POLL_MS = 500;
/** Without an answer for so long the cluster is away. */
const AWAY_MS = 30_000;
/** Pods and events are read less often than the object itself. */
const LOOK_EVERY_MS = 2_000;
/** An engine that hears nothing is taken for dead: something is said at least this often. */
const SAY_EVERY_MS = 20_000;

export interface Waiting {
  readonly namespace: string;
  /** From the moment waiting begins. */
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
  /** Told now and then what is waited for. */
  readonly say: (text: string) => void;
  /** Values that must not show in log lines. */
  readonly secrets: readonly string[];
}

type Asks = Pick<Cluster, "core" | "apps" | "batch" | "discovery">;

/**
 * Resolves when every replica of the newest version is available, the old ones are gone, and, for one
 * that listens, its Service leads to it. A sleeping one is woken. Rejects with what stands in the way:
 * at once where waiting helps no more, else at the deadline. The old version serves on.
 */
export async function awaitDeployment(
  cluster: Asks,
  { name, listens }: { readonly name: string; readonly listens: boolean },
  waiting: Waiting,
): Promise<void> {
  const { namespace } = waiting;
  await wakeDeployment(cluster, namespace, name);
  const action = `starting service "${name}"`;
  await patiently(cluster, { action, failure: undefined }, waiting, async () => {
    const deployment = await found(cluster.apps.readNamespacedDeployment({ namespace, name }));
    if (!deployment) throw gone(`${action}: Deployment "${name}" is not there any more`);
    if (isRolledOut(deployment) && (!listens || (await hasEndpoint(cluster, namespace, name)))) return "done";
    return async () => diagnose(await lookAtDeployment(cluster, deployment));
  });
}

/** Resolves when the Job is complete. Rejects with `failure` and the last lines of its log when it failed. */
export async function awaitJob(
  cluster: Asks,
  { name, action, failure }: { readonly name: string; readonly action: string; readonly failure: string },
  waiting: Waiting,
): Promise<void> {
  const { namespace } = waiting;
  await patiently(cluster, { action, failure }, waiting, async () => {
    const job = await found(cluster.batch.readNamespacedJob({ namespace, name }));
    if (!job) throw gone(`${action}: Job "${name}" is not there any more`);
    if (hasCondition(job, "Complete")) return "done";
    const failed = job.status?.conditions?.find(({ type, status }) => type === "Failed" && status === "True");
    return async () => {
      const seen = diagnose(await lookAtJob(cluster, job));
      if (!failed) return seen;
      const late = failed.reason === "DeadlineExceeded" ? "it took too long" : (failed.message ?? "it failed");
      return { ...(seen ?? { reason: "StartFailed", message: late }), patienceMs: 0 };
    };
  });
}

/** What `kubectl rollout status` asks for: docs, "Deployments", "Complete Deployment". */
export function isRolledOut({ metadata, spec, status }: V1Deployment): boolean {
  const wanted = spec?.replicas ?? 1;
  if ((status?.observedGeneration ?? 0) < (metadata?.generation ?? 0)) return false;
  const { replicas = 0, updatedReplicas = 0, availableReplicas = 0 } = status ?? {};
  return updatedReplicas >= wanted && replicas <= updatedReplicas && availableReplicas >= updatedReplicas;
}

async function hasEndpoint({ discovery }: Pick<Cluster, "discovery">, namespace: string, service: string) {
  const labelSelector = `kubernetes.io/service-name=${service}`;
  const { items } = await discovery.listNamespacedEndpointSlice({ namespace, labelSelector });
  return items.some(({ endpoints }) => endpoints?.some(({ conditions }) => conditions?.ready !== false));
}

interface Attempt {
  readonly action: string;
  /** Reason of a failure of its own; a diagnosis' own where there is none. */
  readonly failure: string | undefined;
}

/** Asks until it is done; the question that is returned meanwhile says what is wrong. */
async function patiently(
  cluster: Pick<Cluster, "core">,
  attempt: Attempt,
  waiting: Waiting,
  ask: () => Promise<"done" | (() => Promise<Diagnosis | undefined>)>,
): Promise<void> {
  const began = performance.now();
  let looked = began;
  let fault: { readonly reason: string; readonly since: number } | undefined;
  let said = began;
  const calmly = forgiving(attempt.action);
  for (;;) {
    waiting.signal.throwIfAborted();
    const answer = await calmly(ask);
    if (answer === "done") return;
    const now = performance.now();
    const late = now - began > waiting.deadlineMs;
    if (late || now - looked > LOOK_EVERY_MS) {
      looked = now;
      const seen = await calmly(answer);
      fault = seen && (fault?.reason === seen.reason ? fault : { reason: seen.reason, since: now });
      const patient = !seen || !fault || now - fault.since < seen.patienceMs;
      if (late || !patient) throw await failureOf(cluster, attempt, waiting, seen);
      if (now - said > SAY_EVERY_MS) {
        said = now;
        waiting.say(`${attempt.action}: ${seen?.message ?? "waiting until it is ready"}`);
      }
    }
    await delay(POLL_MS, undefined, { signal: waiting.signal });
  }
}

/** Asks again while the cluster has been away for a moment only: its API is replaced under it now and then. */
function forgiving(action: string) {
  let away: number | undefined;
  return async <T>(ask: () => Promise<T>): Promise<T> => {
    for (;;) {
      try {
        const answer = await ask();
        away = undefined;
        return answer;
      } catch (error) {
        const failure = clusterError(action, error);
        away ??= performance.now();
        if (failure.reason !== "TargetUnreachable" || performance.now() - away > AWAY_MS) throw failure;
        await delay(POLL_MS);
      }
    }
  };
}

async function failureOf(
  cluster: Pick<Cluster, "core">,
  { action, failure }: Attempt,
  waiting: Waiting,
  seen: Diagnosis | undefined,
): Promise<StacklingError> {
  const after = `after ${Math.round(waiting.deadlineMs / 1000)} s`;
  const excerpt = seen ? await readExcerpt(cluster, waiting.namespace, seen, waiting.secrets) : [];
  const userMessage = seen
    ? `${action}: ${seen.message}${Number.isFinite(seen.patienceMs) ? "" : ` ${after}`}`
    : `${action}: not ready ${after}`;
  const own = seen === undefined || seen.reason === "StartFailed" ? (failure ?? "StartFailed") : seen.reason;
  const output = excerpt.join("\n");
  const details = {
    reason: own,
    userMessage: withTaskFailure(userMessage, own, { output, secrets: waiting.secrets }),
    excerpt,
  };
  return PASSING.has(own) ? new StacklingError(details) : new TerminalError(details);
}

/** Not the version's own fault: it is tried again. */
const PASSING: ReadonlySet<string> = new Set(["ImagePullFailed", "QuotaExceeded", "Unschedulable"]);

function hasCondition({ status }: V1Job, wanted: string): boolean {
  return status?.conditions?.some(({ type, status: holds }) => type === wanted && holds === "True") ?? false;
}

/** Somebody deleted it in the middle: the next run looks at the world first. */
function gone(userMessage: string): StacklingError {
  return new StacklingError({ reason: "StartFailed", userMessage });
}
