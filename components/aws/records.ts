/** Records in a hosted zone of Route 53, and whose they are: a TXT record beside each of ours says so. */
import {
  ChangeResourceRecordSetsCommand,
  ListResourceRecordSetsCommand,
  type ResourceRecordSet,
  type RRType,
} from "@aws-sdk/client-route-53";
import { TerminalError } from "../errors.ts";
import type { Clients } from "./clients.ts";
import { ask } from "./errors.ts";

type Dns = Clients["dns"];

/** Beside the host, because a CNAME suffers no other record of its name: RFC 1034 §3.6.2. */
const MARK = "_stackling.";
const LEADING: readonly RRType[] = ["A", "AAAA", "CNAME"];

/** Name of the record that tells whose `host` is. */
export function ownerName(host: string): string {
  return `${MARK}${host}`;
}

/** What that record says. */
export function ownerText(stack: string): string {
  return `heritage=stackling,stack=${stack}`;
}

/**
 * Makes room for `host` right before its records are made: removes what a run left behind that was cut
 * short. Throws `TerminalError` (`NameTaken`) when the host leads somewhere and is not marked as this
 * stack's; that record stays as it is.
 */
export async function clearHost(
  dns: Dns,
  zoneId: string,
  { host, stack }: { readonly host: string; readonly stack: string },
): Promise<void> {
  await ask(`creating the DNS record of "${host}"`, async () => {
    const marks = await recordsAt(dns, zoneId, ownerName(host));
    const leading = await leadingAt(dns, zoneId, host);
    const owner = marks.map(ownerOf).find((known) => known !== undefined);
    if (leading.length === 0 && (marks.length === 0 || owner === stack)) return remove(dns, zoneId, marks);
    if (owner === stack) return remove(dns, zoneId, [...leading, ...marks]);
    throw new TerminalError({
      reason: "NameTaken",
      userMessage: `creating the DNS record of "${host}": there is one that is not of this preview; remove it, or choose another domain`,
    });
  });
}

/** The same for the record itself, whose mark the state knows of already. */
export async function clearLeading(
  dns: Dns,
  zoneId: string,
  { host, stack }: { readonly host: string; readonly stack: string },
): Promise<void> {
  await ask(`creating the DNS record of "${host}"`, async () => {
    const marks = await recordsAt(dns, zoneId, ownerName(host));
    if (marks.some((record) => ownerOf(record) === stack))
      await remove(dns, zoneId, await leadingAt(dns, zoneId, host));
  });
}

/** Hosts that are marked as a stack's, of one stack or of all. */
export async function ownHosts(
  dns: Dns,
  zoneId: string,
  stack?: string,
): Promise<{ readonly host: string; readonly stack: string }[]> {
  const found: { host: string; stack: string }[] = [];
  for await (const record of allRecords(dns, zoneId)) {
    const owner = ownerOf(record);
    const host = plainName(record.Name).slice(MARK.length);
    if (owner !== undefined && (stack === undefined || owner === stack)) found.push({ host, stack: owner });
  }
  return found;
}

/** The host's records with their mark, if they are the stack's still. */
export async function removeHost(
  dns: Dns,
  zoneId: string,
  { host, stack }: { readonly host: string; readonly stack: string },
): Promise<void> {
  const marks = await recordsAt(dns, zoneId, ownerName(host));
  if (!marks.some((record) => ownerOf(record) === stack)) return;
  const leading = await leadingAt(dns, zoneId, host);
  await remove(dns, zoneId, [...leading, ...marks]);
}

/** All records of exactly this name. */
export async function recordsAt(dns: Dns, zoneId: string, name: string): Promise<ResourceRecordSet[]> {
  const answer = await dns.send(
    new ListResourceRecordSetsCommand({ HostedZoneId: zoneId, StartRecordName: name, MaxItems: 20 }),
  );
  return (answer.ResourceRecordSets ?? []).filter((record) => plainName(record.Name) === name.toLowerCase());
}

async function leadingAt(dns: Dns, zoneId: string, host: string): Promise<ResourceRecordSet[]> {
  const found = await recordsAt(dns, zoneId, host);
  return found.filter(({ Type }) => Type !== undefined && LEADING.includes(Type));
}

async function remove(dns: Dns, zoneId: string, records: readonly ResourceRecordSet[]): Promise<void> {
  if (records.length === 0) return;
  const Changes = records.map((ResourceRecordSet) => ({ Action: "DELETE" as const, ResourceRecordSet }));
  await dns.send(new ChangeResourceRecordSetsCommand({ HostedZoneId: zoneId, ChangeBatch: { Changes } }));
}

async function* allRecords(dns: Dns, HostedZoneId: string): AsyncGenerator<ResourceRecordSet> {
  let next: { StartRecordName?: string; StartRecordType?: RRType; StartRecordIdentifier?: string } | undefined = {};
  while (next) {
    const answer: Awaited<ReturnType<typeof page>> = await page(dns, { HostedZoneId, ...next });
    yield* answer.ResourceRecordSets ?? [];
    const { IsTruncated, NextRecordName, NextRecordType, NextRecordIdentifier } = answer;
    next = IsTruncated
      ? {
          StartRecordName: NextRecordName,
          StartRecordType: NextRecordType,
          StartRecordIdentifier: NextRecordIdentifier,
        }
      : undefined;
  }
}

function page(dns: Dns, input: ConstructorParameters<typeof ListResourceRecordSetsCommand>[0]) {
  return dns.send(new ListResourceRecordSetsCommand(input));
}

/** The stack that a mark names; undefined for any other record. */
function ownerOf({ Name, Type, ResourceRecords = [] }: ResourceRecordSet): string | undefined {
  if (Type !== "TXT" || !plainName(Name).startsWith(MARK)) return undefined;
  const text = ResourceRecords[0]?.Value?.replace(/^"|"$/g, "") ?? "";
  return /^heritage=stackling,stack=([a-z0-9-]+)$/.exec(text)?.[1];
}

/** Names come back with a dot at the end, and a star as `\\052`. */
function plainName(name = ""): string {
  return name.replace(/\.$/, "").replaceAll("\\052", "*").toLowerCase();
}
