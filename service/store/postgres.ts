import { sql } from "kysely";
import type { Logger } from "pino";
import type { AuditStore } from "../audit.ts";
import { type SeatStore, seatStore } from "../caps/seats.ts";
import type { DeploymentStore } from "../deployments/deployment.ts";
import { DEPLOYMENT_CHANNEL, deploymentStore } from "../deployments/store.ts";
import { type HookStore, hookStore } from "../hooks/store.ts";
import { type KpiStore, kpiStore } from "../kpis/store.ts";
import { type LevelStore, levelStore } from "../metrics/store.ts";
import { type PullStateStore, pullStateStore } from "../money/actuals/state.ts";
import { type BudgetStore, budgetStore } from "../money/budgets/store.ts";
import { type LedgerStore, ledgerStore } from "../money/ledger.ts";
import { tokenStore } from "../tokens/store.ts";
import type { TokenStore } from "../tokens/token.ts";
import { type TrendStore, trendStore } from "../trends/store.ts";
import { type AuditTrim, auditStore } from "./audit.ts";
import { claimFolder, type DataFolder } from "./data-folder.ts";
import { codeOf, openDatabase } from "./database.ts";
import { type DeliveryStore, deliveryStore } from "./deliveries.ts";
import { type ForgeCredentialStore, forgeCredentialStore } from "./forge-credentials.ts";
import { type IdentityStore, identityStore } from "./identities.ts";
import { acquireLease, releaseLeasesOf } from "./lease.ts";
import { listen } from "./listener.ts";
import { migrate } from "./migrations.ts";
import { createMoves, type MoveWatch, subscribe } from "./moves.ts";
import { operationStore } from "./operation.ts";
import { PREVIEW_CHANNEL, previewStore } from "./previews.ts";
import { bossQueue, type Queue, WORK_CHANNEL } from "./queue.ts";
import { prune, recordStore } from "./records.ts";
import type { Store } from "./store.ts";

const CONNECTIONS = 12;
const CHANNELS = [PREVIEW_CHANNEL, WORK_CHANNEL, DEPLOYMENT_CHANNEL];
const PRUNE_EVERY_MS = 3_600_000;
/** Any fixed number: only one process at a time sets up the tables. */
const SETUP_LOCK = 7_302_511;

export interface PostgresStore
  extends Store,
    DeploymentStore,
    DeliveryStore,
    SeatStore,
    HookStore,
    ForgeCredentialStore,
    IdentityStore,
    AuditStore,
    TrendStore,
    KpiStore,
    LedgerStore,
    BudgetStore,
    PullStateStore,
    LevelStore,
    MoveWatch,
    AuditTrim,
    TokenStore {
  readonly queue: Queue;
  /** See `claimFolder`. */
  claimFolder(folder: DataFolder): Promise<() => Promise<void>>;
}

export interface PostgresStoreOptions {
  /** Postgres URL; may hold a password and is never logged. */
  readonly url: string;
  /** Name of this instance, kept in its data folder, so that its next life knows what it held. */
  readonly holder: string;
  readonly logger: Logger;
  /** ISO 8601 UTC; the host's clock, for times shown to people. Leases go by the server's. */
  readonly now: () => string;
  /** Steps that make the tables; those of this version by default. */
  readonly steps?: Parameters<typeof migrate>[1];
}

/**
 * Opens the store, making or migrating its tables first; safe with several starting at once.
 * Rejects when the server does not answer. Later outages reject single calls and end by themselves.
 */
export async function openStore({ url, holder, logger, now, steps }: PostgresStoreOptions): Promise<PostgresStore> {
  const { db, pool } = openDatabase({ url, connections: CONNECTIONS, logger });
  const queue = bossQueue({ db, pool, holder, logger });
  try {
    await setUp();
  } catch (error) {
    await db.destroy();
    throw error;
  }
  const changes = new Set<(key: string) => void>();
  const work = new Set<() => void>();
  const deployments = new Set<(id: string) => void>();
  const listener = listen({ url, channels: CHANNELS, logger, onNotify, onConnected });
  const pruning = setInterval(() => {
    prune(db).catch((error) => logger.warn({ code: codeOf(error) }, "pruning old rows failed"));
  }, PRUNE_EVERY_MS);
  pruning.unref();

  const { moved, proved, ...moves } = createMoves();
  const previews = previewStore({ db, now, moved });
  return {
    ...previews,
    ...moves,
    ...recordStore({ db, queue, proved }),
    ...operationStore({ db, now }),
    ...trendStore({ db }),
    ...kpiStore({ db }),
    ...ledgerStore({ db }),
    ...budgetStore({ db }),
    ...pullStateStore({ db }),
    ...levelStore({ db, now }),
    ...forgeCredentialStore({ db }),
    ...identityStore({ db }),
    ...auditStore({ db }),
    ...deploymentStore({ db }),
    ...deliveryStore({ db }),
    onDeployment: (callback) => subscribe(deployments, callback),
    ...tokenStore({ db }),
    ...hookStore({ db }),
    ...seatStore({ db, queue }),
    claimFolder: (folder) => claimFolder({ db, holder, logger }, folder),
    acquireLease: (stack) => acquireLease({ db, holder, logger }, stack),
    async releaseOwnLeases() {
      await releaseLeasesOf({ db, holder, logger });
      await queue.reclaim();
    },
    queue: { ...queue, onWork: (callback) => subscribe(work, callback) },
    onChange: (callback) => subscribe(changes, callback),
    async ping() {
      await sql`select 1`.execute(db);
    },
    async close() {
      clearInterval(pruning);
      await listener.close();
      await queue.stop();
      await db.destroy();
    },
  };

  async function setUp(): Promise<void> {
    const client = await pool.connect();
    try {
      await client.query("select pg_advisory_lock($1)", [SETUP_LOCK]);
      await migrate(db, steps);
      await queue.start();
      await prune(db);
    } finally {
      // The lock ends with the session.
      client.release(true);
    }
  }

  function onNotify(channel: string, payload: string): void {
    if (channel === WORK_CHANNEL) for (const callback of work) callback();
    else if (channel === DEPLOYMENT_CHANNEL) for (const callback of deployments) callback(payload);
    else for (const callback of changes) callback(payload);
  }

  /** What was notified while nobody listened is lost, so everything counts as changed. */
  function onConnected(): void {
    for (const callback of work) callback();
    if (changes.size === 0) return;
    previews
      .list({ gone: true })
      .then((all) => {
        for (const { key } of all) for (const callback of changes) callback(key);
      })
      .catch((error) => logger.warn({ code: codeOf(error) }, "reading all previews after a lost connection failed"));
  }
}
