import { StacklingError } from "../errors.ts";
import type { LocalResource } from "../local/resource.ts";
import { isOtherAccess } from "./masked-branch-resource.ts";
import { type Account, connect } from "./options.ts";

export interface PasswordInputs {
  readonly account: Account;
  readonly branchId: string;
  readonly role: string;
  /** Raised to have it made anew once more. */
  readonly rotation: number;
}

export interface PasswordState extends PasswordInputs {
  /** Secret. */
  readonly password: string;
}

/**
 * `stackling:local:NeonPassword`: the password that a role of a branch has since a rotation. Neon keeps one for a
 * role: the old one opens no new session from then on, and those that are open stay.
 */
export const passwordResource: LocalResource<PasswordInputs, PasswordState> = {
  type: "stackling:local:NeonPassword",

  diff(state, inputs) {
    const replaces = (["branchId", "role", "rotation"] as const).filter((key) => state[key] !== inputs[key]);
    return { changes: replaces.length > 0 || isOtherAccess(state.account, inputs.account), replaces };
  },

  async create({ admit }, inputs) {
    const { account, branchId, role, rotation } = inputs;
    const neon = await connect(account);
    await admit();
    const action = `setting a password for role "${role}"`;
    const reset = await neon.ask(action, (api, project) => api.resetProjectBranchRolePassword(project, branchId, role));
    const password = reset?.role.password;
    if (password === undefined) {
      const why = reset ? "Neon did not tell it" : `branch "${branchId}" has no such role`;
      throw new StacklingError({ reason: "DatabaseFailed", userMessage: `${action}: ${why}` });
    }
    return { id: `${branchId}/${role}/${rotation}`, state: { ...inputs, password } };
  },

  read: async (_context, _id, state) => state,

  update: async (_context, _id, state, { account }) => ({ ...state, account }),

  async delete() {
    // It goes with its role, or has made room for another.
  },
};
