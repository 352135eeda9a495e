/** Who may see previews, as an operator and an application write it, and as it is used. */
import { isIP } from "node:net";
import { z } from "zod";
import { parseDuration } from "./duration.ts";
import { place } from "./place.ts";
import { secretReference } from "./secret-schema.ts";
import { isPastGateway } from "./target-fit.ts";
import type { AccessConfig, ApplicationAccess, RepositoryConfig, TargetConfig } from "./types.ts";
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

const doors = z.strictObject({
  password: secretReference.optional().describe("Asks for this password. At most 1,024 characters."),
  ip: addresses.optional().describe("Opens to these addresses and networks."),
  satisfy: z
    .enum(["all", "any"])
    .optional()
    .describe("Whether `all` of several doors must be passed, or `any` of them is enough. Default `all`."),
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
  const { password, ip, satisfy = "all", bypass, shareLinks }: z.infer<typeof doors> = typed;
  const shareSeconds = shareLinks === undefined ? SHARE_MAX_SECONDS : parseDuration(shareLinks);
  return {
    access: {
      kind: "doors",
      doors: { ...(password ? { password: place(password, directory) } : {}), ...(ip ? { ip } : {}) },
      satisfy,
      ...(bypass ? { bypass: place(bypass, directory) } : {}),
      ...(shareSeconds === undefined ? {} : { shareSeconds }),
    },
  };
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

/** A door at which nobody knocks: its previews are reached past the gateway. */
export function accessMisfits(
  repositories: readonly RepositoryConfig[],
  { access: everywhere }: { readonly access?: AccessFile },
  targets: readonly { readonly target?: TargetConfig }[],
): readonly Misfit[] {
  return repositories.flatMap(({ path, target, access }, index) => {
    const found = targets.find((one) => one.target?.name === target)?.target;
    const isShut = access ? access.kind !== "public" : everywhere !== undefined && everywhere !== "public";
    if (!found || !isPastGateway(found) || !isShut) return [];
    const message = `repository "${path}": the target "${target}" has \`edge: direct\`, past the gateway and its doors; write \`access: public\` for this repository, or take another edge`;
    return [{ path: ["repositories", index], message }];
  });
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
