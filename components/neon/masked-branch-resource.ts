import type { LocalResource } from "../local/resource.ts";
import { deleteBranch } from "./branches.ts";
import { hostOf, type MaskedBranch, makeMasked, resize } from "./masked-branches.ts";
import { type Account, connect } from "./options.ts";

export interface MaskedBranchInputs extends MaskedBranch {
  readonly account: Account;
}

export interface MaskedBranchState extends MaskedBranchInputs {
  /** Of its compute endpoint. */
  readonly host: string;
}

/** `stackling:local:NeonMaskedBranch`: what the Pulumi provider cannot make. Its id is Neon's own. */
export const maskedBranchResource: LocalResource<MaskedBranchInputs, MaskedBranchState> = {
  type: "stackling:local:NeonMaskedBranch",

  /** Neither other rules nor another parent concern a branch that serves. */
  diff(state, inputs) {
    const isMoved = state.name !== inputs.name || state.account.project !== inputs.account.project;
    const isChanged = isResized(state, inputs) || isOtherAccess(state.account, inputs.account);
    return { changes: isMoved || isChanged, replaces: isMoved ? ["name"] : [] };
  },

  async create({ admit, signal, log: say }, inputs) {
    const neon = await connect(inputs.account);
    await admit();
    const id = await makeMasked(neon, inputs, { signal, say });
    return { id, state: { ...inputs, host: await hostOf(neon, id) } };
  },

  async read(_context, id, state) {
    const found = await (await connect(state.account)).ask(`looking for branch "${state.name}"`, (api, project) =>
      api.getProjectBranch(project, id),
    );
    return found && state;
  },

  async update({ admit }, id, state, inputs) {
    await admit();
    if (isResized(state, inputs)) await resize(await connect(inputs.account), id, inputs.compute);
    return { ...state, account: inputs.account, compute: inputs.compute };
  },

  async delete(_context, id, { account, name }) {
    await deleteBranch(await connect(account), { id, name });
  },
};

function isResized({ compute: one }: MaskedBranchInputs, { compute: other }: MaskedBranchInputs): boolean {
  return (["minComputeUnits", "maxComputeUnits", "suspendTimeoutSeconds"] as const).some(
    (key) => one[key] !== other[key],
  );
}

/** Where the key lies is kept as it is now, for a delete reads it from the state. */
export function isOtherAccess(one: Account, other: Account): boolean {
  return one.apiUrl !== other.apiUrl || JSON.stringify(one.apiKey) !== JSON.stringify(other.apiKey);
}
