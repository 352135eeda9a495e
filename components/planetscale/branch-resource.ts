import type { LocalResource } from "../local/resource.ts";
import { branchReady, deleteBranch, findBranch, makeBranch, type NewBranch } from "./branches.ts";
import { type Account, connect } from "./options.ts";

export interface BranchInputs extends NewBranch {
  readonly account: Account;
}

/** `stackling:local:PlanetscaleBranch`. Its id is PlanetScale's own, another one for each life of a name. */
export const branchResource: LocalResource<BranchInputs, BranchInputs> = {
  type: "stackling:local:PlanetscaleBranch",

  /** What a new branch would start from does not concern one that serves. */
  diff(state, inputs) {
    const replaces = state.name === inputs.name && isSamePlace(state.account, inputs.account) ? [] : ["name"];
    return { changes: replaces.length > 0 || isOtherAccess(state.account, inputs.account), replaces };
  },

  async create({ admit, signal, log: say }, inputs) {
    const api = await connect(inputs.account);
    await admit();
    const made = await makeBranch(api, inputs, Date.now());
    try {
      await branchReady(api, made.name, { signal, say });
    } catch (error) {
      // No state knows it. What stays all the same is the next create's, or the sweep's.
      if (!signal.aborted) await deleteBranch(api, made).catch(() => undefined);
      throw error;
    }
    return { id: made.id, state: inputs };
  },

  async read(_context, id, state) {
    const found = await findBranch(await connect(state.account), state.name);
    return found?.id === id ? state : undefined;
  },

  update: async (_context, _id, state, { account }) => ({ ...state, account }),

  async delete(_context, id, { account, name }) {
    await deleteBranch(await connect(account), { id, name });
  },
};

/** The organization's database: another one is another place. */
export function isSamePlace(one: Account, other: Account): boolean {
  return one.organization === other.organization && one.database === other.database;
}

/** Where credentials lie is kept as it is now, for a delete reads it from the state. */
export function isOtherAccess(one: Account, other: Account): boolean {
  return JSON.stringify(inOrder(one)) !== JSON.stringify(inOrder(other));
}

/** The engine keeps an object's keys in an order of its own. */
function inOrder({ serviceTokenId, serviceToken, apiUrl }: Account): unknown {
  const entries = [...Object.entries(serviceTokenId), ...Object.entries(serviceToken)];
  return [entries, apiUrl];
}
