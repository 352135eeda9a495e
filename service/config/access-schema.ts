/** Who may see previews, as an operator and an application write it, and as it is used. */
import { isIP } from "node:net";
import { z } from "zod";
import type { AccessConfig, ApplicationAccess, OidcOptions } from "./access-types.ts";
import { parseDuration } from "./duration.ts";
import { isLoginForge } from "./forge-logins.ts";
import { isHttpsOrLoopback } from "./loopback.ts";
import { place } from "./place.ts";
import type { RepositoryConfig } from "./repository-types.ts";
import { secretReference } from "./secret-schema.ts";
import { isPastGateway } from "./target-fit.ts";
import type { ForgeConfig, TargetConfig } from "./types.ts";
import type { Misfit } from "./yaml-file.ts";

/** Longest life of a share link. */
export const SHARE_MAX_SECONDS = 30 * 86_400;

const addresses = z
  .array(
    z
      .string()
      .refine(isNetwork, 'must be an address or a network such as "203.0.113.7", "10.0.0.0/8" or "2001:db8::/32"'),
  )
  .min(1, "must name at least one address");

/** Networks whose hosts are believed when they say for whom they ask. */
export const trustedProxies = addresses.describe(
  "Addresses and networks of the load balancers before this service: only of them X-Forwarded-For and its like are believed. Default: none.",
);

/** Compared as it stands: anything else would open to nobody. */
const mailDomain = z.string().regex(/^[^@*\s/]+$/, "must be a domain such as acme.dev, without @ and *");

const oidc = z.strictObject({
  issuer: z
    .url({ protocol: /^https?$/, error: 'must be an address such as "https://login.acme.dev"' })
    .refine(isHttpsOrLoopback, "must begin with https://")
    .describe("The provider's address, as its discovery document says it."),
  clientId: z.string().min(1).describe("Of the application that you register there."),
  clientSecret: secretReference,
  allow: z
    .union([
      z.literal("everyone"),
      z
        .strictObject({
          domains: z.array(mailDomain).min(1).optional().describe("Domains of e-mail addresses, such as `acme.dev`."),
          emails: z.array(z.email()).min(1).optional().describe("Whole addresses."),
        })
        .refine(({ domains, emails }) => domains ?? emails, "must name domains or emails"),
    ])
    .describe(
      "Who of those the provider knows: `{domains: [acme.dev], emails: […]}` by their e-mail address, or `everyone`.",
    ),
  emailVerified: z
    .enum(["demand", "assume"])
    .optional()
    .describe(
      "Whether an address counts that the provider does not call verified by `email_verified`: `demand` it, or `assume` it of a provider that never says so and whose addresses nobody chooses for themselves. Default `demand`.",
    ),
  label: z.string().min(1).optional().describe("Where, as people call it. Default: the issuer's host."),
});

const forgeLogin = z.strictObject({
  clientId: z.string().min(1).describe("Of the OAuth application, or of the GitHub App."),
  clientSecret: secretReference,
  needs: z
    .enum(["read", "write"])
    .optional()
    .describe(
      "What of the repository a visitor must be able to do. A public one everybody can `read`. Default `read`.",
    ),
  scope: z
    .string()
    .optional()
    .describe(
      "Scope that is asked for; a GitHub App has its own permissions. Default `repo`, at GitLab `read_user`, at Gitea `read:user`.",
    ),
});

const doors = z.strictObject({
  password: secretReference.optional().describe("Asks for this password. At most 1,024 characters."),
  ip: addresses.optional().describe("Opens to these addresses and networks."),
  forge: forgeLogin
    .optional()
    .describe("Login with GitHub, GitLab or Gitea, wherever the repository lies, for those who can see it."),
  oidc: oidc.optional().describe("Login at any provider of OpenID Connect."),
  satisfy: z
    .enum(["all", "any"])
    .optional()
    .describe("Whether `all` of several doors must be passed, or `any` of them is enough. Default `all`."),
  openServices: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe(
      "Services that everybody may reach all the same, by name: an API that pages call from the browser, or that others' webhooks come to.",
    ),
  bypass: secretReference
    .optional()
    .describe("Token by which test runners pass, in the header `X-Stackling-Bypass` or the cookie `stackling-bypass`."),
  shareLinks: z
    .string()
    .refine(isShareLife, 'must be a time of at most 30d such as "48h", or "off"')
    .optional()
    .describe(
      "How long a link made by `stackling share` may open a preview at most; `off`: there are none. Default 30d.",
    ),
});

export const accessRules = z
  .union([z.enum(["public", "private"]), doors])
  .describe(
    "Who may see previews: `public` (everyone), `private` (share links and `bypass` alone), or doors with their options. Default: `public` on `localhost`, elsewhere nobody until it is said.",
  );

/** Beside what the operator says, never in place of it. */
export const applicationAccess = z
  .strictObject({
    ip: addresses.optional().describe("Only these addresses and networks, whatever else is asked for."),
    shareLinks: z.literal(false, "can only be false").optional().describe("No share links for this application."),
  })
  .describe("Shuts the operator's door further; it can open nothing.");

export type AccessFile = z.infer<typeof accessRules>;

/** As the rest of the program uses it; nothing where nothing is said. */
export function accessOf(
  { access }: { readonly access?: AccessFile },
  directory: string,
): { readonly access?: AccessConfig } {
  if (access === undefined) return {};
  if (access === "public") return { access: { kind: "public" } };
  const typed = access === "private" ? {} : access;
  const { password, ip, forge, oidc, satisfy = "all", openServices, bypass, shareLinks }: z.infer<typeof doors> = typed;
  const shareSeconds = shareLinks === undefined ? SHARE_MAX_SECONDS : parseDuration(shareLinks);
  return {
    access: {
      kind: "doors",
      doors: {
        ...(password ? { password: place(password, directory) } : {}),
        ...(ip ? { ip } : {}),
        ...(oidc ? { oidc: oidcOf(oidc, directory) } : {}),
        ...(forge ? { forge: { needs: "read", ...forge, clientSecret: place(forge.clientSecret, directory) } } : {}),
      },
      satisfy,
      ...(openServices ? { openServices } : {}),
      ...(bypass ? { bypass: place(bypass, directory) } : {}),
      ...(shareSeconds === undefined ? {} : { shareSeconds }),
    },
  };
}

function oidcOf({ emailVerified, ...typed }: z.infer<typeof oidc>, directory: string): OidcOptions {
  const assumed = emailVerified === "assume" ? { emailVerified } : {};
  return { ...typed, ...assumed, clientSecret: place(typed.clientSecret, directory) };
}

/** Where nothing is said: the machine's own names are reached by nobody else, any other host can be guessed. */
export function defaultAccess(domain: string): AccessConfig {
  if (isLocalhost(domain)) return { kind: "public" };
  return { kind: "undecided", doors: {}, satisfy: "all", shareSeconds: SHARE_MAX_SECONDS };
}

/** True for a gateway that only this machine's own clients are led to (RFC 6761 §6.3). */
export function isLocalhost(domain: string): boolean {
  return /(^|\.)localhost\.?(:\d+)?$/i.test(domain);
}

export interface AccessAround {
  readonly repositories: readonly RepositoryConfig[];
  /** As typed at the top of the file. */
  readonly access: AccessFile | undefined;
  readonly targets: readonly { readonly target?: TargetConfig }[];
  readonly forges: readonly ForgeConfig[];
}

/** Doors at which nobody knocks, for previews are reached past the gateway; and logins at a forge that has none. */
export function accessMisfits({ repositories, access: everywhere, targets, forges }: AccessAround): readonly Misfit[] {
  return repositories.flatMap(
    ({ path, forge, target, access = accessOf({ access: everywhere }, "").access }, index) => {
      if (access === undefined || access.kind === "public") return [];
      const at = (message: string) => ({ path: ["repositories", index], message: `repository "${path}": ${message}` });
      const found = targets.find((one) => one.target?.name === target)?.target;
      const kind = forges.find(({ name }) => name === forge)?.kind;
      const past = `the target "${target}" has \`edge: direct\`, past the gateway and its doors; write \`access: public\` for this repository, or take another edge`;
      return [
        ...(found && isPastGateway(found) ? [at(past)] : []),
        ...(access.doors.forge && kind !== undefined && !isLoginForge(kind)
          ? [at(`its forge "${forge}" has no logins for the door "forge"; give it another \`access\``)]
          : []),
      ];
    },
  );
}

export function applicationAccessOf(typed: z.infer<typeof applicationAccess>): ApplicationAccess {
  return { ...(typed.ip ? { ip: typed.ip } : {}), ...(typed.shareLinks === false ? { shareLinks: false } : {}) };
}

function isShareLife(text: string): boolean {
  const seconds = parseDuration(text);
  return text === "off" || (seconds !== undefined && seconds <= SHARE_MAX_SECONDS);
}

function isNetwork(text: string): boolean {
  const [, address = "", prefix] = /^([0-9a-fA-F.:]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const family = isIP(address);
  return family !== 0 && (prefix === undefined || Number(prefix) <= (family === 4 ? 32 : 128));
}
