import { z } from "zod";
import type { GiteaClient } from "./gitea-client.ts";
import { giteaUser } from "./gitea-pull.ts";
import { rememberRights } from "./known-rights.ts";

const permissionAnswer = z.object({ permission: z.string() });
export const WRITERS = ["write", "admin", "owner"];

export type GiteaTrust = (author: {
  /** `acme/shop` */
  readonly repository: string;
  readonly login: string;
  /** True: what is only likely is not enough, for a stranger's code hangs on it. */
  readonly certain?: boolean;
}) => Promise<boolean>;

/**
 * Whether somebody may write to the repository. Only an administrator of it may ask that of others
 * (`GET …/collaborators/LOGIN/permission` answers 403 to everybody else); any token may read whom issues
 * can be assigned to, which are those who may write to the code or to the issues: likely, and not certain.
 * Throws `StacklingError` when the server does not answer.
 */
export function createGiteaTrust({ client }: { client: Pick<GiteaClient, "call"> }): GiteaTrust {
  const may = rememberRights(async (repository, login) => {
    const permission = await giteaPermission({ client }, repository, login);
    return permission === undefined ? undefined : WRITERS.includes(permission);
  });
  const isAssignable = rememberRights(async (repository, login) => {
    const { data } = await client.call({
      repository,
      path: "/assignees",
      action: `reading who can be assigned in "${repository}"`,
      statuses: [403, 404],
    });
    const answer = z.array(giteaUser).safeParse(data);
    return answer.success && answer.data.some((user) => isSame(user.login, login));
  });

  return async ({ repository, login, certain = false }) => {
    const known = await may(repository, login);
    if (known !== undefined) return known;
    if (isSame(repository.split("/")[0] ?? "", login)) return true;
    return !certain && (await isAssignable(repository, login)) === true;
  };
}

/** `none` for an account that is not there; undefined where we may not ask. */
export async function giteaPermission(
  { client }: { readonly client: Pick<GiteaClient, "call"> },
  repository: string,
  login: string,
): Promise<string | undefined> {
  const { status, data } = await client.call({
    repository,
    path: `/collaborators/${encodeURIComponent(login)}/permission`,
    action: `reading what "${login}" may do in "${repository}"`,
    statuses: [403, 404],
  });
  return status === 404 ? "none" : permissionAnswer.safeParse(data).data?.permission;
}

/** Logins are the same whatever their case. */
function isSame(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}
