/** Names inside a cluster: fixed, so that a create that was cut short finds its own again. Pure. */
import { createHash } from "node:crypto";

/** RFC 1123 label: docs, "Object Names and IDs". */
const LABEL_MAX = 63;

/** Bears the name of the stack that owns a namespace: what tells ours from others'. */
export const STACK_LABEL = "stackling.dev/stack";
// Tags are written as `stackling.dev/…`, and an operator names them freely: what works goes by another prefix.

/** Name of the service or task on everything that runs for it. */
export const SERVICE_LABEL = "preview.stackling.dev/service";
/** Ends that name where it is a task's: no service's name holds a dot. */
export const TASK_SUFFIX = ".task";
/** Its kind, as `preview.yaml` names it; `task` for migrations and seeds. */
export const KIND_LABEL = "preview.stackling.dev/kind";
/** What a Job was run for, hashed. */
export const TASK_LABEL = "preview.stackling.dev/task";
/** What a Job was declared with: it cannot be changed, and one that ran must not run again. */
export const SPEC_ANNOTATION = "preview.stackling.dev/spec";
/** Rolls the pods of the same commit. */
export const GENERATION_ANNOTATION = "preview.stackling.dev/generation";
/** Replicas that a sleeping Deployment had. */
export const REPLICAS_ANNOTATION = "preview.stackling.dev/replicas-awake";
/** The provider's own waiting is left out, see rollout.ts: Pulumi docs, "Await logic". */
export const SKIP_AWAIT = { "pulumi.com/skipAwait": "true" } as const;
/** Who changes what is not the stack's: scale. */
export const FIELD_MANAGER = "stackling";
/** Services answer here inside the cluster, whatever their containers listen on. */
export const SERVICE_PORT = 80;
/** Told to containers as PORT where `preview.yaml` names none. */
export const DEFAULT_PORT = 8080;

/** `preview-shop-pr-42`; cut with a hash of the whole when it is longer than a label may be. */
export function namespaceName(prefix: string, stack: string): string {
  const whole = `${prefix}-${stack}`;
  return whole.length <= LABEL_MAX ? whole : `${whole.slice(0, LABEL_MAX - 9)}-${hash(whole, 8)}`;
}

/** `host:port` of a service for whoever is in the same cluster. */
export function clusterAddress(namespace: string, service: string): string {
  return `${service}.${namespace}.svc.cluster.local:${SERVICE_PORT}`;
}

/** The first `length` hexadecimal digits of the text's SHA-256. */
export function hash(text: string, length = 10): string {
  return createHash("sha256").update(text).digest("hex").slice(0, length);
}
