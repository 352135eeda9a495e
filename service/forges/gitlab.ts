/** GitLab.com and GitLab of one's own, with a token or as an OAuth application. */
import { z } from "zod";
import { ConfigError, TerminalError } from "../../components/errors.ts";
import { parseAnswer, unlessUnreachable } from "./answers.ts";
import { askpass } from "./askpass.ts";
import { commitSha } from "./contents.ts";
import type { Forge, ForgeDefinition, ForgeGround, PullRequest, RepositoryRef } from "./forge.ts";
import { isPlainPath, isPlausibleRef } from "./git-names.ts";
import { announceOnGitlab, announceStageOnGitlab } from "./gitlab-announce.ts";
import { checkGitlab } from "./gitlab-check.ts";
import { createGitlabClient, type GitlabClient, nextPage } from "./gitlab-client.ts";
import { gitlabCommands } from "./gitlab-commands.ts";
import { createGitlabPaths } from "./gitlab-files.ts";
import { grantedToken } from "./gitlab-grant.ts";
import { gitlabHook } from "./gitlab-hook.ts";
import { mergeRequest, presentMergeRequest } from "./gitlab-merge-request.ts";
import { type GitlabOptions, gitlabOptions } from "./gitlab-options.ts";
import { gitlabPeople } from "./gitlab-people.ts";
import { createGitlabTrust } from "./gitlab-trust.ts";
import { verifyGitlabDelivery } from "./gitlab-webhook.ts";
import type { HookPlace } from "./hook-place.ts";
import { ensureHook } from "./rest-hook.ts";
import { readSecret } from "./secret.ts";

const PAGE_SIZE = 100;
const MOST_PAGES = 50;
const FILE_MAX_BYTES = 1024 * 1024;

export const gitlabForge: ForgeDefinition<GitlabOptions> = {
  options: gitlabOptions,
  async connect(parsed, ground) {
    const secrets = await Promise.all(parsed.webhookSecrets.map((reference) => readSecret(reference, "gitlab")));
    const token = await tokenOf(parsed, ground);
    return createGitlabForge(
      { client: createGitlabClient({ url: parsed.url, token }) },
      {
        token,
        cloneUrl: parsed.cloneUrl ?? `${parsed.url}/{path}.git`,
        bots: new Set(parsed.bots.map((name) => name.toLowerCase())),
        hook: {
          webhookUrl: ground && `${ground.homeUrl}/webhooks/${encodeURIComponent(ground.name)}`,
          serverUrl: parsed.url,
          secrets,
          make: parsed.makeWebhooks,
        },
      },
    );
  },
};

/** Of an account, or granted to the application from the pages. */
async function tokenOf(
  { url, token, application }: GitlabOptions,
  ground: ForgeGround | undefined,
): Promise<() => Promise<string>> {
  if (token) {
    const held = await readSecret(token, "gitlab");
    return async () => held;
  }
  if (!application || !ground)
    throw new ConfigError("forges", [{ path: "gitlab", message: "needs `token` or `application`" }]);
  return grantedToken({ url, id: application.id, secret: await readSecret(application.secret, "gitlab") }, ground);
}

export interface GitlabSettings {
  readonly token: () => Promise<string>;
  readonly cloneUrl: string;
  /** Lower case. */
  readonly bots: ReadonlySet<string>;
  readonly hook: HookPlace;
}

/** A forge over one server; see `Forge` for what each method promises. */
export function createGitlabForge({ client }: { client: GitlabClient }, settings: GitlabSettings): Forge {
  const { bots, hook } = settings;
  const mayWrite = createGitlabTrust({ client });
  const changedPaths = createGitlabPaths({ client });

  const readProject = async (repository: string) => {
    const action = `reading repository "${repository}"`;
    return parse(projectAnswer, (await client.call({ repository, path: "", action })).data, action);
  };
  const resolveRef = async ({ path: repository }: RepositoryRef, gitRef: string) => {
    if (!isPlausibleRef(gitRef)) return undefined;
    const action = `resolving "${gitRef}" in "${repository}"`;
    const path = `/repository/commits/${encodeURIComponent(gitRef)}?stats=false`;
    const { status, data } = await client.call({ repository, path, action, statuses: [404] });
    if (status === 200) return parse(z.object({ id: commitSha }), data, action).id;
    // A project that cannot be seen answers 404 as well; only one that can be seen lacks the ref.
    await readProject(repository);
    return undefined;
  };

  return {
    name: "gitlab",
    ...(hook.secrets.length > 0 ? { verify: async (delivery) => verifyGitlabDelivery(hook.secrets, delivery) } : {}),

    read: ({ path: repository }, number) =>
      unlessUnreachable(async () => {
        const action = `reading merge request ${number} of "${repository}"`;
        const { data } = await client.call({ repository, path: `/merge_requests/${number}`, action });
        const found = parse(mergeRequest, data, action);
        return { kind: "found", pullRequest: await presentMergeRequest(found, { repository, mayWrite, bots }) };
      }),

    list: ({ path: repository }) =>
      unlessUnreachable(async () => {
        const pullRequests: PullRequest[] = [];
        for (let page = 1; page <= MOST_PAGES; ) {
          const action = `listing merge requests of "${repository}", page ${page}`;
          const path = `/merge_requests?state=opened&order_by=created_at&sort=asc&per_page=${PAGE_SIZE}&page=${page}`;
          const answer = await client.call({ repository, path, action });
          const found = parse(z.array(mergeRequest), answer.data, action);
          for (const one of found) {
            pullRequests.push(await presentMergeRequest(one, { repository, mayWrite, bots }));
          }
          const next = nextPage(answer);
          if (next === undefined) return { kind: "found", pullRequests };
          page = next;
        }
        const message = `listing merge requests of "${repository}": more than ${MOST_PAGES * PAGE_SIZE} are open`;
        return { kind: "unreachable", message };
      }),

    changedPaths: ({ path }, pullRequest) => changedPaths(path, pullRequest),

    async readFile(repository, gitRef, path) {
      const action = `reading "${path}" at "${gitRef}" in "${repository.path}"`;
      const notFound = new TerminalError({ reason: "RefNotFound", userMessage: `${action}: no such ref` });
      if (!isPlausibleRef(gitRef)) throw notFound;
      if (!isPlainPath(path)) return undefined;
      const { status, data } = await client.call({
        repository: repository.path,
        path: `/repository/files/${encodeURIComponent(path)}?ref=${encodeURIComponent(gitRef)}`,
        action,
        statuses: [404],
      });
      if (status !== 404) return parse(fileAnswer, data, action);
      if (await resolveRef(repository, gitRef)) return undefined;
      throw notFound;
    },

    resolve: resolveRef,

    async defaultBranch({ path }) {
      const { default_branch: found } = await readProject(path);
      if (found) return found;
      throw new TerminalError({ reason: "RefNotFound", userMessage: `reading repository "${path}": it is empty` });
    },

    async identify({ path }) {
      const { id, path_with_namespace: found } = await readProject(path);
      return { id: String(id), path: found };
    },

    async clonePoint({ path: repository }, pullRequest) {
      const url = settings.cloneUrl.replaceAll("{path}", repository);
      return {
        url,
        environment: /^https?:/.test(url) ? askpass(url, await settings.token(), "oauth2") : {},
        refs: pullRequest ? [`refs/merge-requests/${pullRequest.number}/head`] : ["refs/heads/*", "refs/tags/*"],
      };
    },

    announce: ({ path, name }, { number }, announcement, handles) =>
      announceOnGitlab({ client }, { repository: path, name, number, announcement, handles }),

    announceStage: ({ path, name }, announcement, handles) =>
      announceStageOnGitlab({ client }, { repository: path, name, announcement, handles }),

    commands: gitlabCommands({ client, mayWrite, bots }),

    people: gitlabPeople({ client }),

    isCalled: async () => hook.secrets.length > 0,

    ensureWebhook: ({ path }) => ensureHook({ client, ways: gitlabHook }, path, hook),

    check: (repository) => checkGitlab({ client }, repository, hook),
  };
}

/** A link to elsewhere has its target as content, as a file would. */
const fileAnswer = z
  .object({ size: z.number().max(FILE_MAX_BYTES), content: z.string(), encoding: z.literal("base64") })
  .transform(({ content }) => Buffer.from(content, "base64").toString("utf8"));

const projectAnswer = z.object({
  id: z.int().positive(),
  path_with_namespace: z.string().min(1),
  default_branch: z.string().nullish(),
});

function parse<S extends z.ZodType>(schema: S, data: unknown, action: string): z.infer<S> {
  return parseAnswer(schema, data, { action, server: "GitLab" });
}
