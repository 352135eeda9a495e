/** `preview.yaml` as a person writes it. Descriptions become the published JSON Schema and docs/config.md. */
import { z } from "zod";
import { applicationAccess } from "./access-schema.ts";
import { bannerRule } from "./banner.ts";
import { checksShape } from "./checks-schema.ts";
import { externalSchema } from "./external.ts";
import { flagsSchema } from "./flags.ts";
import { linkedKeys, linkedRepositories } from "./linked.ts";
import { loginSchema } from "./login.ts";
import { variableName } from "./scalars.ts";
import { scenarioSchema, scenariosSchema } from "./scenarios.ts";

const serviceName = z
  .string()
  .regex(
    /^[a-z]([a-z0-9-]{0,28}[a-z0-9])?$/,
    "must be lower-case letters, digits and dashes, a letter first and no dash last, at most 30 characters",
  );

const baselineName = z
  .string()
  .regex(/^[a-z]([a-z0-9-]{0,28}[a-z0-9])?$/, "must be the name of a baseline that the operator's config allows");

const secretName = z
  .string()
  .regex(/^[A-Z][A-Z0-9_]*$/, "must be capital letters, digits and underscores, a letter first");

const command = z.string().trim().min(1, "must be a command, is empty");

const environment = z
  .record(variableName, z.union([z.string(), z.number(), z.boolean()]))
  .describe(
    "Environment variables. Values may hold ${database.url}, ${services.NAME.url}, ${services.NAME.address} and ${secrets.NAME}.",
  );

const directory = z
  .string()
  .min(1)
  .describe("Folder inside the repository to run in; the repository's root by default.");

const step = z.union([
  command,
  z.strictObject({
    command: command.describe("Shell command; a non-zero exit fails the preview."),
    directory: directory.optional(),
  }),
]);

const steps = z.union([...step.options, z.array(step)]);

const image = z.string().trim().min(1, "must be an image, is empty");

const port = z.int().min(1).max(65535);

const sidecar = z.strictObject({
  command: command.optional().describe("Shell command that starts it."),
  image: image
    .optional()
    .describe("Container image, for targets that run images, such as `redis:8`. Default: the service's own."),
  port: port.optional().describe("Port it listens on, where its service finds it at 127.0.0.1."),
});

const service = z.strictObject({
  ...linkedKeys,
  kind: z
    .enum(["web", "worker", "cron", "job"])
    .optional()
    .describe(
      "`web` listens on PORT and has a link; `worker` runs and listens to nobody; `cron` runs on a schedule; `job` runs once per release. Default: `cron` with a schedule, else `web`.",
    ),
  command: command.optional().describe("Shell command that starts it. It finds its port in PORT."),
  image: image
    .optional()
    .describe(
      "Container image, for targets that run images: `ghcr.io/acme/shop:{sha}`, where `{sha}` is the commit and `{shortSha}` its first seven digits, or a digest. With `command` too, the command runs in it.",
    ),
  readOnlyRoot: z
    .boolean()
    .optional()
    .describe("Runs with a root file system that it cannot write, on targets that run images. Default false."),
  directory: directory.optional(),
  port: port
    .optional()
    .describe(
      "Port it listens on, for targets where each service has its own network; PORT holds it. Default 8080 there.",
    ),
  health: z
    .string()
    .startsWith("/", "must begin with /")
    .optional()
    .describe("Path that must answer 200 to 399 before the link moves here; without one an open port is enough."),
  startTimeoutSeconds: z
    .number()
    .positive("must be more than 0")
    .max(900, "must be at most 900")
    .optional()
    .describe("Time from start to healthy before the release counts as failed. Default 60."),
  schedule: z.string().optional().describe("Five-field cron expression in UTC, for `cron`."),
  env: environment.optional(),
  dependsOn: z.array(z.string()).optional().describe("Services that are healthy before this one starts."),
  sidecars: z
    .record(serviceName, z.union([command, sidecar]))
    .optional()
    .describe(
      "Further processes beside this one, name to command or map, with the same environment, network and life.",
    ),
  memoryMiB: z.int().min(16, "must be at least 16").optional().describe("Memory limit in MiB. Default 512."),
  cpu: z.number().positive("must be more than 0").optional().describe("Share of one CPU, 1 = one core. Default 0.5."),
});

export const applicationSchema = z.strictObject({
  services: z
    .record(serviceName, z.union([command, service]))
    .describe("The application's processes by name: a start command, or a map for more."),
  repositories: linkedRepositories.optional(),
  main: z.string().optional().describe("Service that answers at the preview's link. Default: the first `web` one."),
  install: steps.optional().describe("Commands that fetch packages; cached by lock file and command."),
  build: steps.optional().describe("Commands that build the application, after `install`."),
  database: z
    .union([
      z.boolean(),
      z.strictObject({
        migrate: step
          .optional()
          .describe("Brings the schema to this commit; runs before traffic, with DATABASE_URL set."),
        seed: step.optional().describe("Fills a new database with data; runs after `migrate`, once per database."),
        scenarios: scenariosSchema(step).optional(),
        scenario: scenarioSchema.optional(),
        from: baselineName
          .optional()
          .describe(
            "Baseline that it is a copy of, of those that the operator's config allows. Default: the operator's choice.",
          ),
        onPush: z
          .enum(["keep", "reset"])
          .optional()
          .describe("`reset`: every commit gets a new database, migrated and seeded. Default `keep`."),
      }),
    ])
    .optional()
    .describe("Gives each preview a database of its own, in DATABASE_URL. `true` where it needs no commands."),
  env: environment.optional().describe("Environment variables of every service."),
  secrets: z
    .record(secretName, z.enum(["generated", "granted"]))
    .optional()
    .describe("`generated`: a random value made once per preview. `granted`: a value the operator's config gives."),
  external: externalSchema.optional(),
  flags: flagsSchema.optional(),
  access: applicationAccess.optional(),
  banner: bannerRule.optional(),
  login: loginSchema.optional(),
  ...checksShape,
  submodules: z.boolean().optional().describe("Check out git submodules. Default false."),
  lfs: z.boolean().optional().describe("Fetch git LFS files. Default false."),
});

export type ApplicationFile = z.infer<typeof applicationSchema>;
export type ServiceFile = z.infer<typeof service>;
export type SidecarFile = z.infer<typeof sidecar>;
export type StepFile = z.infer<typeof step>;
export type StepsFile = z.infer<typeof steps>;
