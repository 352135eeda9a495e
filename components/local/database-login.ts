/**
 * Who logs in to a preview's database. At first the role that owns what it makes; after each rotation another one in
 * that role's name, so that what ran with the login before works until it was replaced.
 */
import { createHash, randomBytes } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import pg from "pg";
import { StacklingError, TerminalError } from "../errors.ts";
import { type Access, beginWith, roleExists, withLock } from "./database-access-kind.ts";
import { inDatabase, kindOf } from "./database-access-role.ts";
import { withClient } from "./database-client.ts";
import type { DatabaseMarker } from "./database-names.ts";
import { randomPassword, scramVerifier } from "./database-password.ts";
import { untilReplayed } from "./database-replayed.ts";
import {
  adminUrlFor,
  attempt,
  dropRole,
  findRole,
  putMarker,
  putRole,
  roleUrl,
  type ServerReference,
  shutOut,
} from "./database-server.ts";
import type { LocalResource, ResourceContext } from "./resource.ts";

export interface LoginInputs {
  /** The preview's role: what is made belongs to it, or to whose it is a member, whoever of its logins makes it. */
  readonly role: string;
  /** Where the admin URL is; the provider's own server when absent. */
  readonly server?: ServerReference;
  readonly database: string;
  /** In a database of many: what the role may do there. */
  readonly access?: Access;
  /** `host:port` where the preview connects; the server's own when absent. */
  readonly at?: string;
  /** Secret. By which the role itself logs in, before the first rotation. */
  readonly base: string;
  /** Of what the role was let in to: with another, the login is another. */
  readonly identity: string;
  readonly rotation: number;
  /** Sessions that one login may have at once. */
  readonly connectionLimit: number;
  /** How long a login that is made here is valid unless it is renewed; absent: until it is removed. */
  readonly validHours?: number;
}

export interface LoginState extends LoginInputs {
  readonly login: string;
  /** Secret. */
  readonly url: string;
  /** Another one for every create, also of the same name. */
  readonly made: string;
}

const id = pg.escapeIdentifier;
const MAX_BYTES = 63;

/**
 * `stackling:local:DatabaseLogin`. Its id is the login's name. A rotation makes the new one first: the engine
 * deletes the one before it once all that used it was replaced, and its sessions end then.
 */
export const databaseLoginResource: LocalResource<LoginInputs, LoginState> = {
  type: "stackling:local:DatabaseLogin",

  diff(state, inputs) {
    const differs = (input: keyof LoginInputs) => !isDeepStrictEqual(state[input], inputs[input]);
    const replaces = (["role", "server", "database", "access", "identity", "rotation"] as const).filter(differs);
    const changes = replaces.length > 0 || differs("base") || differs("at") || differs("connectionLimit");
    return { changes, replaces };
  },

  async create(context, inputs) {
    const login = loginName(inputs);
    const state = await attempt(`creating login "${login}"`, async () => {
      const adminUrl = await adminUrlFor(context.settings, inputs.server);
      const made =
        inputs.rotation === 0
          ? await admitRole(context, adminUrl, inputs)
          : await createLogin(context, adminUrl, inputs, login);
      if (inputs.rotation > 0) await untilReplayed(context, inputs.at, made.url);
      return { ...inputs, ...made, login };
    });
    return { id: login, state };
  },

  async read({ settings, stack }, login, state) {
    return attempt(`looking for login "${login}"`, async () => {
      const adminUrl = await adminUrlFor(settings, state.server);
      const found = await withClient(adminUrl, async (client) => {
        const marker = (await findRole(client, login))?.marker;
        return marker?.stack === stack && madeOf(marker) === state.made && (await mayLogIn(client, login));
      });
      if (!found) return undefined;
      // The server may have moved to another port.
      const base = urlOf(adminUrl, state, state.role, passwordOf(state.base));
      return { ...state, base, url: urlOf(adminUrl, state, login, passwordOf(state.url)) };
    });
  },

  async update(context, login, state, inputs) {
    return attempt(`changing login "${login}"`, async () => {
      const adminUrl = await adminUrlFor(context.settings, inputs.server);
      if (inputs.rotation === 0) return { ...state, ...inputs, at: inputs.at, url: inputs.base };
      await context.admit();
      await withClient(adminUrl, async (client) => {
        if (madeOf((await findRole(client, login))?.marker) !== state.made) throw gone(login);
        await client.query(`ALTER ROLE ${id(login)} CONNECTION LIMIT ${inputs.connectionLimit}`);
      });
      const url = urlOf(adminUrl, inputs, login, passwordOf(state.url));
      await untilReplayed(context, inputs.at, url);
      return { ...state, ...inputs, at: inputs.at, url };
    });
  },

  async delete(context, login, state) {
    await attempt(`revoking login "${login}"`, async () => {
      const adminUrl = await adminUrlFor(context.settings, state.server);
      const marker = (await withClient(adminUrl, (client) => findRole(client, login)))?.marker;
      // What took its place bears its name, and may be there before this one goes.
      if (marker?.stack !== context.stack || madeOf(marker) !== state.made) return;
      await context.admit();
      await withClient(adminUrl, (client) => shutOut(client, login));
      if (login !== state.role) await removeLogin(adminUrl, state);
    });
  },
};

/** The role itself logs in, with the password it was made with. */
async function admitRole(context: ResourceContext, adminUrl: string, { role, base }: LoginInputs) {
  return withClient(adminUrl, async (client) => {
    const { marker } = await ownRole(client, context.stack, role);
    const made = newId();
    await context.admit();
    await putMarker(client, role, { ...marker, entry: made });
    if (!(await mayLogIn(client, role))) {
      const verifier = pg.escapeLiteral(scramVerifier(passwordOf(base)));
      await client.query(`ALTER ROLE ${id(role)} LOGIN PASSWORD ${verifier}`);
    }
    return { url: base, made };
  });
}

async function createLogin(context: ResourceContext, adminUrl: string, inputs: LoginInputs, login: string) {
  const { role, connectionLimit, validHours } = inputs;
  const password = randomPassword();
  const made = newId();
  await withClient(
    adminUrl,
    async (client) => {
      const { marker: owner } = await ownRole(client, context.stack, role);
      const found = await findRole(client, login);
      if (found && !(found.marker?.stack === context.stack && found.marker.login === role)) throw foreign(login);
      const { access } = owner;
      const { stack } = context;
      const marker = { stack, generation: 0, id: made, complete: true, login: role, ...(access ? { access } : {}) };
      await context.admit();
      await putRole(client, {
        ...{ name: login, exists: found !== undefined, marker, connectionLimit, password },
        ...(validHours === undefined ? {} : { validHours }),
        further: [`GRANT ${id(role)} TO ${id(login)}`, ...sessionsOf(inputs, login)],
      });
    },
    context.signal,
  );
  return { url: urlOf(adminUrl, inputs, login, password), made };
}

/** What a role's sessions begin with is not its members': a login gets the same, as it was declared. */
function sessionsOf({ role, database, access }: LoginInputs, login: string): readonly string[] {
  const settings = { role: id(role), ...(access ? kindOf(access).session({ name: role }, access) : {}) };
  return beginWith(login, database, settings);
}

async function removeLogin(adminUrl: string, { role, database, login }: LoginState): Promise<void> {
  // A session may put the role off, and own what it makes then.
  await inDatabase(adminUrl, database, (client) =>
    withLock(client, async () => {
      if (await roleExists(client, role)) await client.query(`REASSIGN OWNED BY ${id(login)} TO ${id(role)}`);
      await client.query(`DROP OWNED BY ${id(login)}`);
    }),
  );
  await withClient(adminUrl, (client) => dropRole(client, login));
}

async function ownRole(client: pg.Client, stack: string, role: string): Promise<{ readonly marker: DatabaseMarker }> {
  const marker = (await findRole(client, role))?.marker;
  if (marker?.stack !== stack) throw gone(role);
  return { marker };
}

/** The role itself is older than its being let in. */
function madeOf(marker: DatabaseMarker | undefined): string | undefined {
  return marker?.login === undefined ? marker?.entry : marker.id;
}

async function mayLogIn(client: pg.Client, name: string): Promise<boolean> {
  const { rows } = await client.query<{ may: boolean }>("SELECT rolcanlogin AS may FROM pg_roles WHERE rolname = $1", [
    name,
  ]);
  return rows[0]?.may ?? false;
}

/** The dot keeps it apart from every stack's role. */
function loginName({ role, rotation }: LoginInputs): string {
  if (rotation === 0) return role;
  const suffix = `.${rotation}`;
  if (role.length + suffix.length <= MAX_BYTES) return role + suffix;
  const hash = createHash("sha256").update(role).digest("hex").slice(0, 8);
  return `${role.slice(0, MAX_BYTES - suffix.length - hash.length - 1)}_${hash}${suffix}`;
}

function urlOf(adminUrl: string, { database, at }: LoginInputs, name: string, password: string): string {
  const url = new URL(roleUrl(adminUrl, { name, password }, database));
  if (at !== undefined) url.host = at;
  return url.href;
}

function passwordOf(url: string): string {
  return decodeURIComponent(new URL(url).password);
}

function foreign(login: string): TerminalError {
  return new TerminalError({
    reason: "DatabaseFailed",
    userMessage: `creating login "${login}": the server has a role of that name already that was not made by Stackling for this preview; rename or drop it`,
  });
}

function gone(name: string): StacklingError {
  return new StacklingError({ reason: "DatabaseFailed", userMessage: `role "${name}" was dropped meanwhile` });
}

function newId(): string {
  return randomBytes(6).toString("hex");
}
