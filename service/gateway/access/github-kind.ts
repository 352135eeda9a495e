/** Logins at GitHub and GitHub Enterprise Server, where who came is asked about with a token of their own. */
import { z } from "zod";
import type { ForgeKind, ForgeServer } from "./forge-kind.ts";
import { askForge } from "./forge-login.ts";

const options = z.object({ baseUrl: z.url() });
const user = z.object({ login: z.string().min(1) });
const repository = z.object({
  private: z.boolean().default(false),
  permissions: z.object({ push: z.boolean().default(false), pull: z.boolean().default(false) }).optional(),
});
const membership = z.object({ state: z.string() });

export const githubKind: ForgeKind = {
  label: "GitHub",
  scope: { door: "repo", pages: "repo read:org" },
  serverOf(given): ForgeServer | undefined {
    const { data } = options.safeParse(given);
    if (!data) return undefined;
    const { origin, host } = new URL(data.baseUrl);
    // GitHub's own pages and those of a server at home, by the API's address (REST API, "Getting started").
    const webUrl = host === "api.github.com" ? "https://github.com" : origin;
    return { webUrl, apiUrl: data.baseUrl.replace(/\/+$/, "") };
  },
  paths: { authorize: "/login/oauth/authorize", token: "/login/oauth/access_token" },
  loginOf: (answer) => user.parse(answer).login,
  asked: (server, token, login) => ({
    async rightOf({ path }) {
      const found = await askForge(server, token, `/repos/${path.split("/").map(encodeURIComponent).join("/")}`);
      if (found === undefined) return "none";
      const { permissions, private: isPrivate } = repository.parse(found);
      if (permissions?.push) return "write";
      if (!isPrivate) return "public";
      return permissions?.pull ? "read" : "none";
    },
    async isIn(name) {
      const [organization = "", team = ""] = name.split("/").map(encodeURIComponent);
      const path = `/orgs/${organization}/teams/${team}/memberships/${encodeURIComponent(await login())}`;
      return membership.safeParse(await askForge(server, token, path)).data?.state === "active";
    },
  }),
};
