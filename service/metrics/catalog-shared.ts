/** Metrics that are read from the store when somebody asks: every replica says the same, and the greatest counts. */

import { LEVELS } from "../money/budgets/budget.ts";
import { METERS } from "../money/types.ts";
import { REASONS } from "../reasons.ts";
import { CONDITIONS, STAGES } from "../status.ts";
import type { MetricEntry } from "./entry.ts";

export const SHARED_METRICS = {
  stackling_inbox_depth: {
    kind: "gauge",
    help: "Previews that wait to be looked at.",
    labels: [],
  },
  stackling_inbox_oldest_age_seconds: {
    kind: "gauge",
    help: "How long the oldest of them waits that no worker holds up; 0 when none does.",
    labels: [],
  },
  stackling_inbox_working: {
    kind: "gauge",
    help: "Previews that a worker of some replica looks at now.",
    labels: [],
  },
  stackling_sweep_last_strays: {
    kind: "gauge",
    help: "The same of the newest sweep alone.",
    labels: ["outcome"],
    values: { outcome: ["found", "removed", "failed", "kept"] },
  },
  stackling_sweep_last_timestamp_seconds: {
    kind: "gauge",
    help: "When the newest sweep began, in Unix time; absent before the first.",
    labels: [],
  },
  stackling_previews: {
    kind: "gauge",
    help: "Previews that are not gone, by condition and lifecycle stage.",
    labels: ["repository", "condition", "stage"],
    values: { condition: CONDITIONS, stage: STAGES },
  },
  stackling_previews_by_reason: {
    kind: "gauge",
    help: "Previews that are not gone, by the reason of their condition.",
    labels: ["repository", "reason"],
    values: { reason: REASONS },
  },
  stackling_previews_asleep: {
    kind: "gauge",
    help: "Previews that sleep.",
    labels: ["repository"],
  },
  stackling_previews_queued: {
    kind: "gauge",
    help: "Previews that wait for their turn or for a place under a cap.",
    labels: ["repository"],
  },
  stackling_previews_drifted: {
    kind: "gauge",
    help: "Previews whose newest comparison found something that is not as the stack says.",
    labels: ["repository"],
  },
  stackling_previews_destroy_failing: {
    kind: "gauge",
    help: "Previews that cannot be removed: so many tries failed that a person is needed.",
    labels: ["repository"],
  },
  stackling_previews_unproved: {
    kind: "gauge",
    help: "Previews that had a stack, are said to be gone since at most a week, and have no receipt. Never more than 0.",
    labels: [],
  },
  stackling_stages: {
    kind: "gauge",
    help: "Staging, production and the like (docs/stages.md), which count as no previews, by condition.",
    labels: ["repository", "condition"],
    values: { condition: CONDITIONS },
  },
  stackling_cost_month: {
    kind: "gauge",
    help: "What previews cost in this month (UTC) so far, by repository, in `currency`; that of vendors' bills where they are known.",
    labels: ["repository", "currency"],
  },
  stackling_cost_month_by_team: {
    kind: "gauge",
    help: "The same by team; empty for repositories without one.",
    labels: ["team", "currency"],
  },
  stackling_cost_month_by_meter: {
    kind: "gauge",
    help: "The same by what it was for: `cpu`, `memory`, `disk`, `load-balancer`, `database-compute`, …",
    labels: ["meter", "currency"],
    values: { meter: METERS },
  },
  stackling_cost_month_forecast: {
    kind: "gauge",
    help: "What all previews come to in this month at the pace of the last week.",
    labels: ["currency"],
  },
  stackling_cost_today: {
    kind: "gauge",
    help: "What previews cost today (UTC) so far, by repository.",
    labels: ["repository", "currency"],
  },
  stackling_budget_limit: {
    kind: "gauge",
    help: "What a budget allows: of a month, or, of a preview's, of its life. `repository` is empty of all together.",
    labels: ["budget", "repository", "currency"],
    beyond: "first",
  },
  stackling_budget_used: {
    kind: "gauge",
    help: "What of it is used; of a preview's budget by the one that used the most.",
    labels: ["budget", "repository", "currency"],
    beyond: "first",
  },
  stackling_budget_holds: {
    kind: "gauge",
    help: "How many of those that have the budget stand there: `within`, `warned`, `refusing` new previews, `sleeping` the idlest, or `stopped`; what somebody lifted stands as lifted.",
    labels: ["budget", "repository", "level"],
    values: { level: LEVELS },
  },
  stackling_paused: {
    kind: "gauge",
    help: "1 between `stop-all` and `resume-all`.",
    labels: [],
  },
} as const satisfies Readonly<Record<`stackling_${string}`, MetricEntry>>;
