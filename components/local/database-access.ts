/** A preview's own role in a database that others use too: in its schema, in the name of another role, or to read. */
import { randomBytes } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type pg from "pg";
import { ConflictError, StacklingError, TerminalError } from "../errors.ts";
import { type Access, type Grantee, withLock } from "./database-access-kind.ts";
import { type AccessMarker, inDatabase, kindOf, removeAccess } from "./database-access-role.ts";
import { withClient } from "./database-client.ts";
import type { DatabaseMarker } from "./database-names.ts";
import { randomPassword } from "./database-password.ts";
import { untilReplayed } from "./database-replayed.ts";
import {
  adminUrlFor,
  adminUrlOf,
  attempt,
  findRole,
  putMarker,
  putRole,
  roleUrl,
  type ServerReference,
  shutOut,
} from "./database-server.ts";
import type { LocalResource, ResourceContext } from "./resource.ts";
import { ensureSharedDatabase, type SharedDatabase } from "./shared-database.ts";

export interface AccessInputs {
  /** Name of the role, and of its schema; fixed per stack. */
  readonly name: string;
  /** Where the admin URL is; the provider's own server when absent. */
  readonly server?: ServerReference;
  readonly database: SharedDatabase;
  readonly access: Access;
  /** `host:port` where the preview connects, such as a standby; the server's own when absent. */
  readonly at?: string;
  /** Raised to have what is the preview's alone made anew. */
  readonly generation: number;
  /** Sessions the role may have at once. */
  readonly connectionLimit: number;
  /** How long a role that is made here is valid unless it is renewed; absent: until it is removed. */
  readonly validHours?: number;
  /** Others log in in its name: one that is made now does not itself. */
  readonly rotated?: true;
}

export interface AccessState extends AccessInputs {
  /** Secret. */
  readonly url: string;
  /** What tasks are keyed by. */
  readonly identity: string;
  /** Another one whenever the role was made anew. */
  readonly made: string;
}

/**
 * `stackling:local:DatabaseAccess`. Its id is the role's name. `create` finishes what an earlier, killed create
 * began and adopts what it finished; a role or schema of that name that Stackling did not make for this stack is
 * never touched (`TerminalError`, `DatabaseFailed`). The database itself is never dropped.
 */
export const databaseAccessResource: LocalResource<AccessInputs, AccessState> = {
  type: "stackling:local:DatabaseAccess",

  diff(state, inputs) {
    const differs = (input: keyof AccessInputs) => !isDeepStrictEqual(state[input], inputs[input]);
    const replaces = (["name", "server", "database", "access", "generation"] as const).filter(differs);
    const changes = replaces.length > 0 || differs("connectionLimit") || differs("at");
    // The new one bears the old one's name.
    return { changes, replaces, deleteBeforeReplace: true };
  },

  async create(context, inputs) {
    const state = await attempt(`letting the preview into database "${inputs.database.name}"`, () =>
      create(context, inputs),
    );
    return { id: inputs.name, state };
  },

  async read({ settings, stack }, name, state) {
    return attempt(`looking for role "${name}"`, async () => {
      const adminUrl = await adminUrlFor(settings, state.server);
      const identity = await inDatabase(adminUrl, state.database.name, async (client) => {
        const marker = ownMarker(await findRole(client, name), stack, state);
        if (!marker?.complete) return undefined;
        const grantee = granteeOf(stack, state, marker);
        const kind = kindOf(state.access);
        return (await kind.holds(client, grantee, state.access)) ? kind.identity(client, grantee) : undefined;
      });
      if (identity !== state.identity) return undefined;
      // The server may have moved to another port.
      return { ...state, url: urlOf(adminUrl, state, decodeURIComponent(new URL(state.url).password)) };
    });
  },

  async update(context, name, state, inputs) {
    return attempt(`changing role "${name}"`, async () => {
      await context.admit();
      const adminUrl = await adminUrlFor(context.settings, inputs.server);
      await withClient(adminUrl, async (client) => {
        const marker = ownMarker(await findRole(client, name), context.stack, state);
        if (!marker) throw gone(name);
        await putRole(client, { name, exists: true, marker, connectionLimit: inputs.connectionLimit });
      });
      const url = urlOf(adminUrl, inputs, decodeURIComponent(new URL(state.url).password));
      await untilReplayed(context, inputs.at, url);
      return { ...state, ...inputs, at: inputs.at, url };
    });
  },

  async delete(context, name, state) {
    await attempt(`dropping role "${name}"`, async () => {
      const adminUrl = await adminUrlFor(context.settings, state.server);
      const found = await withClient(adminUrl, (client) => findRole(client, name));
      const marker = ownMarker(found, context.stack, state);
      if (found && !marker) return context.log(`role "${name}" was not made by Stackling and is left alone`);
      // What took its place bears its name, and may be there before this one goes.
      if (marker && marker.id !== state.made) return;
      await context.admit();
      await removeAccess(adminUrl, {
        name,
        stack: context.stack,
        access: marker?.access ?? accessMarkerOf(state),
      });
    });
  },
};

async function create(context: ResourceContext, inputs: AccessInputs): Promise<AccessState> {
  const { name } = inputs;
  const adminUrl = await adminUrlFor(context.settings, inputs.server);
  const marker = await withClient(
    adminUrl,
    async (client) => {
      const found = await findRole(client, name);
      if (found && !ownMarker(found, context.stack, inputs)) throw foreign(found.marker, name);
      await context.admit();
      await ensureSharedDatabase(client, adminUrl, inputs.database);
      return found?.marker;
    },
    context.signal,
  );
  const same = marker?.generation === inputs.generation && isDeepStrictEqual(marker.access, accessMarkerOf(inputs));
  if (marker?.access && !same) {
    await context.admit();
    await removeAccess(adminUrl, { name, stack: context.stack, access: marker.access });
  }
  const password = randomPassword();
  const { identity, made } = await admitRole({ context, inputs, adminUrl, password });
  const url = urlOf(adminUrl, inputs, password);
  await untilReplayed(context, inputs.at, url);
  if (inputs.rotated) await withClient(adminUrl, (client) => shutOut(client, name));
  return { ...inputs, url, identity, made };
}

/** Role, grants and mark, in this order: what a killed one leaves is found by its role. */
async function admitRole(task: {
  readonly context: ResourceContext;
  readonly inputs: AccessInputs;
  readonly adminUrl: string;
  readonly password: string;
}): Promise<Pick<AccessState, "identity" | "made">> {
  const { context, inputs, adminUrl, password } = task;
  const { name, generation, connectionLimit, validHours } = inputs;
  const { stack } = context;
  const work = async (client: pg.Client) => {
    const found = await findRole(client, name);
    const fresh = { stack, generation, id: newId(), complete: false, access: accessMarkerOf(inputs) };
    const marker = found?.marker ?? fresh;
    await context.admit();
    const valid = validHours === undefined ? {} : { validHours };
    await putRole(client, { name, exists: found !== undefined, marker, connectionLimit, password, ...valid });
    try {
      const grantee = granteeOf(stack, inputs, marker);
      const kind = kindOf(inputs.access);
      await context.admit();
      await withLock(client, () => kind.grant(client, grantee, inputs.access));
      await putMarker(client, name, { ...marker, complete: true });
      return { identity: await kind.identity(client, grantee), made: marker.id };
    } catch (error) {
      if (!marker.complete) await undo(context, adminUrl, inputs, error);
      throw error;
    }
  };
  return withClient(adminUrlOf(adminUrl, inputs.database.name), work, context.signal);
}

/** Removes what a failed create half made, unless the stack is a later holder's by now. */
async function undo(context: ResourceContext, adminUrl: string, inputs: AccessInputs, error: unknown): Promise<void> {
  if (error instanceof ConflictError) return;
  const { name } = inputs;
  try {
    await context.admit();
    await removeAccess(adminUrl, { name, stack: context.stack, access: accessMarkerOf(inputs) });
  } catch {
    context.log(`role "${name}" was left half made; the next update finishes it`);
  }
}

function granteeOf(stack: string, { name, database }: AccessInputs, marker: DatabaseMarker): Grantee {
  return { name, stack, database: database.name, marker };
}

function accessMarkerOf({ access, database }: AccessInputs): AccessMarker {
  return { kind: access.kind, database: database.name, ...(access.kind === "member" ? { of: access.of } : {}) };
}

/** Of this stack, and for this: a role of another strategy has other things to its name. */
function ownMarker(
  found: { readonly marker: DatabaseMarker | undefined } | undefined,
  stack: string,
  inputs: AccessInputs,
): DatabaseMarker | undefined {
  const { kind, database } = accessMarkerOf(inputs);
  const marker = found?.marker;
  const same = marker?.stack === stack && marker.access?.kind === kind && marker.access.database === database;
  return same ? marker : undefined;
}

function urlOf(adminUrl: string, { name, database, at }: AccessInputs, password: string): string {
  const url = new URL(roleUrl(adminUrl, { name, password }, database.name));
  if (at !== undefined) url.host = at;
  return url.href;
}

function foreign(marker: DatabaseMarker | undefined, name: string): TerminalError {
  const whose = marker
    ? `belongs to preview "${marker.stack}" by another strategy or in another database`
    : "was not made by Stackling";
  return new TerminalError({
    reason: "DatabaseFailed",
    userMessage: `creating role "${name}": the server has a role of that name already that ${whose}; rename or drop it`,
  });
}

function gone(name: string): StacklingError {
  return new StacklingError({ reason: "DatabaseFailed", userMessage: `role "${name}" was dropped meanwhile` });
}

function newId(): string {
  return randomBytes(6).toString("hex");
}
