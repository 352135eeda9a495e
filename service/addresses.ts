/** Addresses of a preview and of its page, as people are given them. Pure. */
import { mainUrlOf } from "../infra/names.ts";
import type { Preview } from "./status.ts";

/** Address of the main service; undefined until a first version has answered. */
export function mainUrl({ key, status }: Pick<Preview, "key" | "status">): string | undefined {
  return mainUrlOf(key, status.live?.urls ?? {});
}

export function hostOf(url: string | undefined): string | undefined {
  return url === undefined ? undefined : new URL(url).host;
}

/** Its page on Stackling, below Stackling's own address. */
export function detailHref(key: string): string {
  return `/previews/${encodeURIComponent(key)}`;
}

export function pageUrl(homeUrl: string, key: string): string {
  return `${homeUrl}${detailHref(key)}`;
}

/**
 * Picture of the address for a phone's camera, of an address right below Stackling's own: a comment can hold
 * no picture itself. Undefined on `localhost`, which a phone takes for itself.
 */
export function qrUrl(url: string | undefined, homeUrl: string | undefined): string | undefined {
  if (url === undefined || homeUrl === undefined) return undefined;
  const home = new URL(homeUrl);
  const { host, protocol } = new URL(url);
  const [label = "", ...rest] = host.split(".");
  if (isLocal(home.hostname) || protocol !== home.protocol || rest.join(".") !== home.host) return undefined;
  return `${homeUrl}/qr/${label}.svg`;
}

function isLocal(hostname: string): boolean {
  return hostname === "localhost" || hostname.endsWith(".localhost");
}
