/** What an operator says of a project at Neon in `stackling.yaml`. */
import { z } from "zod";
import { credential, readCredential } from "../credential.ts";
import { createNeon, type Neon } from "./api.ts";

const computeUnits = z.number().min(0.25).max(16);

const identifier = z.string().min(1).max(63);

const mask = z
  .strictObject({
    schema: identifier.default("public"),
    table: identifier,
    column: identifier,
    function: z.string().min(1).optional(),
    value: z.string().min(1).optional(),
  })
  .refine(({ function: call, value }) => (call === undefined) !== (value === undefined), {
    message: 'needs a "function" of PostgreSQL Anonymizer, such as anon.dummy_free_email(), or a "value"',
  });

const baseline = z.strictObject({
  branch: z.string().min(1).describe("Name of the branch that holds it."),
  database: z.string().min(1).default("neondb").describe("Its database."),
  role: z
    .string()
    .min(1)
    .default("neondb_owner")
    .describe("Role that owns it; previews log in as it, each with a password of its own."),
  masking: z
    .array(mask)
    .min(1)
    .optional()
    .describe(
      "Has Neon mask each branch of it as it is made, by a `function` of PostgreSQL Anonymizer or with a `value`, an SQL literal. Nothing else is masked.",
    ),
});

export const options = z.strictObject({
  project: z
    .string()
    .regex(/^[a-z0-9-]{1,60}$/, "must be a project's id, such as spring-example-302709")
    .describe("Id of the project, such as `spring-example-302709`."),
  apiKey: credential.describe("Where an API key lies that may change the project."),
  parent: z
    .string()
    .min(1)
    .describe(
      "Name of the branch that previews without a baseline start from. They get a database of their own on it, and can read the others that it has: choose one without anything private.",
    ),
  baselines: z
    .record(z.string().regex(/^[a-z]([a-z0-9-]*[a-z0-9])?$/), baseline)
    .default({})
    .describe(
      "Where the baselines lie that repositories name, as `{branch, database, role, masking?}`: by default the database `neondb` and its owner `neondb_owner`. `masking` has Neon mask each branch as it is made: `{schema?, table, column}` with a `function` of PostgreSQL Anonymizer, such as `anon.dummy_free_email()`, or with a `value`, an SQL literal.",
    ),
  pooled: z
    .boolean()
    .default(false)
    .describe("Connect through Neon's pooler, which keeps no session between transactions."),
  minComputeUnits: computeUnits.default(0.25).describe("Smallest size of a preview's compute."),
  maxComputeUnits: computeUnits.default(1).describe("Largest size of a preview's compute."),
  suspendTimeoutSeconds: z
    .int()
    .min(60)
    .max(604_800)
    .default(300)
    .describe("Seconds without a query after which a preview's compute is suspended."),
  expireAfterDays: z
    .union([z.literal(false), z.int().min(1).max(30)])
    .default(30)
    .describe(
      "Days after which Neon removes a branch by itself, counted anew with each update and wake; it is a last resort for what nobody removes. `false` where previews are kept for longer without a push or a visit.",
    ),
  apiUrl: z.url().default("https://console.neon.tech/api/v2").describe("Where the API answers."),
});

export type NeonOptions = z.infer<typeof options>;

/** The part of the options that says which project it is, and who asks; plain references, no secrets. */
export type Account = Pick<NeonOptions, "project" | "apiKey" | "apiUrl">;

export async function connect({ project, apiKey, apiUrl }: Account): Promise<Neon> {
  return createNeon({ project, apiUrl, apiKey: await readCredential(apiKey, "Neon's API key") });
}
