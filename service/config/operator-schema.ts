/** `stackling.yaml` as an operator writes it. Descriptions become the published JSON Schema and docs/config.md. */
import { z } from "zod";
import { type ForgeName, forges } from "../forges/registry.ts";
import { accessRules, trustedProxies } from "./access-schema.ts";
import { bannerRule } from "./banner.ts";
import { baselineSchema } from "./baselines.ts";
import { parseDuration } from "./duration.ts";
import { egressRules } from "./egress.ts";
import { headKeys } from "./head-changes.ts";
import { limitsSchema } from "./limits.ts";
import { oauthRelayRule } from "./oauth-relay.ts";
import { officeKeys } from "./office-hours.ts";
import { pullRequestRules } from "./pull-request-rules.ts";
import { registry, registryHost } from "./registry-schema.ts";
import { count, duration } from "./scalars.ts";
import { secretReference } from "./secret-schema.ts";
import { untrustedRules } from "./untrusted-rules.ts";

export const forgeNames = Object.keys(forges) as [ForgeName, ...ForgeName[]];

const name = z
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

const lifecycleTimes = {
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

const driftPolicy = z.enum(["off", "report", "repair"]);

const driver = z
  .union([z.string().min(1), z.looseObject({ driver: z.string().min(1) })])
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

const repository = z.strictObject({
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
  egress: egressRules.optional(),
  drift: z
    .strictObject({ policy: driftPolicy.describe("As `drift.policy` at the top, for this repository.") })
    .optional(),
  limits: z
    .strictObject({
      previews: count
        .optional()
        .describe("Live previews of this repository at once. Default: `limits.previewsPerRepository`."),
    })
    .optional(),
});

export const operatorSchema = z.strictObject({
  url: z
    .url({ protocol: /^https?$/, error: 'must be an address such as "https://preview.acme.dev"' })
    .optional()
    .describe("Where people reach the service; previews are hosts below it. Default `http://localhost:PORT`."),
  host: z.string().min(1).optional().describe("Address to listen on. Default 127.0.0.1."),
  port: z.int().min(1).max(65535).optional().describe("Port to listen on. Default 4000."),
  access: accessRules.optional(),
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
            username: z.string().min(1),
            password: secretReference.describe("Where the password or access token is; read anew at every look."),
          }),
        )
        .optional()
        .describe("For private registries, by host (`docker.io` for Docker Hub). They need to read and nothing else."),
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
  limits: limitsSchema.optional(),
  lifecycle: z
    .strictObject({
      ...lifecycleTimes,
      resync: duration.optional().describe("How often all open pull requests are looked at. Default 60s."),
    })
    .optional(),
  drift: z
    .strictObject({
      policy: driftPolicy
        .optional()
        .describe(
          "What comes of an edit by hand that such a look finds: `report` shows it, `repair` also puts it right, `off` does not look. Default `report`.",
        ),
      every: duration.optional().describe("How often each live preview is compared with the world. Default 24h."),
    })
    .optional(),
  sweep: z
    .strictObject({
      every: duration.optional().describe("How often what no preview owns is looked for and removed. Default 1h."),
    })
    .optional(),
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
  comments: z.boolean().optional().describe("One comment per pull request, edited in place. Default true."),
});

export type OperatorFile = z.infer<typeof operatorSchema>;
export type RepositoryFile = z.infer<typeof repository>;
export type TargetFile = z.infer<typeof target>;
export type DriverFile = z.infer<typeof driver>;
