/** What an operator says of a project at Supabase in `stackling.yaml`. */
import { z } from "zod";
import { credential, readCredential } from "../credential.ts";
import type { RestApi } from "../rest.ts";

const project = z.string().regex(/^[a-z]{20}$/, "must be a project's reference, such as abcdefghijklmnopqrst");

const baseline = z.strictObject({
  project: project.optional().describe("Project that is branched from. Default: `project`."),
  withData: z
    .boolean()
    .default(true)
    .describe("Bring all of its rows too, which needs point-in-time recovery there. Else only its migrations."),
});

export const options = z.strictObject({
  project: project.describe(
    "Reference of the project that previews without a baseline are branched from, such as `abcdefghijklmnopqrst`; they get its migrations, and none of its rows.",
  ),
  accessToken: credential.describe("Where an access token lies that may change the project and its branches."),
  baselines: z
    .record(z.string().regex(/^[a-z]([a-z0-9-]*[a-z0-9])?$/), baseline)
    .default({})
    .describe(
      "Where the baselines lie that repositories name, as `{project?, withData?}`: by default `project` itself with all of its rows; with `withData: false` its migrations alone.",
    ),
  connection: z
    .enum(["session", "transaction", "direct"])
    .default("session")
    .describe(
      "How previews connect: `session` and `transaction` by Supabase's pooler, the latter for programs that keep no session and prepare no statements; `direct` to the server itself, which has only an IPv6 address.",
    ),
  instanceSize: z
    .string()
    .regex(/^[a-z0-9_]+$/)
    .optional()
    .describe("Size of a preview's instance, such as `micro`. Default: Supabase's own."),
  apiUrl: z.url().default("https://api.supabase.com").describe("Where the management API answers."),
});

export type SupabaseOptions = z.infer<typeof options>;

/** Who asks, and where; plain references, no secrets. */
export type Account = Pick<SupabaseOptions, "accessToken" | "apiUrl">;

export async function connect({ accessToken, apiUrl }: Account): Promise<RestApi> {
  const token = await readCredential(accessToken, "Supabase's access token");
  return {
    vendor: "Supabase",
    baseUrl: `${apiUrl.replace(/\/+$/, "")}/v1`,
    headers: { authorization: `Bearer ${token}` },
    secrets: [token],
  };
}
