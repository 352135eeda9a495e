/** What the API answers of previews, as programs may rely on it. */
import { z } from "zod";
import { CONDITIONS, STAGES } from "../status.ts";
import type { PreviewView } from "./preview-view.ts";
import { previewCostSchema } from "./routes/costs.ts";

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
  sources: z.record(text, text).optional(),
  from: text.describe("Stage that served it."),
  by: text,
  at: time,
  approvals: z.array(z.strictObject({ by: text, at: time })),
});

const checked = z.strictObject({
  commit: text,
  at: time,
  results: z.array(
    z.strictObject({
      name: text,
      kind: z.enum(["smoke", "command", "http", "errorRate", "pageSpeed"]),
      ok: z.boolean(),
      required: z.boolean(),
      text,
      excerpt: z.array(text).optional(),
      ms: z.number(),
    }),
  ),
});

export const previewSchema = z
  .strictObject({
    key: text.describe("`shop#42`, or `shop@branch` of one by hand."),
    stack: text.describe("Its Pulumi stack."),
    repository: text.describe("By its name in the config."),
    number: z.int().optional().describe("Of its pull request."),
    gitBranch: text.describe("Where its commits come from."),
    url: text.optional().describe("Main address; only once a version has answered its health check."),
    urls: z.record(text, text).describe("Address by service."),
    condition: z.enum(CONDITIONS).describe("Whether it is as it should be, is being made so, or stands still."),
    reason: text.describe("A word for programs, such as `Healthy` or `BuildFailed`."),
    message: text.describe("The reason, for people."),
    since: time.describe("When condition or reason changed last."),
    stage: z.enum(STAGES).describe("Where it is in its life."),
    commit: text.optional().describe("Serves now."),
    commitUrl: text.optional().describe("Where the forge shows it."),
    linked: z
      .array(
        z.strictObject({
          repository: text,
          said: text,
          commit: text,
          services: z.array(text),
          number: z.int().optional(),
          url: text.optional(),
          commitUrl: text.optional(),
        }),
      )
      .optional()
      .describe("Commits of other repositories whose services serve in it; with `number` the head of a pull request."),
    links: z
      .array(z.strictObject({ said: text, headSha: text.optional(), url: text.optional(), problem: text.optional() }))
      .optional()
      .describe("What its description says behind `Preview-With:`, and why a line does not count."),
    headSha: text.optional().describe("Newest commit, which may not serve yet."),
    headUrl: text.optional().describe("Where the forge shows that commit."),
    reviewUrl: text.optional().describe("Where the forge shows what `awaitsApproval` changes."),
    awake: z.boolean().describe("Whether its services run."),
    createdAt: time,
    lastPushAt: time,
    lastVisitAt: time.optional(),
    dueAt: time.optional().describe("When it is looked at next; only of one that is asked for by its key."),
    goesAt: time.optional().describe("When it goes because nobody uses it; only while its author is warned of that."),
    teardownAt: time.optional(),
    kept: z.boolean().describe("Neither idleness nor hard stop ends it."),
    keptBy: z.enum(["label", "person"]).optional().describe("Who said so."),
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
    title: text.optional().describe("Of the pull request."),
    author: text.optional().describe("Of the pull request."),
    pullRequestUrl: text.optional().describe("Where the forge shows it."),
    database: text.optional().describe("Name of its database branch."),
    loginValidUntil: time.optional(),
    scenario: text.optional().describe("What its database was seeded with."),
    scenarios: z.array(text).optional().describe("What it can be seeded with."),
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
      .optional()
      .describe("That it serves an older commit, until the next push."),
    goodCommits: z
      .array(z.strictObject({ sha: text, at: time }))
      .optional()
      .describe("Commits that served here, the newest first: those to go back to."),
    checks: checked.optional().describe("What smoke tests and gates said of the version that serves."),
    failedChecks: checked
      .extend({
        reason: z.enum(["SmokeTestFailed", "GateFailed"]),
        message: text,
        wentBackTo: text.optional(),
        stays: text.optional(),
      })
      .optional()
      .describe("The last commit that failed them, until another one is good."),
    destroyFailures: z.int().optional().describe("How often its teardown failed in a row."),
    drift: drift.optional().describe("What differs between its stack and the world."),
    awaitsApproval: text.optional().describe("Commit that waits until somebody approves it."),
    awaitsWith: z
      .record(text, text)
      .optional()
      .describe("Heads of linked pull requests, by their keys, that an approval of it is one of as well."),
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
      .optional()
      .describe("Of a fork or an outsider: whether it is kept apart, and who let which commit run."),
    flags: z.array(flag).optional().describe("Its feature flags."),
    login: z
      .strictObject({ users: z.array(z.strictObject({ name: text, title: text })) })
      .optional()
      .describe("Seeded users that its visitors can be by a click."),
    inboxes: z
      .array(z.strictObject({ name: text, url: text }))
      .optional()
      .describe("Pages with what it sent and nobody got."),
    egress: z
      .enum(["enforced", "advisory"])
      .optional()
      .describe("Whether it can reach only the hosts that are named, or is only told to."),
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
    cost: previewCostSchema.optional().describe("Only of one that is asked for by its key."),
    excerpt: z.array(text).describe("Last lines of what failed, redacted."),
    comment: text.optional().describe("As it stands on the pull request; only of one that is asked for by its key."),
  })
  .meta({ id: "Preview" }) satisfies z.ZodType<PreviewView>;

/** A line here that does not compile names what a view has and this schema lacks. */
type Lacking = Exclude<keyof PreviewView, keyof z.infer<typeof previewSchema>>;
export const nothingLacks: [Lacking] extends [never] ? true : Lacking = true;

export const historySchema = z
  .strictObject({
    key: text.describe("Of the preview."),
    at: time,
    reason: text.describe("What happened, for programs."),
    message: text.describe("The same for people."),
    headSha: text.optional().describe("Newest commit at that time."),
  })
  .meta({ id: "HistoryEntry" });

export const receiptSchema = z
  .strictObject({
    key: text.describe("Of the preview."),
    stack: text.describe("That was removed."),
    at: time,
    reason: text.describe("Why it went."),
    evidence: text.optional().describe("What said so."),
    removed: z.array(text).describe("URNs that the stack owned."),
    proof: z
      .array(z.strictObject({ what: text, found: z.number() }))
      .describe("What was looked for afterwards, and how much of it was still there."),
    durationMs: z.number().describe("What the teardown took."),
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
    differences: z
      .array(difference.extend({ urn: text, id: text.optional() }))
      .describe("One for each resource that is not as the stack has it."),
  })
  .meta({ id: "DriftReport" });
