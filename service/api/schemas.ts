/** What the API answers of previews, as programs may rely on it. */
import { z } from "zod";
import type { PreviewView } from "./preview-view.ts";

const text = z.string();
const time = z.iso.datetime().describe("ISO 8601 UTC");
const flagValue = z.union([z.boolean(), z.number(), z.string()]);

const change = z.strictObject({ by: text.optional(), at: text.optional() });

const difference = z.strictObject({
  type: text,
  name: text,
  kind: z.enum(["changed", "missing"]),
  message: text,
  change: change.optional(),
});

const drift = z.strictObject({
  at: time.optional(),
  differences: z.array(difference),
  since: time.optional(),
  unread: z.strictObject({ at: time, message: text }).optional(),
});

const flag = z.strictObject({
  name: text,
  value: flagValue.describe("In effect in the version that serves."),
  default: flagValue,
  values: z.array(flagValue).optional(),
  wished: flagValue.describe("What labels and persons ask for now; the next version has it."),
  setBy: z.enum(["label", "person"]).optional(),
});

const schemaChange = z.strictObject({
  change: z.enum(["dropped", "changed", "added"]),
  kind: text,
  table: text.optional(),
  name: text,
  from: text.optional(),
  to: text.optional(),
});

const refusedCall = z.strictObject({
  host: text,
  port: z.int().optional(),
  why: z.enum(["unlisted", "address", "serverName", "protocol", "unreadable", "busy", "direct"]),
  count: z.int(),
  firstAt: time,
  lastAt: time,
});

const promoted = z.strictObject({
  sha: text,
  images: z.record(text, text).optional(),
  from: text.describe("Stage that served it."),
  by: text,
  at: time,
  approvals: z.array(z.strictObject({ by: text, at: time })),
});

export const CONDITIONS = ["Ready", "Reconciling", "Stalled"] as const;
export const STAGES = ["Created", "Active", "Asleep", "Idle", "Closed", "Gone"] as const;

export const previewSchema = z
  .strictObject({
    key: text.describe("`shop#42`, or `shop@branch` of one by hand."),
    stack: text,
    repository: text,
    number: z.int().optional().describe("Of its pull request."),
    gitBranch: text,
    url: text.optional().describe("Main address; only once a version has answered its health check."),
    urls: z.record(text, text).describe("Address by service."),
    condition: z.enum(CONDITIONS),
    reason: text.describe("A word for programs, such as `Healthy` or `BuildFailed`."),
    message: text,
    since: time.describe("When condition or reason changed last."),
    stage: z.enum(STAGES),
    commit: text.optional().describe("Serves now."),
    commitUrl: text.optional().describe("Where the forge shows it."),
    headSha: text.optional().describe("Newest commit, which may not serve yet."),
    headUrl: text.optional(),
    awake: z.boolean(),
    createdAt: time,
    lastPushAt: time,
    lastVisitAt: time.optional(),
    dueAt: time.optional().describe("When it is looked at next; only of one that is asked for by its key."),
    goesAt: time.optional().describe("When it goes because nobody uses it; only while its author is warned of that."),
    teardownAt: time.optional(),
    kept: z.boolean().describe("Neither idleness nor hard stop ends it."),
    keptBy: z.enum(["label", "person"]).optional(),
    extendedTo: time.optional(),
    ends: z
      .strictObject({
        idleSince: time,
        sleepsAt: time.optional(),
        idleStop: time.optional(),
        hardStop: time.optional(),
      })
      .optional()
      .describe("When it sleeps and goes if nobody does anything; absent once it is gone."),
    goneAt: time.optional(),
    rebuildable: z.boolean().describe("True for one that is gone and that `redeploy` would make anew."),
    title: text.optional(),
    author: text.optional(),
    pullRequestUrl: text.optional(),
    database: text.optional(),
    loginValidUntil: time.optional(),
    scenario: text.optional(),
    scenarios: z.array(text).optional(),
    schema: z
      .strictObject({
        changes: z.array(schemaChange),
        counts: z.strictObject({ dropped: z.int(), changed: z.int(), added: z.int() }),
        baseline: text.optional(),
      })
      .optional()
      .describe("What migrations made of the database."),
    rolledBack: z
      .strictObject({ sha: text, by: text, at: time, database: z.enum(["anew", "kept"]).optional() })
      .optional(),
    goodCommits: z.array(z.strictObject({ sha: text, at: time })).optional(),
    destroyFailures: z.int().optional(),
    drift: drift.optional(),
    awaitsApproval: text.optional().describe("Commit that waits until somebody approves it."),
    approval: z
      .strictObject({
        sha: text,
        given: z.array(z.strictObject({ by: text, at: time })),
        lacks: text.optional(),
        until: time.optional(),
        trusted: z.literal(true).optional(),
      })
      .optional()
      .describe(
        "How the newest commit stands by the repository's rule of approvals: who gave one, who and what is missing.",
      ),
    untrusted: z
      .strictObject({
        isolated: z.boolean(),
        approved: z.strictObject({ sha: text, by: text, at: time }).optional(),
      })
      .optional(),
    flags: z.array(flag).optional(),
    login: z.strictObject({ users: z.array(z.strictObject({ name: text, title: text })) }).optional(),
    inboxes: z.array(z.strictObject({ name: text, url: text })).optional(),
    egress: z.enum(["enforced", "advisory"]).optional(),
    refusedCalls: z.array(refusedCall).optional().describe("Only of one that is asked for by its key."),
    promoted: promoted.optional().describe("Of a stage: what it was given last."),
    promotion: promoted
      .extend({ dueAt: time, waitsFor: text.optional() })
      .optional()
      .describe("Of a stage: what waits for approvals or its time."),
    promotable: z
      .strictObject({ from: text, sha: text.optional(), problem: text.optional() })
      .optional()
      .describe(
        "Of a stage: the commit that may be promoted to it, or why none may; only where it is asked for by its key.",
      ),
    excerpt: z.array(text).describe("Last lines of what failed, redacted."),
    comment: text.optional().describe("As it stands on the pull request; only of one that is asked for by its key."),
  })
  .meta({ id: "Preview" }) satisfies z.ZodType<PreviewView>;

/** A line here that does not compile names what a view has and this schema lacks. */
type Lacking = Exclude<keyof PreviewView, keyof z.infer<typeof previewSchema>>;
export const nothingLacks: readonly Lacking[] = [] satisfies readonly never[];

export const historySchema = z
  .strictObject({ key: text, at: time, reason: text, message: text, headSha: text.optional() })
  .meta({ id: "HistoryEntry" });

export const receiptSchema = z
  .strictObject({
    key: text,
    stack: text,
    at: time,
    reason: text,
    evidence: text.optional(),
    removed: z.array(text).describe("URNs that the stack owned."),
    proof: z.array(z.strictObject({ what: text, found: z.number() })),
    durationMs: z.number(),
  })
  .meta({ id: "Receipt" });

export const logLineSchema = z
  .union([
    z.strictObject({ service: text, at: text.optional(), text }),
    z.strictObject({ error: z.strictObject({ reason: text, message: text }) }),
  ])
  .meta({ id: "LogLine" });

export const driftReportSchema = z
  .strictObject({
    differences: z.array(difference.extend({ urn: text, id: text.optional() })),
  })
  .meta({ id: "DriftReport" });
