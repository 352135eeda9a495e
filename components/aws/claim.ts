/** A name at AWS right before it is made: free, or ours from a run that was cut short, or somebody else's. */
import { GetResourcesCommand } from "@aws-sdk/client-resource-groups-tagging-api";
import type { CustomResourceOptions } from "@pulumi/pulumi";
import { beforeCreate } from "../creation-hook.ts";
import { TerminalError } from "../errors.ts";
import type { Clients } from "./clients.ts";
import { ask } from "./errors.ts";
import { type Kind, kinds, type NamedKind, type Place, unlessMissing } from "./kinds.ts";

export interface Claim {
  readonly kind: NamedKind;
  readonly name: string;
  readonly stack: string;
  readonly place: Place;
}

/** Tag that tells whose a thing is; written by the program's transform. */
export const STACK_TAG = "stackling:stack";

/** Options by which the name is cleared when, and only when, the engine is about to create the thing. */
export function claiming(clients: Clients, claim: Claim, opts: CustomResourceOptions): CustomResourceOptions {
  return { ...opts, ...beforeCreate(() => clearName(clients, claim)) };
}

/**
 * Removes what a run left behind that was cut short before the state knew of it. Throws
 * `TerminalError` (`NameTaken`) for a thing that does not bear our stack's tag; that one stays as it is.
 */
export async function clearName(clients: Clients, { kind: what, name, stack, place }: Claim): Promise<void> {
  const kind: Kind = kinds[what];
  await ask(`making ${what} "${name}"`, async () => {
    const arn = await unlessMissing(kind.named?.(clients, name, place) ?? Promise.resolve(undefined), undefined);
    if (arn === undefined) return;
    if (!(await isOurs(clients, what, arn, stack))) throw taken(what, name);
    await unlessMissing(kind.remove(clients, arn), undefined);
  });
}

async function isOurs({ tagging }: Clients, what: NamedKind, arn: string, stack: string): Promise<boolean> {
  // Their path is made of the stack's name, and nothing else makes one there.
  if (what === "role") return arn.includes(`:role/stackling/${stack}/`);
  const { ResourceTagMappingList: found = [] } = await tagging.send(
    new GetResourcesCommand({ ResourceARNList: [arn] }),
  );
  return found.some(({ Tags = [] }) => Tags.some(({ Key, Value }) => Key === STACK_TAG && Value === stack));
}

function taken(what: string, name: string): TerminalError {
  return new TerminalError({
    reason: "NameTaken",
    userMessage: `making ${what} "${name}": one of that name is there and not of this preview; remove it, or rename the repository in the config`,
  });
}
