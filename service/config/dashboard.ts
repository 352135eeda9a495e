/** `dashboard` of stackling.yaml: who may log in to the pages, and as what. */
import { z } from "zod";
import { isLoginForge, LOGIN_FORGES } from "./forge-logins.ts";
import { isHttpsOrLoopback } from "./loopback.ts";
import { place } from "./place.ts";
import { secretReference } from "./secret-schema.ts";
import type { ForgeConfig, SecretReference } from "./types.ts";
import type { Misfit } from "./yaml-file.ts";

export interface DashboardConfig {
  readonly login: DashboardLogin;
  /** Names by role: what stands there is compared in lower case. */
  readonly roles: { readonly [Name in "admin" | "operator" | "viewer"]?: readonly string[] };
}

export type DashboardLogin =
  | {
      readonly kind: "forge";
      /** Name of an entry of `forges`. */
      readonly forge: string;
      readonly clientId: string;
      readonly clientSecret: SecretReference;
      /** Default: the one that suffices at that forge. */
      readonly scope?: string;
    }
  | {
      readonly kind: "oidc";
      readonly issuer: string;
      readonly clientId: string;
      readonly clientSecret: SecretReference;
      readonly emailVerified?: "assume";
      readonly label?: string;
    };

const forgeLogin = z.strictObject({
  name: z.string().min(1).optional().describe("Which of `forges`. Default: the first that people can log in at."),
  clientId: z.string().min(1).describe("Of the OAuth application, or of the GitHub App."),
  clientSecret: secretReference,
  scope: z
    .string()
    .optional()
    .describe(
      "Scope that is asked for; a GitHub App has its own permissions. Default `repo read:org`, at GitLab `read_user`, at Gitea `read:user`.",
    ),
});

const oidcLogin = z.strictObject({
  issuer: z
    .url({ protocol: /^https?$/, error: 'must be an address such as "https://login.acme.dev"' })
    .refine(isHttpsOrLoopback, "must begin with https://")
    .describe("The provider's address, as its discovery document says it."),
  clientId: z.string().min(1).describe("Of the application that you register there."),
  clientSecret: secretReference,
  emailVerified: z
    .enum(["demand", "assume"])
    .optional()
    .describe(
      "As at a preview's door: whether an address counts that the provider does not call verified. Default `demand`.",
    ),
  label: z.string().min(1).optional().describe("Where, as people call it. Default: the issuer's host."),
});

const names = z
  .array(
    z.string().regex(/^[^\s]{1,200}$/, 'must be a name such as "ada", "acme/platform", "ada@acme.dev" or "@acme.dev"'),
  )
  .min(1, "must name somebody");

export const dashboardRules = z
  .strictObject({
    login: z
      .union([
        z.strictObject({ forge: forgeLogin.describe("Login with GitHub, GitLab or Gitea.") }),
        z.strictObject({ oidc: oidcLogin.describe("Login at any provider of OpenID Connect.") }),
      ])
      .describe("Where people log in: `forge` (GitHub, GitLab, Gitea), or `oidc` (any provider of OpenID Connect)."),
    roles: z
      .strictObject({
        admin: names.optional().describe("May do everything."),
        operator: names.optional().describe("May do with previews what the verbs do."),
        viewer: names.optional().describe("May look."),
      })
      .optional()
      .describe(
        "By role, logins and teams (`ada`, `acme/platform`), or e-mail addresses, their domains and groups (`ada@acme.dev`, `@acme.dev`, `ops`). Whoever is not named is what the forge lets them be; with `oidc` nobody.",
      ),
  })
  .describe("Login to the pages. Default: by the printed link alone, see docs/access-control.md.");
export type DashboardFile = z.infer<typeof dashboardRules>;

export function dashboardOf(
  typed: DashboardFile | undefined,
  { directory, forges }: { readonly directory: string; readonly forges: readonly ForgeConfig[] },
): { readonly dashboard?: DashboardConfig } {
  if (!typed) return {};
  return { dashboard: { login: loginOf(typed.login, directory, forges), roles: typed.roles ?? {} } };
}

function loginOf(typed: DashboardFile["login"], directory: string, forges: readonly ForgeConfig[]): DashboardLogin {
  if ("oidc" in typed) {
    const { emailVerified, ...rest } = typed.oidc;
    const assumed = emailVerified === "assume" ? { emailVerified } : {};
    return { kind: "oidc", ...rest, ...assumed, clientSecret: place(rest.clientSecret, directory) };
  }
  const { name = forges.find(hasLogin)?.name ?? "", clientSecret, ...rest } = typed.forge;
  return { kind: "forge", forge: name, ...rest, clientSecret: place(clientSecret, directory) };
}

export function dashboardMisfits(
  typed: DashboardFile | undefined,
  { forges }: { readonly forges: readonly ForgeConfig[] },
): readonly Misfit[] {
  if (!typed) return [];
  if ("oidc" in typed.login) {
    if (Object.keys(typed.roles ?? {}).length > 0) return [];
    const message = '"dashboard.roles" must name somebody: with "oidc" nobody else may do anything';
    return [{ path: ["dashboard"], message }];
  }
  const { name } = typed.login.forge;
  const found = name === undefined ? forges.find(hasLogin) : forges.find((forge) => forge.name === name);
  if (found && hasLogin(found)) return [];
  const there = forges.filter(hasLogin).map((forge) => forge.name);
  const which = there.length > 0 ? `there is ${there.join(", ")}` : "there is none; give it a login by `oidc`";
  const message = `"dashboard.login.forge" needs a forge that people can log in at (${LOGIN_FORGES.join(", ")})${name === undefined ? "" : `, which "${name}" is not`}: ${which}`;
  return [{ path: ["dashboard", "login", "forge"], message }];
}

function hasLogin({ kind }: ForgeConfig): boolean {
  return isLoginForge(kind);
}
