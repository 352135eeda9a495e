/** What people may do at Gitea, asked with our own token, which must be an administrator's of the repositories. */
import { z } from "zod";
import type { GiteaClient } from "./gitea-client.ts";
import { giteaPermission, WRITERS } from "./gitea-trust.ts";
import { rememberRights } from "./known-rights.ts";
import type { ForgePeople, Right } from "./people.ts";

const shown = z.object({ private: z.boolean(), internal: z.boolean().default(false) });
const teams = z.object({ data: z.array(z.object({ id: z.int().positive(), name: z.string() })) });

export function giteaPeople({ client }: { readonly client: Pick<GiteaClient, "call" | "send"> }): ForgePeople {
  const rightOf = rememberRights(async (repository, login): Promise<Right | undefined> => {
    const permission = await giteaPermission({ client }, repository, login);
    if (permission === undefined) return undefined;
    if (WRITERS.includes(permission)) return "write";
    if (permission !== "read") return "none";
    const { data } = await client.call({ repository, path: "", action: `reading repository "${repository}"` });
    const { private: isPrivate, internal } = shown.parse(data);
    return isPrivate || internal ? "read" : "public";
  });
  /** `acme/platform`; needs the scope `read:organization`. */
  const isIn = rememberRights(async (team, login): Promise<boolean | undefined> => {
    const [organization = "", name = ""] = team.split("/").map(encodeURIComponent);
    const action = `asking whether "${login}" is in the team "${team}"`;
    const path = `/orgs/${organization}/teams/search?q=${name}`;
    const { status, data } = await client.send({ path, action, statuses: [403, 404] });
    if (status !== 200) return status === 404 ? false : undefined;
    const wanted = team.slice(team.indexOf("/") + 1).toLowerCase();
    const id = teams.safeParse(data).data?.data.find((one) => one.name.toLowerCase() === wanted)?.id;
    if (id === undefined) return false;
    const member = await client.send({
      path: `/teams/${id}/members/${encodeURIComponent(login)}`,
      action,
      statuses: [403, 404],
    });
    return member.status === 403 ? undefined : member.status === 200;
  });
  return { rightOf: ({ path }, login) => rightOf(path, login), isIn };
}
