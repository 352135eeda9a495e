/** Compares one preview's stack with the world, and remembers what differed. */
import { ConflictError, StacklingError, TerminalError } from "../../components/errors.ts";
import { redact } from "../../components/local/redact.ts";
import { canonical } from "../../infra/canonical.ts";
import type { Difference, DriftReport, Stacks } from "../../infra/stacks.ts";
import type { DriftSeen, Preview, PreviewStatus } from "../status.ts";
import type { HeldLease } from "../store/lease.ts";
import type { HistoryEntry, Store } from "../store/store.ts";
import type { World } from "../world.ts";
import { driftWords } from "./words.ts";

export interface CompareDeps {
  readonly store: Pick<Store, "find" | "update" | "updateAndNote" | "acquireLease">;
  readonly stacks: Pick<Stacks, "outputs" | "drift">;
  readonly world: Pick<World, "changed">;
  readonly now: () => string;
}

/** See `createCompare`. */
export type Compare = (key: string, how?: { readonly interrupt?: AbortSignal }) => Promise<DriftReport>;

const KEPT = 20;

/**
 * Looks under the stack's lease and changes nothing but the record: what differs, since when, or that it
 * could not be read, which is not "nothing differs". A look that was broken off (`interrupt`, a lost lease)
 * leaves no trace. Throws `ConflictError` while an engine runs on the stack, `TerminalError`
 * (`NoSuchPreview`) for an unknown key.
 */
export function createCompare(deps: CompareDeps): Compare {
  return async (key, { interrupt } = {}) => {
    const lease = await leaseOf(deps.store, key, "comparing it with the world");
    try {
      // Read behind the lease: what serves may be another spec than before it.
      const preview = await deps.store.find(key);
      if (!preview) throw noSuchPreview(key);
      const report = { differences: await differencesOf(deps, preview, lease, interrupt) };
      await remember(deps, key, report);
      return report;
    } catch (error) {
      if (!isBrokenOff(error, lease, interrupt)) await rememberUnread(deps, key, error);
      throw error;
    } finally {
      await lease.release();
    }
  };
}

/** Held by whoever runs an engine that is no reconcile's. Throws `ConflictError` (`StackLocked`) while one runs. */
export async function leaseOf(
  store: Pick<Store, "find" | "acquireLease">,
  key: string,
  doing: string,
): Promise<HeldLease> {
  const preview = await store.find(key);
  if (!preview) throw noSuchPreview(key);
  const lease = await store.acquireLease(preview.stack);
  if (lease) return lease;
  throw new ConflictError({ reason: "StackLocked", userMessage: `"${key}": ${doing}: an engine runs on it now` });
}

export function noSuchPreview(key: string): TerminalError {
  return new TerminalError({ reason: "NoSuchPreview", userMessage: `there is no preview "${key}"` });
}

async function differencesOf(
  deps: CompareDeps,
  preview: Preview,
  lease: HeldLease,
  interrupt: AbortSignal | undefined,
): Promise<readonly Difference[]> {
  const missing = await missingStack(deps, preview);
  if (missing) return [missing];
  const { differences } = await deps.stacks.drift({ stack: lease.stack, lease, ...(interrupt ? { interrupt } : {}) });
  return Promise.all(differences.map((found) => withChange(deps, preview, found)));
}

/** With who made it and when, where the cloud tells. */
async function withChange(
  { world }: CompareDeps,
  { stack, status: { live } }: Preview,
  found: Difference,
): Promise<Difference> {
  if (!live || found.id === undefined) return found;
  const change = await world.changed(live.target, stack, { type: found.type, id: found.id });
  if (!change) return found;
  const [by, at] = [change.by ? ` by ${change.by}` : "", change.at ? ` at ${change.at}` : ""];
  return { ...found, change, message: `${found.message}${by}${at}` };
}

/** A person may have destroyed it with the CLI: its empty state agrees with a world that holds nothing. */
async function missingStack({ stacks }: CompareDeps, { stack, status }: Preview): Promise<Difference | undefined> {
  if (!status.live || Object.keys((await stacks.outputs(stack)) ?? {}).length > 0) return undefined;
  return { urn: "", type: "pulumi:pulumi:Stack", name: stack, kind: "missing", message: `stack "${stack}" is empty` };
}

async function remember({ store, now }: CompareDeps, key: string, { differences }: DriftReport): Promise<void> {
  const at = now();
  const kept = differences.slice(0, KEPT).map(({ type, name, kind, message, change }) => ({
    type,
    name,
    kind,
    message: redact(message),
    ...(change ? { change } : {}),
  }));
  await store.updateAndNote(key, ({ status }) => {
    const since = kept.length > 0 ? { since: status.drift?.since ?? at } : {};
    const drift = { at, differences: kept, ...since };
    return { fields: { status: { ...status, drift } }, history: newsOf(kept, status, at) };
  });
}

/** Nothing when it is as the last look found it. */
function newsOf(
  differences: DriftSeen["differences"],
  { drift, live }: PreviewStatus,
  at: string,
): readonly Omit<HistoryEntry, "key">[] {
  if (canonical(differences) === canonical(drift?.differences ?? [])) return [];
  const words =
    differences.length > 0
      ? { reason: "Drifted", message: driftWords(differences) }
      : { reason: "DriftEnded", message: "All is as it should be again." };
  return [{ at, headSha: live?.source.commit, ...words }];
}

async function rememberUnread({ store, now }: CompareDeps, key: string, error: unknown): Promise<void> {
  if (error instanceof StacklingError && error.reason === "StoreUnavailable") return;
  const message = error instanceof StacklingError ? redact(error.userMessage) : "the log of the service says why";
  await store.update(key, ({ status }) => ({
    status: { ...status, drift: { differences: [], ...status.drift, unread: { at: now(), message } } },
  }));
}

function isBrokenOff(error: unknown, { lost }: HeldLease, interrupt: AbortSignal | undefined): boolean {
  return lost.aborted || interrupt?.aborted === true || (error instanceof StacklingError && error.reason === "Closing");
}
