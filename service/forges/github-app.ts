/** A GitHub App as GitHub makes it from a manifest: what it may do, what it is told, and where one is made. Pure. */
import { BlockList, isIP } from "node:net";

/** Where people go; the REST API lies elsewhere. */
export const GITHUB = "https://github.com";

/** Named in the manifest, in the docs and, where it is missing, by `doctor`. */
export const APP_PERMISSIONS = {
  metadata: "read",
  contents: "read",
  pull_requests: "write",
  /** Comments are GitHub's issue comments, and so are the deliveries that tell of them. */
  issues: "write",
  checks: "write",
  deployments: "write",
  /** A stage's, and the check's where the App may write none. */
  statuses: "write",
} as const;

/** `installation` and `installation_repositories` come unasked, and a manifest that names them is refused. */
export const APP_EVENTS = [
  "check_run",
  "check_suite",
  "delete",
  "issue_comment",
  "pull_request",
  "pull_request_review",
  "push",
  "repository",
] as const;

const NAME_MAX = 34;

const FAMILIES: Readonly<Record<number, "ipv4" | "ipv6">> = { 4: "ipv4", 6: "ipv6" };
/** Addresses that mean this machine, */
const HERE = blocks(["127.0.0.0/8", "0.0.0.0/8", "::1/128", "::/128"]);
/** and this network. */
const INSIDE = blocks([
  "10.0.0.0/8",
  "100.64.0.0/10",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "fc00::/7",
  "fe80::/10",
]);

export interface ManifestWish {
  /** Where Stackling's pages are, without a slash at the end. */
  readonly homeUrl: string;
  /** Name of the entry of `forges`. */
  readonly forge: string;
  /** Where it is made. */
  readonly server: string;
  /** Whether it sends the event of `readyEvent`, for which GitHub wants the right to write contents. */
  readonly readyEvent: boolean;
}

/**
 * Source: GitHub docs, "Registering a GitHub App from a manifest". Without a webhook neither
 * `hook_attributes` (which needs a `url` even where it is not active) nor `default_events` may be there.
 */
export function manifestOf({ homeUrl, forge, server, readyEvent }: ManifestWish): Readonly<Record<string, unknown>> {
  const hook = { hook_attributes: { url: webhookUrl({ homeUrl, forge }), active: true }, default_events: APP_EVENTS };
  return {
    // Names are unique over all of GitHub; who makes it can choose another one there.
    name: `Stackling ${new URL(homeUrl).host}`
      .replace(/[^\w. -]/g, " ")
      .slice(0, NAME_MAX)
      .trim(),
    url: homeUrl,
    description: "A preview of every pull request.",
    public: false,
    redirect_url: `${homeUrl}/github/created`,
    setup_url: `${homeUrl}/github/installed`,
    setup_on_update: true,
    callback_urls: [`${homeUrl}/`],
    default_permissions: { ...APP_PERMISSIONS, ...(readyEvent ? { contents: "write" } : {}) },
    ...(canReach(server, homeUrl) ? hook : {}),
  };
}

/** Where the manifest is posted to: for an organisation or, without one, for the person's own account. */
export function registrationUrl({
  server,
  organization,
  state,
}: {
  readonly server: string;
  readonly organization?: string;
  readonly state: string;
}): string {
  const owner = organization === undefined ? "" : `/organizations/${encodeURIComponent(organization)}`;
  return `${server}${owner}/settings/apps/new?state=${encodeURIComponent(state)}`;
}

/** `https://github.com` → `https://api.github.com`; `https://HOST` → `https://HOST/api/v3`. */
export function apiUrl(server: string): string {
  return server === GITHUB ? "https://api.github.com" : `${server}/api/v3`;
}

/** The other way: where people go, by the REST API's address. */
export function webUrl(baseUrl: string): string {
  const { protocol, host } = new URL(baseUrl);
  return `${protocol}//${host === "api.github.com" ? "github.com" : host}`;
}

export function webhookUrl({ homeUrl, forge }: { readonly homeUrl: string; readonly forge: string }): string {
  return `${homeUrl}/webhooks/${encodeURIComponent(forge)}`;
}

/**
 * Whether a delivery can get there, as far as the address tells: github.com wants a public one, and
 * refuses a webhook without; an Enterprise Server may stand in the same network.
 */
export function canReach(server: string, homeUrl: string): boolean {
  const hostname = new URL(homeUrl).hostname.replace(/^\[|\]$/g, "");
  if (hostname === "localhost" || hostname.endsWith(".localhost")) return false;
  const family = FAMILIES[isIP(hostname)];
  if (family && HERE.check(hostname, family)) return false;
  if (server !== GITHUB) return true;
  if (family) return !INSIDE.check(hostname, family);
  return hostname.includes(".") && !/\.(local|internal|lan|home\.arpa|test|invalid|example)$/.test(hostname);
}

/** `https://ghe.acme.dev`, as typed by a person; undefined when it is no address of a server. */
export function serverOf(typed: string): string | undefined {
  if (!URL.canParse(typed)) return undefined;
  const { protocol, origin, username, password, pathname, search, hash } = new URL(typed);
  const isPlain = username === "" && password === "" && pathname === "/" && search === "" && hash === "";
  return isPlain && (protocol === "https:" || protocol === "http:") ? origin : undefined;
}

/** Login of an organisation. */
export function isLogin(typed: string): boolean {
  return /^[a-z\d](?:-?[a-z\d]){0,38}$/i.test(typed);
}

function blocks(subnets: readonly string[]): BlockList {
  const list = new BlockList();
  for (const subnet of subnets) {
    const [address = "", bits = ""] = subnet.split("/");
    list.addSubnet(address, Number(bits), address.includes(":") ? "ipv6" : "ipv4");
  }
  return list;
}
