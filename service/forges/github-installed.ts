/** Where a GitHub App is installed, for the page that comes after. */
import { z } from "zod";
import type { MadeApp } from "./github-app-made.ts";
import { createGithubClient, type GithubClient } from "./github-client.ts";

const INSTALLATIONS_MAX = 20;
const REPOSITORIES_MAX = 100;

export interface Installation {
  /** Of the organisation or person. */
  readonly account: string;
  /** `acme/shop`, at most a hundred. */
  readonly repositories: readonly string[];
  /** How many there are. */
  readonly total: number;
}

const installations = z.array(z.object({ id: z.int(), account: z.object({ login: z.string() }).nullish() }));
const repositories = z.object({
  total_count: z.number().default(0),
  repositories: z.array(z.object({ full_name: z.string() })),
});

/** Throws `StacklingError` when GitHub does not answer. Source: REST API, "List installations for the authenticated app". */
export async function installationsOf(app: MadeApp, api: string): Promise<readonly Installation[]> {
  const credential = { kind: "app", appId: String(app.id), privateKey: app.privateKey } as const;
  const client = createGithubClient({ baseUrl: api, rateLimits: true, credential });
  const path = `/app/installations?per_page=${INSTALLATIONS_MAX}`;
  const { data } = await client.ask({ path, action: "listing where the App is installed" });
  return Promise.all((installations.safeParse(data).data ?? []).map((one) => read(client, one)));
}

async function read(
  client: GithubClient,
  { id, account }: z.infer<typeof installations>[number],
): Promise<Installation> {
  const { data } = await client.asInstallation(id, {
    path: `/installation/repositories?per_page=${REPOSITORIES_MAX}`,
    action: "listing the repositories of an installation",
    // Suspended.
    statuses: [403, 404],
  });
  const found = repositories.safeParse(data).data;
  return {
    account: account?.login ?? "",
    repositories: (found?.repositories ?? []).map(({ full_name }) => full_name).sort(),
    total: found?.total_count ?? 0,
  };
}
