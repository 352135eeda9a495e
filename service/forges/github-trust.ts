import { z } from "zod";
import type { GithubClient } from "./github-client.ts";

/** A right that was taken away counts for so long at most. */
const REMEMBERED_MS = 60_000;
const MOST_REMEMBERED = 5_000;

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
  const known = new Map<string, { readonly may: boolean | undefined; readonly until: number }>();

  const ask = async (repository: string, login: string): Promise<boolean | undefined> => {
    const { status, data } = await client.get({
      repository,
      path: `/collaborators/${encodeURIComponent(login)}/permission`,
      action: `reading what "${login}" may do in "${repository}"`,
      statuses: [403, 404],
    });
    const answer = permissionAnswer.safeParse(data);
    if (status !== 200 || !answer.success) return undefined;
    return ["admin", "maintain", "write"].includes(answer.data.permission);
  };

  return async ({ repository, login, association, certain = false }) => {
    const id = `${repository} ${login}`;
    let found = known.get(id);
    if (!found || found.until < performance.now()) {
      found = { may: await ask(repository, login), until: performance.now() + REMEMBERED_MS };
      if (known.size >= MOST_REMEMBERED) known.clear();
      known.set(id, found);
    }
    return found.may ?? (certain ? CERTAIN : LIKELY).includes(association);
  };
}
