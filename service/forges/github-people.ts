/** What people may do at GitHub, asked with our own credential. Of teams it seldom may ask: none is answered here. */
import { z } from "zod";
import type { GithubClient } from "./github-client.ts";
import { rememberRights } from "./known-rights.ts";
import type { ForgePeople, Right } from "./people.ts";

const permissionAnswer = z.object({ permission: z.string() });
const shown = z.object({ private: z.boolean() });

/** Source: REST API, "Get repository permissions for a user" (`maintain` is shown as `write`). */
export function githubPeople({ client }: { readonly client: Pick<GithubClient, "get"> }): ForgePeople {
  const rightOf = rememberRights(async (repository, login): Promise<Right | undefined> => {
    const action = `reading what "${login}" may do in "${repository}"`;
    const path = `/collaborators/${encodeURIComponent(login)}/permission`;
    const { status, data } = await client.get({ repository, path, action, statuses: [403, 404] });
    const answer = permissionAnswer.safeParse(data);
    if (status !== 200 || !answer.success) return undefined;
    const { permission } = answer.data;
    if (["admin", "maintain", "write"].includes(permission)) return "write";
    if (permission !== "read") return "none";
    const found = await client.get({ repository, path: "", action });
    return shown.parse(found.data).private ? "read" : "public";
  });
  return { rightOf: ({ path }, login) => rightOf(path, login) };
}
