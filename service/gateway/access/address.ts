/** From which address a request comes, and whether that is one of a list. */
import type { IncomingMessage } from "node:http";
import { BlockList, isIP } from "node:net";

export type Networks = (address: string) => boolean;

/** Addresses and networks as the config's schema has let them through; none: nobody. */
export function networks(listed: readonly string[]): Networks {
  // Most have no load balancer, and each request would ask.
  if (listed.length === 0) return () => false;
  const list = new BlockList();
  for (const entry of listed) {
    const [address = "", prefix] = entry.split("/");
    const family = familyOf(address);
    if (prefix === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(prefix), family);
  }
  return (given) => {
    const address = plain(given);
    return isIP(address) !== 0 && list.check(address, familyOf(address));
  };
}

/**
 * Who asks: the peer, or what trusted proxies say before whom they stand, read from the right, where the
 * nearest of them wrote. Empty, which is on no list, when what stands there is no address.
 */
export function clientAddress(
  { socket, headers }: Pick<IncomingMessage, "socket" | "headers">,
  trusts: Networks,
): string {
  const peer = plain(socket.remoteAddress ?? "");
  const told = headers["x-forwarded-for"];
  if (told === undefined || !trusts(peer)) return peer;
  const hops = String(told)
    .split(",")
    .map((hop) => plain(hop.trim()));
  for (const hop of hops.toReversed()) {
    if (isIP(hop) === 0) return "";
    if (!trusts(hop)) return hop;
  }
  return hops[0] ?? "";
}

/** An IPv4 address as a socket of both families shows it, and one with a zone, as they are listed. */
function plain(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, "").replace(/%.*$/, "");
}

function familyOf(address: string): "ipv4" | "ipv6" {
  return isIP(address) === 6 ? "ipv6" : "ipv4";
}
