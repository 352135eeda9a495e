/** What an operator says of a database at PlanetScale in `stackling.yaml`. */
import { z } from "zod";
import { credential, readCredential } from "../credential.ts";
import type { RestApi } from "../rest.ts";

const slug = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, "must be a name as it stands in PlanetScale's addresses");

const baseline = z.strictObject({
  branch: z.string().min(1).describe("Name of the branch that holds it."),
  withData: z
    .boolean()
    .default(false)
    .describe("Bring its data too, as of its last good backup (PlanetScale's data branching). Else only its schema."),
});

export const options = z.strictObject({
  organization: slug.describe("Name of the organization."),
  database: slug.describe("Name of the MySQL database."),
  serviceTokenId: credential.describe("Where the id of a service token lies."),
  serviceToken: credential.describe(
    "Where that token lies. On the database it needs `read_branch`, `create_branch`, `delete_branch` and `connect_branch`; with `deployInto` also `read_deploy_request` and `create_deploy_request`.",
  ),
  parent: z
    .string()
    .min(1)
    .describe("Name of the branch whose schema previews without a baseline start from; none of its rows come along."),
  baselines: z
    .record(z.string().regex(/^[a-z]([a-z0-9-]*[a-z0-9])?$/), baseline)
    .default({})
    .describe(
      "Where the baselines lie that repositories name, as `{branch, withData?}`: with `withData: true` its rows come along, as of its last good backup.",
    ),
  role: z
    .enum(["admin", "readwriter"])
    .default("admin")
    .describe("What the preview's password may do: `admin` also migrates; `readwriter` only reads and writes rows."),
  urlParameters: z
    .string()
    .default('ssl={"rejectUnauthorized":true}')
    .describe(
      "What stands behind `?` in `DATABASE_URL`, as the application's MySQL library wants TLS said: that of `mysql2` by default, `sslaccept=strict` for Prisma.",
    ),
  deployInto: z
    .string()
    .min(1)
    .optional()
    .describe(
      "Name of the production branch, with safe migrations, into which a deploy request is opened once a preview's migrations changed its schema. Default: none is opened.",
    ),
  apiUrl: z.url().default("https://api.planetscale.com/v1").describe("Where the API answers."),
});

export type PlanetscaleOptions = z.infer<typeof options>;

/** The part of the options that says which database it is, and who asks; plain references, no secrets. */
export type Account = Pick<
  PlanetscaleOptions,
  "organization" | "database" | "serviceTokenId" | "serviceToken" | "apiUrl"
>;

export function accountOf({ organization, database, serviceTokenId, serviceToken, apiUrl }: Account): Account {
  return { organization, database, serviceTokenId, serviceToken, apiUrl };
}

/** A database's API; `baseUrl` ends at the database. */
export interface Planetscale extends RestApi {
  readonly organization: string;
  readonly database: string;
}

export async function connect({ organization, database, ...given }: Account): Promise<Planetscale> {
  const [id, token] = await Promise.all([
    readCredential(given.serviceTokenId, "the id of PlanetScale's service token"),
    readCredential(given.serviceToken, "PlanetScale's service token"),
  ]);
  return {
    vendor: "PlanetScale",
    organization,
    database,
    baseUrl: `${given.apiUrl.replace(/\/+$/, "")}/organizations/${organization}/databases/${database}`,
    headers: { authorization: `${id}:${token}` },
    secrets: [token],
  };
}
