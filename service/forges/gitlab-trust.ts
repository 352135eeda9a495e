import { z } from "zod";
import { type GitlabClient, gitlabUser } from "./gitlab-client.ts";
import { rememberRights } from "./known-rights.ts";

/** Developer: who may push to branches that nobody protects (GitLab docs, "Roles and permissions"). */
const DEVELOPER = 30;

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
    const users = await client.send({
      path: `/users?username=${encodeURIComponent(login)}`,
      action,
      statuses: [403, 404],
    });
    const user = found
      .safeParse(users.data)
      .data?.find(({ username }) => username.toLowerCase() === login.toLowerCase());
    if (!user) return false;
    const { status, data } = await client.call({
      repository,
      path: `/members/all/${user.id}`,
      action,
      statuses: [403, 404],
    });
    if (status !== 200) return status === 404 ? false : undefined;
    const { success, data: right } = member.safeParse(data);
    return success && right.access_level >= DEVELOPER && (right.state ?? "active") === "active";
  });
  return async ({ repository, login }) => (await may(repository, login)) === true;
}
