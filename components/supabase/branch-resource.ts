import type { LocalResource } from "../local/resource.ts";
import { branchReady, deleteBranch, detailOf, listBranches, makeBranch, type NewBranch } from "./branches.ts";
import { changePassword, environmentOf, urlOf, withPassword } from "./connection.ts";
import { type Account, connect, type SupabaseOptions } from "./options.ts";

export interface BranchInputs extends NewBranch {
  readonly account: Account;
  readonly connection: SupabaseOptions["connection"];
  /** Raised to have its password made anew. */
  readonly rotation: number;
}

export interface BranchState extends BranchInputs {
  /** Of the branch's own project. */
  readonly ref: string;
  /** Secret. */
  readonly url: string;
  /** Secret: the address and keys of its project, by the names that applications know. */
  readonly environment: Readonly<Record<string, string>>;
}

/** `stackling:local:SupabaseBranch`. Its id is Supabase's own, another one for each life of a name. */
export const branchResource: LocalResource<BranchInputs, BranchState> = {
  type: "stackling:local:SupabaseBranch",

  /** What a new branch would bring, and how large it would be, does not concern one that serves. */
  diff(state, inputs) {
    const replaces = (["project", "name"] as const).filter((key) => state[key] !== inputs[key]);
    const isChanged =
      state.rotation !== inputs.rotation ||
      state.connection !== inputs.connection ||
      state.account.apiUrl !== inputs.account.apiUrl ||
      JSON.stringify(state.account.accessToken) !== JSON.stringify(inputs.account.accessToken);
    return { changes: isChanged || replaces.length > 0, replaces };
  },

  async create({ admit, signal, log: say }, inputs) {
    const api = await connect(inputs.account);
    await admit();
    const made = await makeBranch(api, inputs, Date.now());
    try {
      const detail = await branchReady(api, made, { signal, say });
      const url = await urlOf(api, detail, inputs.connection);
      const environment = await environmentOf(api, detail.ref);
      return { id: made.id, state: { ...inputs, ref: detail.ref, url, environment } };
    } catch (error) {
      // No state knows it. What stays all the same is the next create's, or the sweep's.
      if (!signal.aborted) await deleteBranch(api, inputs.project, made.id).catch(() => undefined);
      throw error;
    }
  },

  async read(_context, id, state) {
    const branches = await listBranches(await connect(state.account), state.project);
    return branches.some((branch) => branch.id === id) ? state : undefined;
  },

  async update({ admit }, id, state, inputs) {
    const api = await connect(inputs.account);
    const detail = await detailOf(api, id);
    const changed = { ...state, ...inputs, ref: state.ref };
    const url = detail ? await urlOf(api, detail, inputs.connection) : state.url;
    if (state.rotation === inputs.rotation) return { ...changed, url };
    await admit();
    return { ...changed, url: withPassword(url, await changePassword(api, state.ref)) };
  },

  async delete(_context, id, { account, project }) {
    await deleteBranch(await connect(account), project, id);
  },
};
