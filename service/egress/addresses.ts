/** Finds the address that a preview's call goes to: looked up once, judged, and then dialed as it was judged. */
import type { LookupAddress } from "node:dns";
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

export type Resolve = (host: string) => Promise<readonly LookupAddress[]>;

/** How far a name may lead: `public` addresses only, or also into networks that the operator named. */
export type Reaches = "public" | "private";

/** As the machine itself resolves names. */
export const resolveHost: Resolve = (host) => lookup(host, { all: true, verbatim: true });

/** One that may be dialed; undefined when there is none. Rejects when the name cannot be looked up. */
export async function chooseAddress(
  { host, reaches }: { readonly host: string; readonly reaches: Reaches },
  resolve: Resolve,
): Promise<LookupAddress | undefined> {
  const family = isIP(host);
  // Only the operator names addresses; what stands there is meant.
  if (family !== 0) return reaches === "private" ? { address: host, family } : undefined;
  return (await resolve(host)).find(({ address }) => mayDial(address, reaches));
}

/** Neither this machine nor where clouds keep credentials is ever what a name stands for. */
const NEVER = new Set(["loopback", "linkLocal", "unspecified", "multicast", "broadcast", "reserved"]);

function mayDial(address: string, reaches: Reaches): boolean {
  if (!ipaddr.isValid(address)) return false;
  const plain = ipaddr.process(address);
  const range = plain.range();
  if (range === "unicast") return true;
  if (reaches === "public" || NEVER.has(range)) return false;
  // Addresses of IPv4 in clothes of IPv6 could hide one of the above.
  return range === "private" || range === "uniqueLocal" || range === "carrierGradeNat";
}
