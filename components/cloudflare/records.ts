/** DNS records of one zone, and which of them are ours: those whose comment opens with `stackling:<stack>`. */
import { z } from "zod";
import { StacklingError, TerminalError } from "../errors.ts";
import { type CloudflareSettings, call, list } from "./api.ts";

/** API reference, "DNS Records for a Zone": the part that is used. */
const record = z.object({
  id: z.string(),
  type: z.string(),
  name: z.string(),
  content: z.string().optional(),
  comment: z.string().nullish(),
});

export type DnsRecordFound = z.infer<typeof record>;

/** API reference, "Zones". `permissions` tells what the token may; not every kind of token is told. */
const zone = z.object({
  id: z.string(),
  name: z.string(),
  status: z.string().optional(),
  permissions: z.array(z.string()).nullish(),
});

export type Zone = z.infer<typeof zone>;

export interface ZoneSettings extends CloudflareSettings {
  /** Id (32 hexadecimal digits) or name. */
  readonly zone: string;
}

const MARK = "stackling:";
/** What cannot stand beside a record of ours at one name: API reference, "Create DNS Record". */
const EXCLUSIVE = new Set(["A", "AAAA", "CNAME", "NS"]);

/** Throws `StacklingError` (`TargetInvalid`) when the token sees no such zone. */
export async function findZone(settings: ZoneSettings): Promise<Zone> {
  const action = `looking for zone "${settings.zone}"`;
  const found = isZoneId(settings.zone)
    ? await call(settings, { action, path: `/zones/${settings.zone}` }, zone)
    : (await list(settings, { action, path: "/zones", query: { name: settings.zone } }, zone))[0];
  if (found) return found;
  throw new StacklingError({
    reason: "TargetInvalid",
    userMessage: `${action}: the API token sees no such zone at Cloudflare`,
  });
}

export async function zoneIdOf(settings: ZoneSettings): Promise<string> {
  return isZoneId(settings.zone) ? settings.zone : (await findZone(settings)).id;
}

/** All of ours, or those of one stack. */
export async function ownRecords(
  settings: ZoneSettings,
  stack?: string,
): Promise<readonly (DnsRecordFound & { readonly stack: string })[]> {
  const found = await list(
    settings,
    {
      action: "listing DNS records",
      path: `/zones/${await zoneIdOf(settings)}/dns_records`,
      query: { "comment.startswith": MARK + (stack ?? "") },
    },
    record,
  );
  // Cloudflare compares without regard to case, and a prefix fits longer names too.
  return found.flatMap((one) => {
    const owner = ownerOf(one);
    return owner !== undefined && (stack === undefined || owner === stack) ? [{ ...one, stack: owner }] : [];
  });
}

export async function recordsAt(settings: ZoneSettings, name: string): Promise<readonly DnsRecordFound[]> {
  const found = await list(
    settings,
    {
      action: `looking for DNS records of "${name}"`,
      path: `/zones/${await zoneIdOf(settings)}/dns_records`,
      query: { "name.exact": name },
    },
    record,
  );
  return found.filter((one) => one.name.toLowerCase() === name.toLowerCase());
}

/** Gone already is success. */
export async function deleteRecord(settings: ZoneSettings, { id, name }: DnsRecordFound): Promise<void> {
  const path = `/zones/${await zoneIdOf(settings)}/dns_records/${id}`;
  await call(settings, { action: `deleting the DNS record of "${name}"`, method: "DELETE", path }, z.unknown());
}

/**
 * Makes sure that a name is free before a record is created: removes what a killed create of this stack left,
 * which no state knows of, and refuses a name that anybody else has (`TerminalError`, `NameTaken`).
 */
export async function clearName(settings: ZoneSettings, name: string, stack: string): Promise<void> {
  const there = await recordsAt(settings, name);
  const foreign = there.find((one) => EXCLUSIVE.has(one.type) && ownerOf(one) !== stack);
  if (foreign) {
    const owner = ownerOf(foreign);
    const whose = owner === undefined ? "was not made by Stackling" : `belongs to stack "${owner}"`;
    throw new TerminalError({
      reason: "NameTaken",
      userMessage: `creating the DNS record of "${name}": there is a ${foreign.type} record of that name already, which ${whose}; remove it or choose another domain`,
    });
  }
  for (const left of there) if (ownerOf(left) === stack) await deleteRecord(settings, left);
}

/** Stack that a record was made for; undefined for one that is not ours. */
function ownerOf({ comment }: DnsRecordFound): string | undefined {
  return /^stackling:([a-z0-9-]+)(?= |$)/.exec(comment ?? "")?.[1];
}

function isZoneId(zone: string): boolean {
  return /^[0-9a-f]{32}$/.test(zone);
}
