/** GitLab.com and GitLab of one's own, with a token or as an OAuth application. */
import { z } from "zod";
import { ConfigError, TerminalError } from "../../components/errors.ts";
import { noSuchNumber, parseAnswer, unlessUnreachable } from "./answers.ts";
import { askpass } from "./askpass.ts";
import { commitSha } from "./contents.ts";
import type { Forge, ForgeDefinition, ForgeGround, PullRequest, RepositoryRef } from "./forge.ts";
import { isPlausibleRef } from "./git-names.ts";
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
import { clonePointReader, fileReader, type RestSettings, restSettings } from "./rest-forge.ts";
import { ensureHook } from "./rest-hook.ts";
import { readSecret } from "./secret.ts";

const PAGE_SIZE = 100;
const MOST_PAGES = 50;
const FILE_MAX_BYTES = 1024 * 1024;

export const gitlabForge: ForgeDefinition<GitlabOptions> = {
  options: gitlabOptions,
  async connect(parsed, ground) {
    const token = await tokenOf(parsed, ground);
    const client = createGitlabClient({ url: parsed.url, token, watch: ground?.watch });
    return createGitlabForge({ client }, { token, ...(await restSettings("gitlab", parsed, ground)) });
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

export interface GitlabSettings extends RestSettings {
  readonly token: () => Promise<string>;
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
        const path = `/merge_requests/${number}`;
        const { status, data } = await client.call({ repository, path, action, statuses: [404] });
        if (status === 404) {
          await readProject(repository);
          return noSuchNumber({ action, server: "GitLab", as: "token" });
        }
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

    readFile: fileReader({
      server: "GitLab",
      call: client.call,
      address: (path, gitRef) => `/repository/files/${encodeURIComponent(path)}?ref=${gitRef}`,
      text: fileAnswer,
      resolve: resolveRef,
    }),

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

    clonePoint: clonePointReader({
      ...settings,
      credential: async (url) => askpass(url, await settings.token(), "oauth2"),
      head: (number) => `refs/merge-requests/${number}/head`,
    }),

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
