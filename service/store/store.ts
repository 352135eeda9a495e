/** What the service remembers. Postgres holds it; the interface names what the coordinators may ask. */
import type { Lease } from "../../infra/stacks.ts";
import type { AuditNote } from "../audit.ts";
import type { RepositoryConfig } from "../config/repository-types.ts";
import type { Preview, PreviewStatus, Receipt } from "../status.ts";
import type { WriteLease } from "./lease.ts";
import type { OperationStore } from "./operation.ts";

export interface DeliveryRow {
  readonly forge: string;
  readonly deliveryId: string;
  readonly event: string;
  /** Key to look at; undefined for what concerns no configured pull request (kept as a counter only). */
  readonly key?: string;
  /** Where it stands in its trace; handed on with the key, and not kept. */
  readonly traceparent?: string;
}

export interface HistoryEntry {
  /** Of one that was read; a later one has a greater. */
  readonly id?: string;
  readonly key: string;
  readonly at: string;
  readonly reason: string;
  readonly message: string;
  readonly headSha?: string;
}

export interface Store extends OperationStore {
  /** Stores deliveries and enqueues their keys in one transaction; resolves once committed. Ids seen before are no-ops. */
  receive(deliveries: readonly DeliveryRow[]): Promise<void>;
  /** "Look at this preview." Many at once become one. */
  enqueue(keys: readonly string[]): Promise<void>;

  find(key: string): Promise<Preview | undefined>;
  findByStack(stack: string): Promise<Preview | undefined>;
  /** Every preview that is not proved gone, and with `gone` those too, newest first. */
  list(options?: { readonly gone?: boolean; readonly repository?: string }): Promise<readonly Preview[]>;
  /** As `list()`, but only what changed since the last time is read again: for pages, which are asked for often. */
  current(): Promise<readonly Preview[]>;
  create(preview: Omit<Preview, "revision">): Promise<Preview>;
  /**
   * Writes some fields under a row lock and tells every replica (`pg_notify`). `undefined` result: no such
   * preview. With `held`, rejects with `ConflictError` (`FenceLost`) when a later holder took that lease.
   */
  update(
    key: string,
    change: (preview: Preview) => Partial<Omit<Preview, "key" | "revision">>,
    held?: WriteLease,
  ): Promise<Preview | undefined>;
  /** As `update`, with entries of history and audit in the same commit. */
  updateAndNote(
    key: string,
    change: (preview: Preview) => {
      readonly fields: Partial<Omit<Preview, "key" | "revision">>;
      readonly history: readonly Omit<HistoryEntry, "key">[];
      readonly audit?: readonly AuditNote[];
    },
  ): Promise<Preview | undefined>;
  /** Lays a change over the status; a change of condition or reason becomes an entry of the history in the same commit. `held` as in `update`. */
  setStatus(key: string, status: Partial<PreviewStatus>, held?: WriteLease): Promise<Preview | undefined>;
  setDue(key: string, dueAt: string | undefined): Promise<void>;
  /** Keys whose time has come. */
  due(now: string): Promise<readonly string[]>;
  /** Enqueues the keys whose time has come and clears it, in one transaction. */
  enqueueDue(now: string): Promise<void>;
  /** Raises `lastVisitAt`, never lowers it; called in batches, not per request. */
  visited(visits: Readonly<Record<string, string>>): Promise<void>;

  /** Undefined when another holder's lease is not past yet. */
  acquireLease(stack: string): Promise<(Lease & { release(): Promise<void> }) | undefined>;
  /** Ends the leases that this holder name held in an earlier life. */
  releaseOwnLeases(): Promise<void>;

  /** Repositories that `up PATH` registered beside the config, until `down`. */
  repositories(): Promise<readonly RepositoryConfig[]>;
  /** Idempotent by name. */
  registerRepository(repository: RepositoryConfig): Promise<void>;
  forgetRepository(name: string): Promise<void>;

  /** An entry of the history beside those that `setStatus` makes. */
  record(entry: HistoryEntry): Promise<void>;
  /** Newest first; with `before`, those that are older than the entry of that id. */
  history(key: string, limit: number, before?: string): Promise<readonly HistoryEntry[]>;
  /** `held` as in `update`. */
  addReceipt(receipt: Receipt, held?: WriteLease): Promise<void>;
  receipts(key: string): Promise<readonly Receipt[]>;
  count(name: string, by?: number): Promise<void>;
  counters(): Promise<Readonly<Record<string, number>>>;

  /** Calls back when any replica changed a preview. */
  onChange(listener: (key: string) => void): () => void;
  /** Rejects when the database does not answer. */
  ping(): Promise<void>;
  close(): Promise<void>;
}
