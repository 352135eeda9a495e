/** Metrics of what this process did: replicas are summed. */
import { REASONS } from "../reasons.ts";
import { CONDITIONS } from "../status.ts";
import type { MetricEntry } from "./entry.ts";

/** Seconds, from a step of a reconcile to the longest engine run, which is ended after 15 minutes. */
const WORK = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 900];
/** Seconds, from a page out of memory to one that was held while its preview woke. */
const REQUEST = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 90];
/** Seconds until people have their link. */
const WAIT = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600];
/** Seconds, from a quick fix to a month. */
const LEAD = [900, 3600, 14_400, 28_800, 86_400, 172_800, 345_600, 604_800, 1_209_600, 2_592_000];

export const REPLICA_METRICS = {
  stackling_build_info: {
    kind: "gauge",
    help: "Always 1; the labels say which version runs on which Node.",
    labels: ["version", "node"],
  },
  stackling_deliveries_total: {
    kind: "counter",
    help: "Webhook deliveries that were answered. `outcome` is `received` (stored), `ignored` (about no pull request), `notConfigured`, `refused` (with its `reason`) or `failed`; `event` is empty where it could not be read.",
    labels: ["forge", "event", "outcome", "reason"],
    values: { outcome: ["received", "ignored", "notConfigured", "refused", "failed"] },
  },
  stackling_reconcile_duration_seconds: {
    kind: "histogram",
    help: "What reconciling took, by action: `up`, `sleep`, `wake`, `check`, `destroy`, or `look` where there was nothing to do. `outcome` is `done`, `failed`, `interrupted` (ended from outside, tried again) or, of a look, `failed` where store or machine failed.",
    labels: ["action", "outcome"],
    values: {
      action: ["up", "sleep", "wake", "check", "destroy", "look"],
      outcome: ["done", "failed", "interrupted"],
    },
    buckets: WORK,
  },
  stackling_transitions_total: {
    kind: "counter",
    help: "Moves of previews to another condition or reason.",
    labels: ["repository", "condition", "reason"],
    values: { condition: CONDITIONS, reason: REASONS },
  },
  stackling_time_to_ready_seconds: {
    kind: "histogram",
    help: "From a version's first word (pushed, opened, asked for) until it served and passed its checks. What failed on the way counts in full; waiting for an approval does not.",
    labels: ["repository"],
    buckets: WAIT,
  },
  stackling_lead_time_seconds: {
    kind: "histogram",
    help: "From a pull request's opening until its merge, as the forge says; `preview` is `with` where a version of it served before. Bots' pull requests are left out.",
    labels: ["repository", "preview"],
    values: { preview: ["with", "without"] },
    buckets: LEAD,
  },
  stackling_wake_duration_seconds: {
    kind: "histogram",
    help: "From the beginning of a wake until the preview serves again.",
    labels: ["repository"],
    buckets: WAIT,
  },
  stackling_engine_runs_total: {
    kind: "counter",
    help: "Runs of the Pulumi engine; `operation` is `up`, `destroy` or `drift`, `outcome` is `done`, `failed`, `conflict` (somebody else holds the stack) or `interrupted`.",
    labels: ["operation", "outcome"],
    values: { operation: ["up", "destroy", "drift"], outcome: ["done", "failed", "conflict", "interrupted"] },
  },
  stackling_engine_run_duration_seconds: {
    kind: "histogram",
    help: "What a run of the engine took, with its wait for a free one.",
    labels: ["operation"],
    values: { operation: ["up", "destroy", "drift"] },
    buckets: WORK,
  },
  stackling_engines: {
    kind: "gauge",
    help: "Engines of this replica: `size` may run at once, `running` do, `waiting` runs wait for one.",
    labels: ["state"],
    values: { state: ["size", "running", "waiting"] },
  },
  stackling_destroy_attempts_total: {
    kind: "counter",
    help: "Tries to destroy a preview, by what came of them: `done`, `failed` or `interrupted`.",
    labels: ["repository", "outcome"],
    values: { outcome: ["done", "failed", "interrupted"] },
  },
  stackling_destroy_proofs_total: {
    kind: "counter",
    help: "Receipts: what the stack owned was looked for again and nothing was found. `reason` is why it went.",
    labels: ["repository", "reason"],
  },
  stackling_sweeps_total: {
    kind: "counter",
    help: "Sweeps that came to their end; `outcome` is `clean`, `found`, `failed` (something would not go) or `unread` (something could not be listed).",
    labels: ["outcome"],
    values: { outcome: ["clean", "found", "failed", "unread"] },
  },
  stackling_sweep_strays_total: {
    kind: "counter",
    help: "What sweeps met that no preview owns: `found`, and of these `removed`, `failed` or `kept` for a person to confirm.",
    labels: ["outcome"],
    values: { outcome: ["found", "removed", "failed", "kept"] },
  },
  stackling_drift_looks_total: {
    kind: "counter",
    help: "Comparisons of a stack with the world, by schedule or because a person asked; `outcome` is `same`, `drifted` or `unread`.",
    labels: ["repository", "outcome"],
    values: { outcome: ["same", "drifted", "unread"] },
  },
  stackling_forge_requests_total: {
    kind: "counter",
    help: "Requests to a forge's API, by the class of the answer's status (`2xx`, `3xx`, `4xx`, `5xx`), `limited` where a rate limit was met, or `unreachable`.",
    labels: ["forge", "outcome"],
    values: { outcome: ["2xx", "3xx", "4xx", "5xx", "limited", "unreachable"] },
  },
  stackling_forge_request_duration_seconds: {
    kind: "histogram",
    help: "Until a forge's API answered.",
    labels: ["forge"],
    buckets: REQUEST,
  },
  stackling_forge_rate_limit: {
    kind: "gauge",
    help: "Requests that the forge allows in a window, as it said last; of several credentials the one with the least left.",
    labels: ["forge"],
  },
  stackling_forge_rate_limit_remaining: {
    kind: "gauge",
    help: "Requests left in that window; all of them once it is over.",
    labels: ["forge"],
  },
  stackling_gateway_requests_total: {
    kind: "counter",
    help: "Requests to previews, by the class of the status that the visitor got, or `cut` where the connection ended before the answer did. WebSockets are left out.",
    labels: ["repository", "code"],
    values: { code: ["1xx", "2xx", "3xx", "4xx", "5xx", "cut"] },
  },
  stackling_gateway_request_duration_seconds: {
    kind: "histogram",
    help: "From a request's head to the end of its answer, with a wait for a wake in it. Event streams and WebSockets are left out.",
    labels: ["repository"],
    buckets: REQUEST,
  },
  stackling_gateway_errors_total: {
    kind: "counter",
    help: "Requests that the gateway itself could not bring to a preview that serves. An application's own 5xx is none, nor is a wake that failed, which `stackling_reconcile_duration_seconds` has.",
    labels: ["repository"],
  },
  stackling_store_up: {
    kind: "gauge",
    help: "1 while the store answers; at 0 everything that is read from it is absent.",
    labels: [],
  },
} as const satisfies Readonly<Record<`stackling_${string}`, MetricEntry>>;
