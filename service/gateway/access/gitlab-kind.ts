/** Logins at GitLab (docs, "OAuth 2.0 identity provider API"). */
import { z } from "zod";
import type { ForgeKind } from "./forge-kind.ts";

const options = z.object({ url: z.url().default("https://gitlab.com") });
const user = z.object({ username: z.string().min(1) });

export const gitlabKind: ForgeKind = {
  label: "GitLab",
  scope: { door: "read_user", pages: "read_user" },
  serverOf(given) {
    const url = options.safeParse(given).data?.url.replace(/\/+$/, "");
    return url === undefined ? undefined : { webUrl: url, apiUrl: `${url}/api/v4` };
  },
  paths: { authorize: "/oauth/authorize", token: "/oauth/token" },
  loginOf: (answer) => user.parse(answer).username,
};
