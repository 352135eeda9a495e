/** Looks for what a destroyed preview may have left in the world: the receipt's proof. */
import { StacklingError } from "../components/errors.ts";
import type { Stacks } from "../infra/stacks.ts";
import type { Preview, Receipt } from "./status.ts";
import type { World } from "./world.ts";

export interface ProofDeps {
  readonly stacks: Pick<Stacks, "remains">;
  readonly world: Pick<World, "configured" | "owned" | "kinds" | "remove">;
}

/**
 * Everything that bears the stack's name is looked for again, on every target it was ever built on and on
 * no other, whose cluster may be away; what no state knew of (a create killed
 * half way) is removed and looked for once more. Throws `StacklingError` (`DestroyFailed`) naming what
 * is still there.
 */
export async function proveGone({ stacks, world }: ProofDeps, preview: Preview): Promise<Receipt["proof"]> {
  const { builtOn, live } = preview.status;
  const targets = builtOn ?? [...world.configured, ...(live ? [live.target] : [])];
  let owned = await world.owned(preview.stack, targets);
  if (owned.length > 0) {
    await world.remove(owned, targets);
    owned = await world.owned(preview.stack, targets);
  }
  const remains = await stacks.remains(preview.stack);
  const left = [...owned.map((thing) => `${thing.kind} "${thing.id}"`), ...remains.map((file) => `state "${file}"`)];
  if (left.length > 0) {
    throw new StacklingError({
      reason: "DestroyFailed",
      userMessage: `destroying "${preview.key}": ${left.length} left behind: ${left.slice(0, 5).join(", ")}`,
    });
  }
  return [...(await world.kinds(targets)), "stack"].map((what) => ({ what, found: 0 }));
}
