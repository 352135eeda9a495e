/** Forges that people can log in at, at previews' doors and to the pages. */
import type { ForgeConfig } from "./types.ts";

export const LOGIN_FORGES = ["github", "gitlab", "gitea"] as const;
export type LoginForge = (typeof LOGIN_FORGES)[number];

export function isLoginForge(kind: ForgeConfig["kind"] | undefined): kind is LoginForge {
  return LOGIN_FORGES.some((known) => known === kind);
}
