/** Compares one preview's stack with the world, and remembers what differed. */
import { ConflictError, StacklingError, TerminalError } from "../../components/errors.ts";
import { redact } from "../../components/local/redact.ts";
import { canonical } from "../../infra/canonical.ts";
import type { Difference, DriftReport, Stacks } from "../../infra/stacks.ts";
import type { DriftSeen, Preview } from "../status.ts";
import type { HeldLease } from "../store/lease.ts";
import type { Store } from "../store/store.ts";
import type { World } from "../world.ts";
import { driftWords } from "./words.ts";

export interface CompareDeps {
  readonly store: Pick<Store, "find" | "update" | "record" | "acquireLease">;
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
  let before: DriftSeen | undefined;
  const updated = await store.update(key, ({ status }) => {
    before = status.drift;
    const since = kept.length > 0 ? { since: before?.since ?? at } : {};
    return { status: { ...status, drift: { at, differences: kept, ...since } } };
  });
  const isNews = updated && canonical(kept) !== canonical(before?.differences ?? []);
  if (isNews && kept.length > 0) await note(store, updated, { at, reason: "Drifted", message: driftWords(kept) });
  else if (isNews) await note(store, updated, { at, reason: "DriftEnded", message: "All is as it should be again." });
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

async function note(
  store: Pick<Store, "record">,
  { key, status }: Preview,
  entry: { readonly at: string; readonly reason: string; readonly message: string },
): Promise<void> {
  const headSha = status.live?.source.commit;
  await store.record({ key, ...entry, ...(headSha === undefined ? {} : { headSha }) });
}
