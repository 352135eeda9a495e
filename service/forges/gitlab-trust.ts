import { z } from "zod";
import { type GitlabClient, type GitlabUser, gitlabUser } from "./gitlab-client.ts";
import { rememberRights } from "./known-rights.ts";
import type { RestAnswer } from "./rest-client.ts";

/** Developer: who may push to branches that nobody protects (GitLab docs, "Roles and permissions"). */
export const DEVELOPER = 30;

const member = z.object({ access_level: z.int(), state: z.string().optional() });
const found = z.array(gitlabUser);

export type GitlabTrust = (author: {
  /** `acme/shop` */
  readonly repository: string;
  readonly login: string;
}) => Promise<boolean>;

/**
 * Whether somebody may write to the project: a member with the role Developer or more, of the project itself or by a
 * group that it lies in or was invited. Throws `StacklingError` when the server does not answer.
 */
export function createGitlabTrust({ client }: { readonly client: Pick<GitlabClient, "call" | "send"> }): GitlabTrust {
  const may = rememberRights(async (repository, login) => {
    const action = `reading what "${login}" may do in "${repository}"`;
    const user = await gitlabUserOf({ client }, login, action);
    if (!user) return false;
    const path = `/members/all/${user.id}`;
    const level = levelOf(await client.call({ repository, path, action, statuses: [403, 404] }));
    return level === undefined ? undefined : level >= DEVELOPER;
  });
  return async ({ repository, login }) => (await may(repository, login)) === true;
}

/** Undefined where there is nobody of that name. */
export async function gitlabUserOf(
  { client }: { readonly client: Pick<GitlabClient, "send"> },
  login: string,
  action: string,
): Promise<GitlabUser | undefined> {
  const path = `/users?username=${encodeURIComponent(login)}`;
  const { data } = await client.send({ path, action, statuses: [403, 404] });
  return found.safeParse(data).data?.find(({ username }) => username.toLowerCase() === login.toLowerCase());
}

/** Of a membership that was asked for: 0 for nobody's, or one that is not active; undefined where we may not ask. */
export function levelOf({ status, data }: Pick<RestAnswer, "status" | "data">): number | undefined {
  if (status !== 200) return status === 404 ? 0 : undefined;
  const right = member.safeParse(data).data;
  return right && (right.state ?? "active") === "active" ? right.access_level : 0;
}
