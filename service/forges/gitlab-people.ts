/** What people may do at GitLab, asked with our own token: by their membership, as itself or by groups. */
import { z } from "zod";
import type { GitlabClient } from "./gitlab-client.ts";
import { DEVELOPER, gitlabUserOf, levelOf } from "./gitlab-trust.ts";
import { rememberRights } from "./known-rights.ts";
import type { ForgePeople, Right } from "./people.ts";

/** Reporter: the least role that may read the code of a project that is not public (docs, "Roles and permissions"). */
const REPORTER = 20;
/** Guest: the least that makes somebody a member. */
const GUEST = 10;

const shown = z.object({ visibility: z.string().default("private") });

export function gitlabPeople({ client }: { readonly client: Pick<GitlabClient, "call" | "send"> }): ForgePeople {
  const rightOf = rememberRights(async (repository, login): Promise<Right | undefined> => {
    const action = `reading what "${login}" may do in "${repository}"`;
    const user = await gitlabUserOf({ client }, login, action);
    if (!user) return "none";
    const path = `/members/all/${user.id}`;
    const level = levelOf(await client.call({ repository, path, action, statuses: [403, 404] }));
    if (level === undefined) return undefined;
    if (level >= DEVELOPER) return "write";
    // What is `internal` everybody of the server may see but who is external, which is not said: its members alone.
    const { visibility } = shown.parse((await client.call({ repository, path: "", action })).data);
    if (visibility === "public") return "public";
    return level >= REPORTER ? "read" : "none";
  });
  /** A group: `acme/platform`; one at the top bears a slash at its end, `acme/`. */
  const isIn = rememberRights(async (team, login): Promise<boolean | undefined> => {
    const action = `asking whether "${login}" is in the group "${team}"`;
    const user = await gitlabUserOf({ client }, login, action);
    if (!user) return false;
    const group = encodeURIComponent(team.replace(/\/$/, ""));
    const path = `/groups/${group}/members/all/${user.id}`;
    const level = levelOf(await client.send({ path, action, statuses: [403, 404] }));
    return level === undefined ? undefined : level >= GUEST;
  });
  return { rightOf: ({ path }, login) => rightOf(path, login), isIn };
}
