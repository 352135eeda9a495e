/** One entry of `repositories` in `stackling.yaml` as an operator writes it. */
import { z } from "zod";
import { accessRules } from "./access-schema.ts";
import { approvalRule } from "./approval.ts";
import { bannerRule } from "./banner.ts";
import { comments } from "./comment-schema.ts";
import { parseDuration } from "./duration.ts";
import { egressRules } from "./egress.ts";
import { headKeys } from "./head-changes.ts";
import { oauthRelayRule } from "./oauth-relay.ts";
import { officeKeys } from "./office-hours.ts";
import { pullRequestRules } from "./pull-request-rules.ts";
import { count } from "./scalars.ts";
import { secretReference } from "./secret-schema.ts";
import { stagesRule } from "./stages.ts";
import { untrustedRules } from "./untrusted-rules.ts";

export const name = z
  .string()
  .regex(
    /^[a-z]([a-z0-9-]{0,28}[a-z0-9])?$/,
    "must be lower-case letters, digits and dashes, a letter first and no dash last, at most 30 characters",
  );

const durationOrOff = z
  .string()
  .refine(
    (text) => text === "off" || parseDuration(text) !== undefined,
    'must be a time such as "30m", "48h" or "14d", or "off"',
  );

export const lifecycleTimes = {
  sleepAfter: durationOrOff.optional().describe("Without a visit for so long, a preview falls asleep. Default 48h."),
  warnAfter: durationOrOff
    .optional()
    .describe("Without a visit or push for so long, its author is warned, once. Default 14d."),
  destroyAfter: durationOrOff
    .optional()
    .describe("Without a visit or push for so long, a preview that was warned of is removed. Default 21d."),
  hardStop: durationOrOff
    .optional()
    .describe("So long after its creation a preview is removed, unless it is kept or extended. Default 30d."),
  extendMax: durationOrOff
    .optional()
    .describe("So long after its creation `extend` may move the hard stop at most. Default 90d."),
  ...officeKeys,
};

export const driftPolicy = z.enum(["off", "report", "repair"]);

export const repository = z.strictObject({
  path: z.string().min(1).describe("`acme/shop`, or the folder of a local repository (relative to this file)."),
  name: name
    .optional()
    .describe("Unique and never changed: part of every host and stack. Default: the last part of `path`."),
  id: z
    .union([z.int().positive(), z.string().min(1)])
    .optional()
    .describe(
      "The forge's own id of the repository, needed only where another one is to take its place: `doctor` says so, and which. Default: the one that was seen first.",
    ),
  forge: z.string().optional().describe("Name of an entry of `forges`; may be left out when there is one."),
  target: z.string().optional().describe("Name of an entry of `targets`; may be left out when there is one."),
  branches: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe("Patterns of git branches that get previews. Default `**`: all."),
  pullRequests: pullRequestRules
    .optional()
    .describe("Which pull requests get previews; one that is refused later loses its own."),
  baseline: name.optional().describe("Database that previews start as a copy of. Default: an empty one."),
  baselines: z
    .array(name)
    .optional()
    .describe("Further ones that `preview.yaml` may choose by `database.from`. Default: none."),
  headMayChange: headKeys
    .optional()
    .describe("Keys of `preview.yaml` that a trusted head may change before it is merged. Default: none."),
  untrusted: untrustedRules
    .optional()
    .describe("Pull requests of forks and of authors without write access, once somebody approved them."),
  approval: approvalRule.optional(),
  linkedBy: z
    .array(name)
    .optional()
    .describe(
      "Repositories, by their names, whose `preview.yaml` may take services of this one into their previews. Default: none, for whoever may write to the one can then read the other's code.",
    ),
  secrets: z
    .record(z.string().regex(/^[A-Z][A-Z0-9_]*$/, "must be capital letters, digits and underscores"), secretReference)
    .optional()
    .describe("Values that trusted previews may be granted, by name."),
  team: z.string().optional().describe("Who is asked; for tags."),
  costCenter: z.string().optional().describe("Who pays; for tags."),
  tags: z.record(z.string(), z.string()).optional().describe("Further tags of everything a preview owns."),
  lifecycle: z
    .strictObject(lifecycleTimes)
    .optional()
    .describe("Times that differ for this repository; what is left out is as under `lifecycle` at the top."),
  access: accessRules.optional().describe("As `access` at the top, in place of it for this repository."),
  oauthRelay: oauthRelayRule.optional(),
  banner: bannerRule.optional(),
  comments: comments.optional(),
  chat: z.array(name).optional().describe("Names of entries of `chat` at the top that are told of it. Default: all."),
  hooks: z.array(name).optional().describe("Names of entries of `hooks` at the top that are told of it. Default: all."),
  egress: egressRules.optional(),
  drift: z
    .strictObject({ policy: driftPolicy.describe("As `drift.policy` at the top, for this repository.") })
    .optional()
    .describe("What comes of an edit by hand, for this repository."),
  stages: stagesRule.optional(),
  limits: z
    .strictObject({
      previews: count
        .optional()
        .describe("Live previews of this repository at once. Default: `limits.previewsPerRepository`."),
    })
    .optional()
    .describe("Limits of this repository."),
});

export type RepositoryFile = z.infer<typeof repository>;
