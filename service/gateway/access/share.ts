/** Links that let anybody in who has one, for a while. */
import { TerminalError } from "../../../components/errors.ts";
import { hostName, parseKey } from "../../../infra/names.ts";
import { mainUrl } from "../../addresses.ts";
import { SHARE_MAX_SECONDS } from "../../config/access-schema.ts";
import type { Preview } from "../../status.ts";
import { hostNameOf } from "../routes.ts";
import { SHARED } from "./guard.ts";
import type { GuardOf } from "./guards.ts";
import { SHARE_PATH } from "./own-paths.ts";
import type { Passes } from "./passes.ts";
import { isAddressWithin } from "./redirect.ts";

export interface ShareLink {
  readonly url: string;
  /** ISO 8601 UTC. */
  readonly expiresAt: string;
  /** The same for programs, as the header X-Stackling-Bypass; for this host alone. */
  readonly token: string;
}

export interface ShareWish {
  readonly seconds: number;
  /** Address in the preview to begin at: `/cart`. */
  readonly to?: string;
  /** Of several services. Default: the main one. */
  readonly service?: string;
}

/** Throws `TerminalError` where links are off, would last too long, or lead to nothing. */
export type Share = (preview: Preview, wish: ShareWish) => Promise<ShareLink>;

export interface ShareDeps {
  readonly passes: Passes;
  readonly guardOf: GuardOf;
  readonly scheme: "http" | "https";
  readonly domain: string;
  readonly now: () => Date;
}

export function createShare(deps: ShareDeps): Share {
  return async (preview, { seconds, to, service }) => {
    const { key, status } = preview;
    const refused = (reason: string, why: string) =>
      new TerminalError({ reason, userMessage: `sharing "${key}": ${why}` });
    if (status.goneAt !== undefined) throw refused("Gone", "it is gone");
    const guard = deps.guardOf(preview, service);
    const most = guard ? guard.shareSeconds : SHARE_MAX_SECONDS;
    if (most === undefined) throw refused("ShareLinksOff", "share links are off for it (access.shareLinks)");
    if (seconds > most) throw refused("ShareTooLong", `a link may last ${inWords(most)} at most (access.shareLinks)`);
    const home = homeOf(preview, service, deps);
    if (home === undefined) throw refused("NoSuchService", `it has no service "${service}" with an address`);
    if (to !== undefined && !isAddressWithin(home, to)) {
      throw refused("NotAnAddress", `"${to}" is no address in it; write one that begins with /, such as "/cart"`);
    }
    const until = new Date(Math.floor(deps.now().getTime() / 1000 + seconds) * 1000);
    const token = await deps.passes.issue("share", hostNameOf(new URL(home).host), { opened: [SHARED], until });
    const url = new URL(`${SHARE_PATH}${token}`, home);
    if (to !== undefined && to !== "/") url.searchParams.set("to", to);
    return { url: url.href, expiresAt: until.toISOString(), token };
  };
}

/** Also of one that has no version yet: the link waits with its visitor. */
function homeOf(preview: Preview, service: string | undefined, { scheme, domain }: ShareDeps): string | undefined {
  const urls = preview.status.live?.urls ?? {};
  if (service !== undefined) return Object.hasOwn(urls, service) ? urls[service] : undefined;
  const key = parseKey(preview.key);
  return mainUrl(preview) ?? (key && `${scheme}://${hostName(key, domain)}`);
}

function inWords(seconds: number): string {
  const hours = seconds / 3600;
  return hours >= 48 && hours % 24 === 0 ? `${hours / 24} days` : `${Math.round(hours * 10) / 10} hours`;
}
