import type { LoginForge } from "../../config/forge-logins.ts";
import type { ForgeKind } from "./forge-kind.ts";
import { giteaKind } from "./gitea-kind.ts";
import { githubKind } from "./github-kind.ts";
import { gitlabKind } from "./gitlab-kind.ts";

export const forgeKinds: Readonly<Record<LoginForge, ForgeKind>> = {
  github: githubKind,
  gitlab: gitlabKind,
  gitea: giteaKind,
};
