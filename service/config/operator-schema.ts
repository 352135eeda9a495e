/** `stackling.yaml` as an operator writes it. Descriptions become the published JSON Schema and docs/config.md. */
import { z } from "zod";
import { type ForgeName, forges } from "../forges/registry.ts";
import { accessRules, trustedProxies } from "./access-schema.ts";
import { bannerRule } from "./banner.ts";
import { baselineSchema } from "./baselines.ts";
import { budgetsSchema } from "./budgets.ts";
import { chatSchema } from "./chat.ts";
import { comments } from "./comment-schema.ts";
import { costsSchema } from "./costs.ts";
import { dashboardRules } from "./dashboard.ts";
import { egressRules } from "./egress.ts";
import { hookSchema } from "./hooks.ts";
import { limitsSchema } from "./limits.ts";
import { metricsSchema } from "./metrics.ts";
import { prometheusSchema } from "./prometheus.ts";
import { registry, registryHost } from "./registry-schema.ts";
import { driftPolicy, lifecycleTimes, name, repository } from "./repository-schema.ts";
import { duration } from "./scalars.ts";
import { secretReference } from "./secret-schema.ts";
import { signatureRules } from "./signatures.ts";

export const forgeNames = Object.keys(forges) as [ForgeName, ...ForgeName[]];

const driver = z
  .union([z.string().min(1), z.looseObject({ driver: z.string().min(1).describe("Which: docs/targets.md.") })])
  .describe("A driver by name, or a map with `driver` and that driver's options.");

const target = z.strictObject({
  service: driver.optional().describe("What runs the services. Default `local`."),
  database: z
    .union([z.literal(false), ...driver.options])
    .optional()
    .describe(
      "What gives each preview its database; `false` for a target without databases. Default `clone` where services run on this machine.",
    ),
  dns: driver
    .optional()
    .describe("What makes hosts answer. Default `gateway` where services run on this machine, else `wildcard`."),
  secrets: driver.optional().describe("What makes and keeps secrets. Default `local`."),
  backing: z
    .record(name, driver)
    .optional()
    .describe("Servers that previews share and get a part of their own of, by a name: `redis`, `kafka`, …"),
  program: z
    .string()
    .min(1)
    .optional()
    .describe("Module of your own (relative to this file) whose `extend` adds resources to each preview."),
});

export const operatorSchema = z.strictObject({
  url: z
    .url({ protocol: /^https?$/, error: 'must be an address such as "https://preview.acme.dev"' })
    .optional()
    .describe("Where people reach the service; previews are hosts below it. Default `http://localhost:PORT`."),
  host: z.string().min(1).optional().describe("Address to listen on. Default 127.0.0.1."),
  port: z.int().min(1).max(65535).optional().describe("Port to listen on. Default 4000."),
  access: accessRules.optional(),
  dashboard: dashboardRules.optional(),
  banner: bannerRule.optional(),
  egress: egressRules.optional(),
  trustForwarded: trustedProxies.optional(),
  store: secretReference.optional().describe("Postgres URL of the store. Default: the embedded server."),
  backend: z
    .union([z.string().min(1), ...secretReference.options])
    .optional()
    .describe(
      "Pulumi backend, such as `s3://bucket`; as a reference where the address holds a password. Default: files in the data folder.",
    ),
  passphrase: secretReference
    .optional()
    .describe("Encrypts secrets in the state. Default: made once, in the data folder."),
  secretsProvider: z
    .string()
    .regex(
      /^(passphrase|default|(awskms|azurekeyvault|gcpkms|hashivault):\/\/.+)$/,
      'must be "passphrase", "default" or an address such as "awskms://alias/stackling?region=eu-central-1"',
    )
    .optional()
    .describe(
      "What encrypts secrets in the state of new previews: `passphrase`, a key such as `awskms://alias/stackling?region=eu-central-1` (also `azurekeyvault://`, `gcpkms://`, `hashivault://`), or `default` with Pulumi Cloud. Default `passphrase`.",
    ),
  engineEnvironment: z
    .array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "must be the name of an environment variable"))
    .optional()
    .describe(
      "Environment variables of the service that engines get too, such as the credentials of `backend`. Default: none.",
    ),
  token: secretReference
    .optional()
    .describe("Bearer token of the API, one for all replicas. Default: made once, in the data folder."),
  log: z
    .enum(["file", "stderr"])
    .optional()
    .describe(
      "Where the service's log goes, as JSON lines: `stackling.log` in the data folder, or stderr. Default `file`.",
    ),
  images: z
    .strictObject({
      registries: z
        .array(registry)
        .min(1)
        .optional()
        .describe("Where images may come from: hosts, or starts of names such as `ghcr.io/acme`. Default: anywhere."),
      credentials: z
        .record(
          registryHost,
          z.strictObject({
            username: z.string().min(1).describe("Who asks there."),
            password: secretReference.describe("Where the password or access token is; read anew at every look."),
          }),
        )
        .optional()
        .describe("For private registries, by host (`docker.io` for Docker Hub). They need to read and nothing else."),
      signatures: signatureRules.optional(),
      waitMinutes: z
        .number()
        .positive("must be more than 0")
        .max(1440, "must be at most 1440")
        .optional()
        .describe("How long the image of a new commit is waited for. Default 15."),
    })
    .optional()
    .describe("For targets that run images."),
  forges: z
    .record(name, z.looseObject({ kind: z.enum(forgeNames).optional().describe("Default: the entry's name.") }))
    .optional()
    .describe("Where pull requests come from, by name, with each forge's own options. Default: `local` alone."),
  repositories: z
    .array(repository)
    .min(1, "must name at least one repository")
    .describe("Whose pull requests get previews."),
  baselines: z.record(name, baselineSchema).optional().describe("Databases that previews can be copies of, by name."),
  targets: z.record(name, target).optional().describe("Named choices of drivers. Default: `local` alone."),
  prometheus: prometheusSchema.optional(),
  metrics: metricsSchema.optional(),
  costs: costsSchema.optional(),
  budgets: budgetsSchema.optional(),
  limits: limitsSchema.optional().describe("How much of everything there may be."),
  lifecycle: z
    .strictObject({
      ...lifecycleTimes,
      resync: duration.optional().describe("How often all open pull requests are looked at. Default 60s."),
    })
    .optional()
    .describe("When previews fall asleep, are warned of, and go: docs/config.md#lifecycle."),
  drift: z
    .strictObject({
      policy: driftPolicy
        .optional()
        .describe(
          "What comes of an edit by hand that such a look finds: `report` shows it, `repair` also puts it right, `off` does not look. Default `report`.",
        ),
      every: duration.optional().describe("How often each live preview is compared with the world. Default 24h."),
    })
    .optional()
    .describe("Looks on schedule for what differs from the stacks: docs/config.md#drift."),
  sweep: z
    .strictObject({
      every: duration.optional().describe("How often what no preview owns is looked for and removed. Default 1h."),
    })
    .optional()
    .describe("Removal of what no preview owns: docs/config.md#sweep-and-kill-switch."),
  audit: z
    .strictObject({
      keep: duration.optional().describe("How long it is remembered who asked for what. Default 365d."),
    })
    .optional()
    .describe("The record of who asked for what: docs/api.md#audit."),
  applicationLogs: z
    .strictObject({
      keep: duration
        .optional()
        .describe("How long lines of previews' services, installs and builds are kept on this machine. Default 7d."),
    })
    .optional()
    .describe("Logs of applications on this machine: docs/observability.md#logs-of-applications."),
  policy: z
    .enum(["advisory", "mandatory"])
    .optional()
    .describe(
      "Checks every resource of a preview: tags, nothing public, nothing dear or privileged, images from `images.registries`, sizes within `limits`. `advisory` tells, `mandatory` stops the update. Default: off.",
    ),
  fallbackUrl: z
    .url({ protocol: /^https?$/, error: 'must be an address such as "https://staging.acme.dev"' })
    .optional()
    .describe(
      "Offered on pages and in comments of previews that are gone, held back or stopped, such as a shared staging. Default: none.",
    ),
  comments: comments.optional(),
  chat: z.record(name, chatSchema).optional().describe("Channels that are told of previews, by name: docs/chat.md."),
  hooks: z.record(name, hookSchema).optional().describe("Outgoing webhooks by name: docs/chat.md."),
  commentTemplate: z
    .string()
    .min(1)
    .optional()
    .describe(
      "File (relative to this one) with a Liquid template of the comment: docs/comment.md. Default: our own words.",
    ),
});

export type OperatorFile = z.infer<typeof operatorSchema>;
export type TargetFile = z.infer<typeof target>;
export type DriverFile = z.infer<typeof driver>;
