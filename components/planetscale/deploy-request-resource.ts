import { StacklingError } from "../errors.ts";
import type { LocalResource, ResourceContext } from "../local/resource.ts";
import { isOtherAccess } from "./branch-resource.ts";
import { closeProposals, propose } from "./deploy-requests.ts";
import { type Account, connect } from "./options.ts";

export interface DeployRequestInputs {
  readonly account: Account;
  readonly branch: string;
  readonly into: string;
  /** Changes with whatever the database may have been migrated for: then it is looked whether there is one to open. */
  readonly version: string;
}

export interface DeployRequestState extends DeployRequestInputs {
  /** Absent while there is nothing to deploy, or PlanetScale refuses it. */
  readonly number?: number;
}

/** `stackling:local:PlanetscaleDeployRequest`. A preview that serves does not fail because PlanetScale takes none. */
export const deployRequestResource: LocalResource<DeployRequestInputs, DeployRequestState> = {
  type: "stackling:local:PlanetscaleDeployRequest",

  diff(state, inputs) {
    const replaces = (["branch", "into"] as const).filter((key) => state[key] !== inputs[key]);
    const isAsked = state.version !== inputs.version || isOtherAccess(state.account, inputs.account);
    return { changes: isAsked || replaces.length > 0, replaces };
  },

  create: async (context, inputs) => ({ id: inputs.branch, state: await look(context, inputs) }),

  read: async (_context, _id, state) => state,

  update: (context, _id, _state, inputs) => look(context, inputs),

  async delete(_context, _id, { account, branch }) {
    await closeProposals(await connect(account), branch);
  },
};

async function look(
  { admit, log, stack }: ResourceContext,
  { account, branch, into, version }: DeployRequestInputs,
): Promise<DeployRequestState> {
  const wish = { account, branch, into, version };
  const api = await connect(account);
  await admit();
  try {
    const found = await propose(api, { branch, into, notes: `Opened by Stackling for its preview ${stack}.` });
    if (!found) return wish;
    log(`deploy request ${found.number} into "${into}": ${found.html_url ?? "open"}`);
    return { ...wish, number: found.number };
  } catch (error) {
    if (!(error instanceof StacklingError) || error.reason === "TargetUnreachable") throw error;
    log(error.userMessage);
    return wish;
  }
}
