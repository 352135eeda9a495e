/** Finds what no preview owns any more and removes it: what is surely over by itself, the rest on a person's word. */
import { setTimeout as pause } from "node:timers/promises";
import { ConflictError, StacklingError } from "../../components/errors.ts";
import { parseKey, stackName } from "../../infra/names.ts";
import type { Stacks } from "../../infra/stacks.ts";
import { type AdoptDeps, adopt } from "../adopt.ts";
import { wordsOf } from "../policy.ts";
import type { Store } from "../store/store.ts";
import type { World } from "../world.ts";
import { type FindDeps, findStrays } from "./find.ts";
import type { Stray, SweepReport } from "./report.ts";

export interface SweepDeps extends FindDeps, AdoptDeps {
  readonly world: Pick<World, "configured" | "owned" | "remove">;
  readonly stacks: Pick<Stacks, "list" | "outputs" | "destroy" | "remains" | "leftovers">;
  readonly store: Pick<
    Store,
    "list" | "find" | "findByStack" | "create" | "update" | "enqueue" | "acquireLease" | "addSweep"
  >;
  readonly now: () => string;
  /** Aborts when this process is about to end: what is not removed yet is found by the next sweep. */
  readonly stopping?: AbortSignal;
  /** How long a usual destroy is waited for. */
  readonly destroyWithinMs?: number;
  /** Told of each one that came to its end. Never throws. */
  readonly onSwept?: (report: SweepReport) => void;
}

export interface SweepWish {
  /** Names what it would remove and removes nothing. */
  readonly dryRun: boolean;
  /** Stores the report of a dry run too. */
  readonly keep?: boolean;
  /** Removes what only a person may let go: all of it but previews, or exactly these keys and stacks. */
  readonly confirm?: true | readonly string[];
}

const DESTROY_WITHIN_MS = 120_000;
const LOOK_EVERY_MS = 500;

/** Resolves with the report, which is stored unless it was but a dry run; rejects when the store is away. */
export function createSweep(deps: SweepDeps): (wish: SweepWish) => Promise<SweepReport> {
  return async ({ dryRun, confirm, keep = !dryRun }) => {
    const at = deps.now();
    const { strays, unread } = await findStrays(deps);
    const removed: string[] = [];
    const failed: { stack: string; message: string }[] = [];
    for (const stray of dryRun ? [] : strays) {
      if (deps.stopping?.aborted) break;
      if (stray.needsConfirmation && !isConfirmed(stray, confirm)) continue;
      try {
        await removeStray(deps, stray);
        removed.push(stray.stack);
      } catch (error) {
        if (error instanceof StacklingError && error.reason === "StoreUnavailable") throw error;
        failed.push({ stack: stray.stack, message: wordsOf(error, `removing "${stray.stack}"`) });
      }
    }
    const report = { at, dryRun, found: strays, removed, failed, unread };
    if (keep) await deps.store.addSweep(report);
    deps.onSwept?.(report);
    return report;
  };
}

/** A whole preview is named by who lets it go: an outage makes all of a forge look alike. */
function isConfirmed({ stack, key, hasStack }: Stray, confirm: SweepWish["confirm"]): boolean {
  if (confirm === undefined) return false;
  if (confirm === true) return !hasStack;
  return confirm.includes(stack) || (key !== undefined && confirm.includes(key));
}

async function removeStray(deps: SweepDeps, stray: Stray): Promise<void> {
  if (stray.hasStack && canBePreview(stray)) await destroyAsPreview(deps, stray);
  else await removeUnderLease(deps, stray);
}

function canBePreview({ key, stack }: Stray): boolean {
  const parsed = key === undefined ? undefined : parseKey(key);
  return parsed !== undefined && stackName(parsed) === stack;
}

/** Adopted and taken down, as a person's `down` would: with its proof, its receipt and its history. */
async function destroyAsPreview(deps: SweepDeps, { key = "", stack }: Stray): Promise<void> {
  const { store } = deps;
  const removed = { at: deps.now(), by: "sweep" };
  const draft = (await store.find(key)) ? undefined : await adopt(deps, key, deps.now());
  if (draft) await store.create(draft);
  await store.update(key, ({ intents, status }) => ({
    intents: { ...intents, removed },
    ...(status.stackExists ? {} : { status: { ...status, stackExists: true, interrupted: true, goneAt: undefined } }),
  }));
  await store.enqueue([key]);
  const deadline = performance.now() + (deps.destroyWithinMs ?? DESTROY_WITHIN_MS);
  for (;;) {
    const status = (await store.find(key))?.status;
    if (status?.goneAt) return;
    if (status?.reason === "DestroyFailed" || performance.now() > deadline) {
      const userMessage = `destroying "${stack}": ${status?.message ?? ""} It is tried again by itself.`;
      throw new StacklingError({ reason: "DestroyFailed", userMessage });
    }
    await pause(LOOK_EVERY_MS, undefined, { signal: deps.stopping });
  }
}

/** Nobody builds under its name while the lease is held, and nothing is touched that became a preview meanwhile. */
async function removeUnderLease(deps: SweepDeps, { stack, hasStack }: Stray): Promise<void> {
  const lease = await deps.store.acquireLease(stack);
  if (!lease)
    throw new ConflictError({ reason: "StackLocked", userMessage: `removing "${stack}": it is worked on now` });
  try {
    const preview = await deps.store.findByStack(stack);
    if (preview && !preview.status.goneAt) {
      const userMessage = `removing "${stack}": it belongs to preview "${preview.key}" by now`;
      throw new ConflictError({ reason: "StackLocked", userMessage });
    }
    if (hasStack || (await deps.stacks.remains(stack)).length > 0) await deps.stacks.destroy({ stack, lease });
    await removeThings(deps, stack);
  } finally {
    await lease.release();
  }
}

async function removeThings({ world, stacks }: SweepDeps, stack: string): Promise<void> {
  const left: string[] = [];
  for (const target of world.configured) {
    const owned = await world.owned(stack, [target]);
    if (owned.length === 0) continue;
    await world.remove(owned, [target]);
    left.push(...(await world.owned(stack, [target])).map(({ kind, id }) => `${kind} "${id}"`));
  }
  left.push(...(await stacks.remains(stack)).map((file) => `state "${file}"`));
  if (left.length === 0) return;
  const userMessage = `removing "${stack}": ${left.length} left behind: ${left.slice(0, 5).join(", ")}`;
  throw new StacklingError({ reason: "DestroyFailed", userMessage });
}
