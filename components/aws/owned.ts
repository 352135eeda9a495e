/** What exists at AWS and bears our tags, whether a stack knows of it or not. */
import { paginateGetResources } from "@aws-sdk/client-resource-groups-tagging-api";
import type { OwnedThing } from "../ports.ts";
import type { Account } from "./account.ts";
import { STACK_TAG } from "./claim.ts";
import { type Clients, createClients } from "./clients.ts";
import { ask } from "./errors.ts";
import { listRoles } from "./iam-roles.ts";
import { type Kind, type KindName, kindOf, kinds, unlessMissing } from "./kinds.ts";

/** At once; the APIs that tell whether a thing is there are not many calls a second. */
const ASKED_AT_ONCE = 5;

/** Of all stacks or of one, without what is gone already, in the order in which it can be removed. */
export async function ownedAt(
  account: Account,
  { stack, only }: { readonly stack?: string; readonly only: readonly KindName[] },
): Promise<OwnedThing[]> {
  const clients = createClients(account);
  const found = await ask("listing what previews own", async () => {
    const tagged = await listTagged(clients, stack);
    const roles = only.includes("role") ? await listRoles(clients.iam, stack) : [];
    return [...tagged, ...roles];
  });
  const things = found.flatMap(({ arn, stack: owner }) => {
    const kind = kindOf(arn);
    return kind && only.includes(kind) ? [{ kind, id: arn, stack: owner }] : [];
  });
  const there = await inBatches(things, ({ kind, id }) =>
    ask(`looking for ${kind}`, () => unlessMissing(asKind(kind).exists(clients, id), false)),
  );
  const order = Object.keys(kinds);
  return things.filter((_, index) => there[index]).sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
}

/** Gone already is success. */
export async function removeAt(account: Account, { kind, id }: OwnedThing): Promise<void> {
  if (!Object.hasOwn(kinds, kind)) return;
  const clients = createClients(account);
  await ask(`removing ${kind}`, () => unlessMissing(asKind(kind as KindName).remove(clients, id), undefined));
}

function asKind(name: KindName): Kind {
  return kinds[name];
}

async function listTagged({ tagging }: Clients, stack: string | undefined): Promise<{ arn: string; stack: string }[]> {
  const TagFilters = [{ Key: STACK_TAG, ...(stack !== undefined && { Values: [stack] }) }];
  const found: { arn: string; stack: string }[] = [];
  for await (const { ResourceTagMappingList = [] } of paginateGetResources({ client: tagging }, { TagFilters })) {
    for (const { ResourceARN, Tags = [] } of ResourceTagMappingList) {
      const owner = Tags.find(({ Key }) => Key === STACK_TAG)?.Value;
      if (ResourceARN !== undefined && owner !== undefined) found.push({ arn: ResourceARN, stack: owner });
    }
  }
  return found;
}

async function inBatches<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let at = 0; at < items.length; at += ASKED_AT_ONCE) {
    results.push(...(await Promise.all(items.slice(at, at + ASKED_AT_ONCE).map(work))));
  }
  return results;
}
