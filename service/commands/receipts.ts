import type { Logger } from "pino";
import type { Forge, RepositoryRef } from "../forges/forge.ts";
import type { Preview } from "../status.ts";
import type { Store } from "../store/store.ts";

export interface ReceiptDeps {
  readonly store: Pick<Store, "update">;
  readonly logger: Pick<Logger, "warn">;
}

/**
 * Puts on the forge the reactions that the record still owes; a kill in between puts one twice, which is
 * the same. True when none is left. Never rejects for an outage of the forge.
 */
export async function putReceipts(
  { store, logger }: ReceiptDeps,
  { forge: { commands }, repository }: { readonly forge: Forge; readonly repository: RepositoryRef },
  { key, number, intents }: Pick<Preview, "key" | "number" | "intents">,
): Promise<boolean> {
  const owed = intents.commands?.receipts ?? [];
  if (!commands || number === undefined || owed.length === 0) return true;
  const put = new Set<number>();
  try {
    for (const { comment, outcome } of owed) {
      await commands.acknowledge(repository, { number, id: comment }, outcome);
      put.add(comment);
    }
  } catch (error) {
    logger.warn({ key, err: error }, "reacting to a command failed; it is tried again");
  }
  if (put.size > 0) await store.update(key, (held) => ({ intents: withoutReceipts(held.intents, put) }));
  return put.size === owed.length;
}

function withoutReceipts(intents: Preview["intents"], put: ReadonlySet<number>): Preview["intents"] {
  const { commands } = intents;
  if (!commands) return intents;
  const left = commands.receipts?.filter(({ comment }) => !put.has(comment)) ?? [];
  return { ...intents, commands: { ...commands, receipts: left.length > 0 ? left : undefined } };
}
