import type { LocalResource } from "../local/resource.ts";
import { isOtherAccess, isSamePlace } from "./branch-resource.ts";
import { type Account, connect } from "./options.ts";
import { deletePassword, findPassword, makePassword, type NewPassword } from "./passwords.ts";

export interface PasswordInputs extends NewPassword {
  readonly account: Account;
  /** Behind `?` in the URL. */
  readonly urlParameters: string;
}

export interface PasswordState extends PasswordInputs {
  /** Secret. */
  readonly url: string;
}

/**
 * `stackling:local:PlanetscalePassword`. PlanetScale tells it once and the stack's encrypted state is its only
 * place; it ends after a day unless somebody renews it, and one that ended is made anew by the next update.
 */
export const passwordResource: LocalResource<PasswordInputs, PasswordState> = {
  type: "stackling:local:PlanetscalePassword",

  diff(state, inputs) {
    const replaces: string[] = (["branch", "name", "role"] as const).filter((key) => state[key] !== inputs[key]);
    // A branch of another database bears the same name.
    if (!isSamePlace(state.account, inputs.account)) replaces.push("account");
    const isChanged = state.urlParameters !== inputs.urlParameters || isOtherAccess(state.account, inputs.account);
    return { changes: replaces.length > 0 || isChanged, replaces };
  },

  async create({ admit }, inputs) {
    const { account, branch, name, role, urlParameters } = inputs;
    const api = await connect(account);
    await admit();
    const login = await makePassword(api, { branch, name, role });
    return { id: login.id, state: { ...inputs, url: connectionUrl(login, account.database, urlParameters) } };
  },

  async lives(id, { account, branch }) {
    return (await findPassword(await connect(account), branch, id)) !== undefined;
  },

  async read(_context, id, state) {
    return (await findPassword(await connect(state.account), state.branch, id)) && state;
  },

  async update(_context, _id, state, { account, urlParameters }) {
    const [bare = ""] = state.url.split("?");
    return { ...state, account, urlParameters, url: bare + searchOf(urlParameters) };
  },

  async delete(_context, id, { account, branch }) {
    await deletePassword(await connect(account), branch, id);
  },
};

interface Credentials {
  readonly username: string;
  readonly word: string;
  readonly host: string;
}

/** PlanetScale docs, "Connection strings": port 3306, TLS always. */
export function connectionUrl({ username, word, host }: Credentials, database: string, parameters: string): string {
  const [user, password, name] = [username, word, database].map(encodeURIComponent);
  return `mysql://${user}:${password}@${host}:3306/${name}${searchOf(parameters)}`;
}

function searchOf(parameters: string): string {
  return parameters === "" ? "" : `?${encodeURI(parameters)}`;
}
