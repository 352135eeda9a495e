/** The entry of a GitLab in `forges`. */
import { z } from "zod";
import { serverUrl } from "./rest-forge.ts";
import { secret } from "./secret.ts";

export const gitlabOptions = z
  .strictObject({
    url: serverUrl.default("https://gitlab.com").describe("Where people find the server."),
    token: secret
      .optional()
      .describe(
        "Of the project, of its group or of an account: role Developer and scope `api`, Maintainer where it is to make the webhook.",
      ),
    application: z
      .strictObject({ id: z.string().min(1), secret })
      .optional()
      .describe(
        "In place of a token: `{id, secret}` of an OAuth application with the scope `api`, which an admin connects on the page `/gitlab`.",
      ),
    webhookSecrets: z
      .array(secret)
      .default([])
      .describe(
        "The webhook's secret tokens, or its signing tokens (`whsec_…`); more than one while changing it. Without any, only the resync finds changes.",
      ),
    makeWebhooks: z
      .boolean()
      .default(true)
      .describe(
        "Whether a project without the webhook gets it at the start; off where its group or the server has one.",
      ),
    bots: z
      .array(z.string().min(1))
      .default([])
      .describe("Names of machine users, beside those that GitLab itself names so."),
    cloneUrl: z
      .string()
      .includes("{path}")
      .optional()
      .describe("Where git fetches, when not from `url`; `{path}` becomes `acme/shop`."),
  })
  .refine(
    ({ token, application }) => (token === undefined) !== (application === undefined),
    "needs `token` or `application`, and not both",
  );
export type GitlabOptions = z.infer<typeof gitlabOptions>;
