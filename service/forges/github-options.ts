import { z } from "zod";
import { secret } from "./secret.ts";

/** As an entry of `forges` may have them. */
export const githubOptions = z
  .strictObject({
    baseUrl: z
      .url({ protocol: /^https?$/ })
      .default("https://api.github.com")
      .describe("REST API; `https://HOST/api/v3` for Enterprise Server."),
    cloneUrl: z
      .string()
      .includes("{path}")
      .optional()
      .describe("Where git fetches; `{path}` becomes `acme/shop`. By default it follows from `baseUrl`."),
    app: z
      .union([z.literal("manifest"), z.strictObject({ id: z.union([z.int(), z.string().min(1)]), privateKey: secret })])
      .optional()
      .describe(
        "`{id, privateKey}` of an App, or `manifest`: one that is made from the page `/github/new`, whose credentials are kept in the store.",
      ),
    token: secret.optional().describe("In place of an App."),
    webhookSecrets: z
      .array(secret)
      .default([])
      .describe("The webhook's secrets; more than one while changing it. Without any, only the resync finds changes."),
    rateLimits: z.boolean().default(true).describe("Off for Enterprise servers without rate limits."),
    readyEvent: z
      .union([z.boolean(), z.string().min(1).max(100)])
      .default(false)
      .describe(
        "Send an event `repository_dispatch` of this type when something has come of a commit; `true`: `stackling`.",
      ),
  })
  .refine(({ app, token }) => (app === undefined) !== (token === undefined), "needs `app` or `token`, and not both");
export type GithubOptions = z.infer<typeof githubOptions>;
