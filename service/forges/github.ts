/** GitHub and GitHub Enterprise Server, as an App or with a token. */
import { z } from "zod";
import { ConfigError } from "../../components/errors.ts";
import { noSuchNumber, parseAnswer, unlessUnreachable } from "./answers.ts";
import { askpass } from "./askpass.ts";
import { commitSha, encodePath, fileText } from "./contents.ts";
import type { Forge, ForgeDefinition, ForgeGround, PullRequest, RepositoryRef } from "./forge.ts";
import { isPlausibleRef } from "./git-names.ts";
import { announceOnGithub } from "./github-announce.ts";
import { webhookUrl, webUrl } from "./github-app.ts";
import type { MadeApp } from "./github-app-made.ts";
import { checkConnection, checkGithub } from "./github-check.ts";
import { createGithubClient, type GithubClient, type GithubCredential } from "./github-client.ts";
import { githubCommands } from "./github-commands.ts";
import { failedDeliveries } from "./github-deliveries.ts";
import { githubEnvironment } from "./github-environment.ts";
import { createChangedPaths } from "./github-files.ts";
import { createKeptClient, type KeptApp, keptApp } from "./github-kept.ts";
import { type GithubOptions, githubOptions } from "./github-options.ts";
import { githubPeople } from "./github-people.ts";
import { githubApprovals } from "./github-reviews.ts";
import { announceStageOnGithub } from "./github-stage.ts";
import { createTrust, type Trust } from "./github-trust.ts";
import { verifyDelivery } from "./github-webhook.ts";
import { readPreviewWith } from "./preview-with.ts";
import { clonePointReader, fileReader } from "./rest-forge.ts";
import { readSecret } from "./secret.ts";

const PAGE_SIZE = 100;
const MOST_PAGES = 50;
const READY_EVENT = "stackling";

const pull = z.object({
  number: z.int().positive(),
  title: z.string(),
  body: z.string().nullish(),
  state: z.enum(["open", "closed"]),
  draft: z.boolean().default(false),
  merged_at: z.string().nullable(),
  user: z.object({ login: z.string(), type: z.string() }).nullable(),
  labels: z.array(z.object({ name: z.string() })),
  head: z.object({ sha: commitSha, ref: z.string(), repo: z.object({ id: z.number() }).nullable() }),
  base: z.object({ ref: z.string(), sha: commitSha, repo: z.object({ id: z.number() }) }),
  html_url: z.string(),
  created_at: z.string(),
  updated_at: z.string(),
  author_association: z.string(),
});

export const githubForge: ForgeDefinition<GithubOptions> = {
  options: githubOptions,
  async connect(parsed, ground) {
    const { client, kept } = await clientOf(parsed, ground);
    const secrets = await Promise.all(parsed.webhookSecrets.map((reference) => readSecret(reference, "github")));
    const cloneUrl = parsed.cloneUrl ?? `${webUrl(parsed.baseUrl)}/{path}.git`;
    const { readyEvent } = parsed;
    return createGithubForge(
      { client },
      {
        cloneUrl,
        mayCall: secrets.length > 0 || kept !== undefined,
        webhookSecrets: async () => [...secrets, ...secretOf(await kept?.find())],
        ...(ground ? { hookUrl: webhookUrl({ ...ground, forge: ground.name }) } : {}),
        ...(readyEvent === false ? {} : { readyEvent: readyEvent === true ? READY_EVENT : readyEvent }),
      },
    );
  },
};

function secretOf(app: MadeApp | undefined): readonly string[] {
  return app?.webhookSecret === undefined ? [] : [app.webhookSecret];
}

export interface GithubSettings {
  readonly cloneUrl: string;
  /** Whether deliveries are taken at all. */
  readonly mayCall: boolean;
  /** Those that hold now; none: nothing that comes is taken. */
  readonly webhookSecrets: () => Promise<readonly string[]>;
  /** Where deliveries go; undefined: not known. */
  readonly hookUrl?: string;
  /** Type of the event `repository_dispatch`; undefined: none is sent. */
  readonly readyEvent?: string;
}

/** A forge over one GitHub server; see `Forge` for what each method promises. */
export function createGithubForge({ client }: { client: GithubClient }, settings: GithubSettings): Forge {
  const { hookUrl } = settings;
  const mayWrite = createTrust({ client });
  const changedPaths = createChangedPaths({ client });
  const resolveRef = async ({ path: repository }: RepositoryRef, gitRef: string) => {
    if (!isPlausibleRef(gitRef)) return undefined;
    const action = `resolving "${gitRef}" in "${repository}"`;
    const answer = await client.get({
      repository,
      path: `/commits/${encodePath(gitRef)}`,
      accept: "application/vnd.github.sha",
      action,
      statuses: [404, 409, 422],
    });
    if (answer.status === 200) return parse(sha, answer.data, action);
    // A repository that cannot be seen answers 404 as well; only one that can be seen lacks the ref.
    await client.call({ repository, path: "", action: `reading repository "${repository}"` });
    return undefined;
  };

  return {
    name: "github",
    ...(settings.mayCall
      ? {
          verify: async (delivery) => {
            const verified = await verifyDelivery(await settings.webhookSecrets(), delivery);
            if (verified.event.startsWith("installation")) client.forget();
            return verified;
          },
        }
      : {}),

    async read({ path: repository }, number) {
      const action = `reading pull request ${number} of "${repository}"`;
      return unlessUnreachable(async () => {
        const { status, data } = await client.get({ repository, path: `/pulls/${number}`, action, statuses: [404] });
        if (status === 404) {
          await client.call({ repository, path: "", action: `reading repository "${repository}"` });
          return noSuchNumber({ action, server: "GitHub", as: "credential" });
        }
        return { kind: "found", pullRequest: await present(parse(pull, data, action), { repository, mayWrite }) };
      });
    },

    async list({ path: repository }) {
      return unlessUnreachable(async () => {
        const pullRequests: PullRequest[] = [];
        for (let page = 1; page <= MOST_PAGES; page++) {
          const action = `listing pull requests of "${repository}", page ${page}`;
          const path = `/pulls?state=open&sort=created&direction=asc&per_page=${PAGE_SIZE}&page=${page}`;
          const { data } = await client.get({ repository, path, action });
          const found = parse(z.array(pull), data, action);
          for (const one of found) pullRequests.push(await present(one, { repository, mayWrite }));
          if (found.length < PAGE_SIZE) return { kind: "found", pullRequests };
        }
        const most = MOST_PAGES * PAGE_SIZE;
        return { kind: "unreachable", message: `listing pull requests of "${repository}": more than ${most} are open` };
      });
    },

    changedPaths: ({ path }, pullRequest) => changedPaths(path, pullRequest),

    approvals: ({ path }, pullRequest) => githubApprovals({ client, mayWrite }, path, pullRequest),

    environmentRule: ({ path }, environment) => githubEnvironment({ client }, path, environment),

    readFile: fileReader({
      server: "GitHub",
      call: client.get,
      address: (path, gitRef) => `/contents/${encodePath(path)}?ref=${gitRef}`,
      text: fileText,
      resolve: resolveRef,
    }),

    resolve: resolveRef,

    async defaultBranch({ path: repository }) {
      const action = `reading repository "${repository}"`;
      const { data } = await client.get({ repository, path: "", action });
      return parse(z.object({ default_branch: z.string().min(1) }), data, action).default_branch;
    },

    async identify({ path: repository }) {
      const action = `reading repository "${repository}"`;
      const { data } = await client.get({ repository, path: "", action });
      const found = parse(z.object({ id: z.number(), full_name: z.string().min(1) }), data, action);
      return { id: String(found.id), path: found.full_name };
    },

    clonePoint: clonePointReader({
      ...settings,
      credential: async (url, repository) => askpass(url, await client.gitToken(repository)),
      head: (number) => `refs/pull/${number}/head`,
    }),

    announce: ({ path, name }, { number }, announcement, handles) =>
      announceOnGithub(
        { client, readyEvent: settings.readyEvent },
        { repository: path, name, number, announcement, handles },
      ),

    announceStage: ({ path, name }, announcement, handles) =>
      announceStageOnGithub({ client }, { repository: path, name, announcement, handles }),

    commands: githubCommands({ client, mayWrite }),

    people: githubPeople({ client }),

    check: (repository) => checkGithub({ client }, repository, settings),

    isCalled: async () => (await settings.webhookSecrets()).length > 0,

    checkConnection: () => checkConnection({ client }, settings),

    ...(settings.mayCall && hookUrl !== undefined
      ? {
          failedDeliveries: async (repositories, since) =>
            (await settings.webhookSecrets()).length > 0
              ? failedDeliveries({ client, url: hookUrl }, repositories, since)
              : [],
        }
      : {}),
  };
}

const sha = z.union([commitSha, z.object({ sha: commitSha }).transform((commit) => commit.sha)]);

/** An answer of another shape (a proxy's page, half an answer) says nothing about a pull request. */
function parse<S extends z.ZodType>(schema: S, data: unknown, action: string): z.infer<S> {
  return parseAnswer(schema, data, { action, server: "GitHub" });
}

async function present(
  found: z.infer<typeof pull>,
  { repository, mayWrite }: { repository: string; mayWrite: Trust },
): Promise<PullRequest> {
  const { user, author_association: association } = found;
  return {
    number: found.number,
    title: found.title,
    state: found.state,
    merged: found.merged_at !== null,
    draft: found.draft,
    author: found.user?.login ?? "ghost",
    // The head's repository is null when the fork was deleted.
    fork: found.head.repo === null || found.head.repo.id !== found.base.repo.id,
    trustedAuthor: user !== null && (await mayWrite({ repository, login: user.login, association })),
    bot: found.user?.type === "Bot" || (found.user?.login.endsWith("[bot]") ?? false),
    labels: found.labels.map((label) => label.name),
    ...readPreviewWith(found.body),
    headSha: found.head.sha,
    headRef: found.head.ref,
    baseRef: found.base.ref,
    baseSha: found.base.sha,
    repositoryId: String(found.base.repo.id),
    url: found.html_url,
    commitUrl: `${found.html_url.replace(/\/pull\/\d+$/, "")}/commit/{sha}`,
    reviewUrl: `${found.html_url}/commits/{sha}`,
    createdAt: new Date(found.created_at).toISOString(),
    updatedAt: new Date(found.updated_at).toISOString(),
    ...(found.merged_at === null ? {} : { mergedAt: new Date(found.merged_at).toISOString() }),
  };
}

async function clientOf(
  parsed: GithubOptions,
  ground: ForgeGround | undefined,
): Promise<{ readonly client: GithubClient; readonly kept?: KeptApp }> {
  const { rateLimits } = parsed;
  const server = { baseUrl: parsed.baseUrl.replace(/\/+$/, ""), rateLimits, watch: ground?.watch };
  if (parsed.app !== "manifest") {
    return { client: createGithubClient({ ...server, credential: await readCredential(parsed) }) };
  }
  if (!ground)
    throw new ConfigError("forges", [{ path: "github", message: "`app: manifest` needs a running service" }]);
  const { kept: read, homeUrl } = ground;
  const kept = keptApp({ read, server: webUrl(server.baseUrl), newAppUrl: `${homeUrl}/github/new` });
  const connect = (app: { readonly appId: string; readonly privateKey: string }) =>
    createGithubClient({ ...server, credential: { kind: "app", ...app } });
  return { client: createKeptClient({ app: kept, connect }), kept };
}

async function readCredential({ app, token }: GithubOptions): Promise<GithubCredential> {
  if (token) return { kind: "token", token: await readSecret(token, "github") };
  if (!app || app === "manifest")
    throw new ConfigError("forges", [{ path: "github", message: "needs `app` or `token`" }]);
  // Environment files cannot hold line breaks, so keys are often kept with `\n` spelt out.
  const privateKey = (await readSecret(app.privateKey, "github")).replaceAll("\\n", "\n");
  return { kind: "app", appId: String(app.id), privateKey };
}
