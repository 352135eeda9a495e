/** Where an AWS account is and who we are in it, as an operator says it: the words alone, without the SDK. */
import { z } from "zod";

const variable = z.strictObject({ env: z.string().min(1).describe("Variable that holds it.") });

/** Options that every driver for AWS has. */
export const accountShape = {
  region: z
    .string()
    .regex(/^[a-z]{2,3}(-[a-z]+)+-\d+$/, 'must be a region such as "eu-central-1"')
    .describe("AWS region, such as `eu-central-1`."),
  credentials: z
    .union([
      z.literal("instance"),
      z.strictObject({
        profile: z.string().min(1).describe("Name of a profile."),
        folder: z
          .string()
          .startsWith("/")
          .optional()
          .describe("Where `config` and `credentials` lie. Default: `~/.aws` of the system user."),
      }),
      z.strictObject({
        accessKeyId: variable.describe("Where the id of an access key is."),
        secretAccessKey: variable.describe("Where the key itself is."),
        sessionToken: variable.optional().describe("Where the token of temporary credentials is."),
      }),
    ])
    .describe(
      "Who Stackling is: `instance` (the role of the ECS task, pod or machine it runs on), `{profile, folder?}` (a profile of `config` and `credentials` in that folder, by default `~/.aws` of the system user), or `{accessKeyId: {env}, secretAccessKey: {env}, sessionToken?: {env}}`.",
    ),
  assumeRole: z
    .strictObject({
      arn: z.string().startsWith("arn:").describe("The role."),
      externalId: z.string().optional().describe("What the role's trust asks for."),
      sessionName: z.string().default("stackling").describe("Name under which AWS' own records show it."),
    })
    .optional()
    .describe("Role that is taken on with these credentials, such as one in the account of the previews."),
  endpoint: z
    .url()
    .optional()
    .describe("Address that answers in place of AWS' own, such as a private endpoint. Default: AWS."),
};

export type Account = z.infer<z.ZodObject<typeof accountShape>>;
