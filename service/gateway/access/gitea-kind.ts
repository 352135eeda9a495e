/** Logins at Gitea and Forgejo (Gitea docs, "OAuth2 Provider"). */
import { z } from "zod";
import type { ForgeKind } from "./forge-kind.ts";

const options = z.object({ url: z.url() });
const user = z.object({ login: z.string().min(1) });

export const giteaKind: ForgeKind = {
  label: "Gitea",
  scope: { door: "read:user", pages: "read:user" },
  serverOf(given) {
    const url = options.safeParse(given).data?.url.replace(/\/+$/, "");
    return url === undefined ? undefined : { webUrl: url, apiUrl: `${url}/api/v1` };
  },
  paths: { authorize: "/login/oauth/authorize", token: "/login/oauth/access_token" },
  loginOf: (answer) => user.parse(answer).login,
};
