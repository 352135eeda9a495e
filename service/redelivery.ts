/** Asks forges for deliveries that they could not hand over: on start, and now and then. */
import type { Logger } from "pino";
import type { RepositoryConfig } from "./config/repository-types.ts";
import { every } from "./every.ts";
import type { FailedDelivery, Forge } from "./forges/forge.ts";
import type { ForgeCredentialStore } from "./store/forge-credentials.ts";
import type { Store } from "./store/store.ts";
import { refOf } from "./subject.ts";
import { after } from "./times.ts";

const EVERY_MS = 15 * 60_000;
/** Forges forget them after that. */
const SINCE_MS = 3 * 86_400_000;
/** In one round and of one forge; the next round asks for more. */
const MOST = 200;
/** Of no stack: those begin with a letter. */
const LEASE = "@redelivery";

export interface RedeliveryDeps {
  readonly store: Pick<Store, "acquireLease" | "count"> &
    Pick<ForgeCredentialStore, "claimRedeliveries" | "unclaimRedeliveries">;
  readonly forges: ReadonlyMap<string, Pick<Forge, "failedDeliveries">>;
  readonly repositories: () => Promise<readonly RepositoryConfig[]>;
  readonly now: () => string;
  readonly logger: Pick<Logger, "info" | "warn">;
}

/** Begins at once; the resync has seen what they tell of by then or soon, but not who asked for a check anew. */
export function startRedelivery(deps: RedeliveryDeps): { close(): Promise<void> } {
  if (![...deps.forges.values()].some(({ failedDeliveries }) => failedDeliveries)) return { close: async () => {} };
  const work = () =>
    askAgain(deps).catch((error: unknown) => deps.logger.warn({ err: error }, "asking for failed deliveries failed"));
  let first: Promise<void> | undefined = work().finally(() => {
    first = undefined;
  });
  const timer = every(EVERY_MS, async () => first ?? work());
  return {
    async close() {
      await Promise.all([timer.close(), first]);
    },
  };
}

/** One round; by one replica at a time, and for each delivery once. Rejects when the store is away. */
export async function askAgain(deps: RedeliveryDeps): Promise<void> {
  const lease = await deps.store.acquireLease(LEASE);
  if (!lease) return;
  try {
    const repositories = await deps.repositories();
    for (const [name, { failedDeliveries }] of deps.forges) {
      if (!failedDeliveries) continue;
      const own = repositories.filter(({ forge }) => forge === name).map(refOf);
      await askOne(deps, name, () => failedDeliveries(own, after(deps.now(), -SINCE_MS)));
    }
  } finally {
    await lease.release();
  }
}

async function askOne(
  { store, logger }: RedeliveryDeps,
  forge: string,
  read: () => ReturnType<NonNullable<Forge["failedDeliveries"]>>,
): Promise<void> {
  const failed = await read().catch((error: unknown) => {
    logger.warn({ forge, err: error }, "listing failed deliveries failed");
    return [];
  });
  const wanted = await claim({ store }, forge, failed);
  for (const [index, { again }] of wanted.entries()) {
    try {
      await again();
    } catch (error) {
      // A rate limit, mostly: the next round goes on here.
      const left = wanted.slice(index).map(({ deliveryId }) => deliveryId);
      await store.unclaimRedeliveries(forge, left);
      logger.warn({ forge, left: left.length, err: error }, "asking for a delivery again failed");
      break;
    }
    await store.count("deliveries.askedAgain");
  }
  if (wanted.length > 0) logger.info({ forge, deliveries: wanted.length }, "asked for deliveries again");
}

/**
 * The oldest that were not asked for before. Those that failed once more are among what failed for as long as the forge
 * keeps them, so it is looked behind them; never more is claimed than there is room for, which a kill would lose.
 */
async function claim(
  { store }: Pick<RedeliveryDeps, "store">,
  forge: string,
  failed: readonly FailedDelivery[],
): Promise<readonly FailedDelivery[]> {
  const wanted: FailedDelivery[] = [];
  let rest = failed;
  while (rest.length > 0 && wanted.length < MOST) {
    const some = rest.slice(0, MOST - wanted.length);
    rest = rest.slice(some.length);
    const ids = some.map(({ deliveryId }) => deliveryId);
    const claimed = new Set(await store.claimRedeliveries(forge, ids));
    wanted.push(...some.filter(({ deliveryId }) => claimed.has(deliveryId)));
  }
  return wanted;
}
