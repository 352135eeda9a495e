/** Gitea and Forgejo, with a token. Both have the same API; Forgejo was made from Gitea 1.21 on. */
import { z } from "zod";
import { noSuchNumber, parseAnswer, unlessUnreachable } from "./answers.ts";
import { askpass } from "./askpass.ts";
import { commitSha, encodePath, fileText } from "./contents.ts";
import type { Forge, ForgeDefinition, PullRequest, RepositoryRef } from "./forge.ts";
import { isPlausibleRef } from "./git-names.ts";
import { announceOnGitea, announceStageOnGitea } from "./gitea-announce.ts";
import { checkGitea } from "./gitea-check.ts";
import { createGiteaClient, type GiteaClient } from "./gitea-client.ts";
import { giteaCommands } from "./gitea-commands.ts";
import { createGiteaPaths, PAGE_SIZE } from "./gitea-files.ts";
import { giteaHook } from "./gitea-hook.ts";
import { giteaPeople } from "./gitea-people.ts";
import { giteaPull, presentPull } from "./gitea-pull.ts";
import { giteaApprovals } from "./gitea-reviews.ts";
import { createGiteaTrust } from "./gitea-trust.ts";
import { verifyGiteaDelivery } from "./gitea-webhook.ts";
import { clonePointReader, fileReader, type RestSettings, restSettings, serverUrl } from "./rest-forge.ts";
import { ensureHook } from "./rest-hook.ts";
import { readSecret, secret } from "./secret.ts";

const MOST_PULLS = 5_000;

const options = z.strictObject({
  url: serverUrl.describe("Where people find the server, such as `https://git.acme.dev`."),
  token: secret.describe("Of an account that is an administrator of the repositories, best one of its own."),
  webhookSecrets: z
    .array(secret)
    .default([])
    .describe("The webhook's secrets; more than one while changing it. Without any, only the resync finds changes."),
  makeWebhooks: z
    .boolean()
    .default(true)
    .describe(
      "Whether a repository without the webhook gets it at the start; off where its owner or the server has one.",
    ),
  bots: z.array(z.string().min(1)).default([]).describe("Logins of machine users, which Gitea does not mark."),
  cloneUrl: z
    .string()
    .includes("{path}")
    .optional()
    .describe("Where git fetches, when not from `url`; `{path}` becomes `acme/shop`."),
});
type GiteaOptions = z.infer<typeof options>;

export const giteaForge: ForgeDefinition<GiteaOptions> = {
  options,
  async connect(parsed, ground) {
    const token = await readSecret(parsed.token, "gitea");
    const client = createGiteaClient({ url: parsed.url, token, watch: ground?.watch });
    return createGiteaForge({ client }, { token, ...(await restSettings("gitea", parsed, ground)) });
  },
};

export interface GiteaSettings extends RestSettings {
  readonly token: string;
}

/** A forge over one server; see `Forge` for what each method promises. */
export function createGiteaForge({ client }: { client: GiteaClient }, settings: GiteaSettings): Forge {
  const { bots, hook } = settings;
  const mayWrite = createGiteaTrust({ client });
  const changedPaths = createGiteaPaths({ client });

  const readRepository = async (repository: string) => {
    const action = `reading repository "${repository}"`;
    return parse(repositoryAnswer, (await client.call({ repository, path: "", action })).data, action);
  };
  const resolveRef = async ({ path: repository }: RepositoryRef, gitRef: string) => {
    if (!isPlausibleRef(gitRef)) return undefined;
    const action = `resolving "${gitRef}" in "${repository}"`;
    // In the query, for proxies that undo the encoding of a path.
    const query = new URLSearchParams({
      sha: gitRef,
      limit: "1",
      stat: "false",
      verification: "false",
      files: "false",
    });
    const { status, data } = await client.call({
      repository,
      path: `/commits?${query}`,
      action,
      statuses: [404, 409, 422],
    });
    if (status === 200) return parse(commits, data, action)[0]?.sha;
    // A repository that cannot be seen answers 404 as well; only one that can be seen lacks the ref.
    await readRepository(repository);
    return undefined;
  };

  return {
    name: "gitea",
    ...(hook.secrets.length > 0 ? { verify: async (delivery) => verifyGiteaDelivery(hook.secrets, delivery) } : {}),

    read: ({ path: repository }, number) =>
      unlessUnreachable(async () => {
        const action = `reading pull request ${number} of "${repository}"`;
        const { status, data } = await client.call({ repository, path: `/pulls/${number}`, action, statuses: [404] });
        if (status === 404) {
          await readRepository(repository);
          return noSuchNumber({ action, server: "Gitea", as: "token" });
        }
        const found = parse(giteaPull, data, action);
        return { kind: "found", pullRequest: await presentPull(found, { repository, mayWrite, bots }) };
      }),

    list: ({ path: repository }) =>
      unlessUnreachable(async () => {
        const pullRequests: PullRequest[] = [];
        for (let page = 1; pullRequests.length < MOST_PULLS; page++) {
          const action = `listing pull requests of "${repository}", page ${page}`;
          const path = `/pulls?state=open&sort=oldest&limit=${PAGE_SIZE}&page=${page}`;
          const { data, total } = await client.call({ repository, path, action });
          const found = parse(z.array(giteaPull), data, action);
          for (const one of found) pullRequests.push(await presentPull(one, { repository, mayWrite, bots }));
          // A server may give fewer a page than it was asked for.
          if (found.length === 0 || pullRequests.length === total) return { kind: "found", pullRequests };
        }
        const message = `listing pull requests of "${repository}": more than ${MOST_PULLS} are open`;
        return { kind: "unreachable", message };
      }),

    changedPaths: ({ path }, pullRequest) => changedPaths(path, pullRequest),

    approvals: ({ path }, pullRequest) => giteaApprovals({ client, mayWrite, bots }, path, pullRequest),

    readFile: fileReader({
      server: "Gitea",
      call: client.call,
      address: (path, gitRef) => `/contents/${encodePath(path)}?ref=${gitRef}`,
      text: fileText,
      resolve: resolveRef,
    }),

    resolve: resolveRef,

    defaultBranch: async ({ path }) => (await readRepository(path)).default_branch,

    async identify({ path }) {
      const { id, full_name } = await readRepository(path);
      return { id: String(id), path: full_name };
    },

    clonePoint: clonePointReader({
      ...settings,
      credential: async (url) => askpass(url, settings.token),
      head: (number) => `refs/pull/${number}/head`,
    }),

    announce: ({ path, name }, { number }, announcement, handles) =>
      announceOnGitea({ client }, { repository: path, name, number, announcement, handles }),

    announceStage: ({ path, name }, announcement, handles) =>
      announceStageOnGitea({ client }, { repository: path, name, announcement, handles }),

    commands: giteaCommands({ client, mayWrite, bots }),

    people: giteaPeople({ client }),

    isCalled: async () => hook.secrets.length > 0,

    ensureWebhook: ({ path }) => ensureHook({ client, ways: giteaHook }, path, hook),

    check: (repository) => checkGitea({ client }, repository, hook),
  };
}

const commits = z.array(z.object({ sha: commitSha }));
const repositoryAnswer = z.object({
  id: z.int().positive(),
  full_name: z.string().min(1),
  default_branch: z.string().min(1),
});

function parse<S extends z.ZodType>(schema: S, data: unknown, action: string): z.infer<S> {
  return parseAnswer(schema, data, { action, server: "Gitea" });
}
