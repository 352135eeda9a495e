import { z } from "zod";
import type { GithubClient } from "./github-client.ts";
import { rememberRights } from "./known-rights.ts";

const permissionAnswer = z.object({ permission: z.string() });

export type Trust = (author: {
  /** `acme/shop` */
  readonly repository: string;
  readonly login: string;
  /** `author_association` of the pull request. */
  readonly association: string;
  /** True: what the association only makes likely is not enough, for a stranger's code hangs on it. */
  readonly certain?: boolean;
}) => Promise<boolean>;

/** Of a member or collaborator it is not said whether they may write. Source: GraphQL API, "CommentAuthorAssociation". */
const LIKELY = ["OWNER", "MEMBER", "COLLABORATOR"];
const CERTAIN = ["OWNER"];

/**
 * Whether somebody may write to the repository. Asked of GitHub itself, because an organisation's
 * member need not have that right; where the credential may not ask, the association has to do.
 * Throws `StacklingError` when GitHub does not answer. Source: REST API, "Get repository permissions
 * for a user" (`maintain` is shown as `write`).
 */
export function createTrust({ client }: { client: Pick<GithubClient, "get"> }): Trust {
  const may = rememberRights(async (repository, login) => {
    const { status, data } = await client.get({
      repository,
      path: `/collaborators/${encodeURIComponent(login)}/permission`,
      action: `reading what "${login}" may do in "${repository}"`,
      statuses: [403, 404],
    });
    const answer = permissionAnswer.safeParse(data);
    if (status !== 200 || !answer.success) return undefined;
    return ["admin", "maintain", "write"].includes(answer.data.permission);
  });

  return async ({ repository, login, association, certain = false }) =>
    (await may(repository, login)) ?? (certain ? CERTAIN : LIKELY).includes(association);
}
