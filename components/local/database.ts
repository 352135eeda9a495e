/** A preview's own database: a copy of its baseline, with a role that can log in to nothing else. */
import { randomBytes } from "node:crypto";
import pg from "pg";
import { ConflictError, StacklingError, TerminalError } from "../errors.ts";
import { withClient } from "./database-client.ts";
import { cloneDatabase } from "./database-clone.ts";
import { baselineDatabaseName, type DatabaseMarker } from "./database-names.ts";
import { randomPassword } from "./database-password.ts";
import {
  adminUrlFor,
  adminUrlOf,
  attempt,
  dropDatabase,
  dropRole,
  type Found,
  find,
  openToOwner,
  putMarker,
  putRole,
  roleUrl,
  type ServerReference,
  shutOut,
} from "./database-server.ts";
import { restoreSnapshot, type Snapshot } from "./database-snapshot.ts";
import type { LocalResource, ResourceContext } from "./resource.ts";

export interface DatabaseInputs {
  /** Name of database and role, fixed per stack. */
  readonly name: string;
  /** Where the admin URL is; the provider's own server when absent. */
  readonly server?: ServerReference;
  /** Baseline to copy; absent: an empty database. */
  readonly baseline?: string;
  /** Dump to restore into the empty database. */
  readonly snapshot?: Snapshot;
  /** Raised to have the database made anew. */
  readonly generation: number;
  /** Sessions the role may have at once. */
  readonly connectionLimit: number;
  /** How long a role that is made here is valid unless it is renewed; absent: until it is removed. */
  readonly validHours?: number;
  /** Others log in in the role's name: one that is made now does not itself. */
  readonly rotated?: true;
  /** Shown in the database's comment. */
  readonly tags: Readonly<Record<string, string>>;
}

export interface DatabaseState extends DatabaseInputs {
  readonly role: string;
  /** Secret. */
  readonly url: string;
  /** `<oid>-<random>`: another one whenever the database was made anew. */
  readonly identity: string;
}

/**
 * `stackling:local:Database`. Its id is the database's name. `create` finishes what an earlier, killed
 * create of the same inputs began and adopts what it finished; a database or role of that name that
 * Stackling did not make for this stack is never touched (`TerminalError`, `DatabaseFailed`).
 */
export const databaseResource: LocalResource<DatabaseInputs, DatabaseState> = {
  type: "stackling:local:Database",

  diff(state, inputs) {
    const replaces = (["name", "server", "baseline", "snapshot", "generation"] as const).filter(
      (input) => JSON.stringify(state[input]) !== JSON.stringify(inputs[input]),
    );
    const changes = replaces.length > 0 || state.connectionLimit !== inputs.connectionLimit;
    // The new one bears the old one's name.
    return { changes, replaces, deleteBeforeReplace: true };
  },

  async create(context, inputs) {
    const state = await attempt(`creating database "${inputs.name}"`, () => create(context, inputs));
    return { id: inputs.name, state };
  },

  async read({ settings, stack }, name, state) {
    return attempt(`looking for database "${name}"`, async () => {
      const adminUrl = await adminUrlFor(settings, state.server);
      const found = await withClient(adminUrl, (client) => find(client, name));
      const marker = ownMarker(found, stack);
      if (!marker?.complete || found.database?.owner !== name) return undefined;
      if (identityOf(found.database.oid, marker) !== state.identity) return undefined;
      // The server may have moved to another port.
      const password = decodeURIComponent(new URL(state.url).password);
      return { ...state, url: roleUrl(adminUrl, { name, password }) };
    });
  },

  async update(context, name, state, inputs) {
    return attempt(`changing role "${name}"`, async () => {
      await context.admit();
      const adminUrl = await adminUrlFor(context.settings, inputs.server);
      await withClient(adminUrl, async (client) => {
        const marker = ownMarker(await find(client, name), context.stack);
        if (!marker) throw gone(name);
        await putRole(client, { name, exists: true, marker, connectionLimit: inputs.connectionLimit });
      });
      return { ...state, ...inputs };
    });
  },

  async delete(context, name, state) {
    await attempt(`dropping database "${name}"`, async () => {
      const adminUrl = await adminUrlFor(context.settings, state.server);
      await withClient(adminUrl, async (client) => {
        const found = await find(client, name);
        const marker = ownMarker(found, context.stack);
        if (!marker) {
          if (found.role) context.log(`role "${name}" was not made by Stackling and is left alone`);
          return;
        }
        // What took its place bears its name, and may be there before this one goes.
        if (!state.identity.endsWith(`-${marker.id}`)) return;
        await context.admit();
        if (found.database?.owner === name) await dropDatabase(client, name);
        await context.admit();
        await dropRole(client, name);
      });
    });
  },
};

async function create(context: ResourceContext, inputs: DatabaseInputs): Promise<DatabaseState> {
  const { name, connectionLimit, validHours } = inputs;
  const valid = validHours === undefined ? {} : { validHours };
  const adminUrl = await adminUrlFor(context.settings, inputs.server);
  const password = randomPassword();
  const identity = await withClient(
    adminUrl,
    async (client) => {
      const found = await find(client, name);
      refuseForeign(found, context.stack, name);
      await context.admit();
      const marker = await settleOld(client, context, inputs, found);
      const role = { name, exists: found.role !== undefined, marker, connectionLimit, password, ...valid };
      await putRole(client, role);
      try {
        const made = await finish({ client, context, inputs, marker, adminUrl, password });
        if (inputs.rotated) await shutOut(client, name);
        return made;
      } catch (error) {
        // One that was whole before holds somebody's rows.
        if (!marker.complete) await undo(client, context, name, error);
        throw error;
      }
    },
    context.signal,
  );
  return { ...inputs, role: name, url: roleUrl(adminUrl, { name, password }), identity };
}

/** The marker to go on with: the found one when it is of these inputs, else a new one, and the old database is dropped. */
async function settleOld(
  client: pg.Client,
  { stack }: ResourceContext,
  { name, generation, baseline, snapshot }: DatabaseInputs,
  found: Found,
): Promise<DatabaseMarker> {
  const old = found.role?.marker;
  const same = old && old.generation === generation && old.baseline === baseline;
  // What a killed restore left cannot be told from what it had yet to do.
  const half = snapshot !== undefined && !old?.complete;
  if (same && !half && (found.database || !old.complete)) return old;
  if (found.database) await dropDatabase(client, name);
  return { stack, generation, ...(baseline === undefined ? {} : { baseline }), id: newId(), complete: false };
}

/** Makes what is missing and returns the identity. */
async function finish(task: {
  readonly client: pg.Client;
  readonly context: ResourceContext;
  readonly inputs: DatabaseInputs;
  readonly marker: DatabaseMarker;
  readonly adminUrl: string;
  readonly password: string;
}): Promise<string> {
  const { client, context, inputs, marker, adminUrl, password } = task;
  const { name, baseline, snapshot } = inputs;
  if (!(await find(client, name)).database) {
    await context.admit();
    await clone(client, inputs);
  }
  if (!marker.complete) {
    await context.admit();
    await openToOwner(client, name, JSON.stringify(inputs.tags));
    if (baseline !== undefined) await handOver(adminUrlOf(adminUrl, name), baselineDatabaseName(baseline), name);
    if (snapshot) await restoreSnapshot(snapshot, roleUrl(adminUrl, { name, password }), context.signal);
    await putMarker(client, name, { ...marker, complete: true });
  }
  const { database } = await find(client, name);
  if (!database) throw gone(name);
  return identityOf(database.oid, marker);
}

async function clone(client: pg.Client, { name, baseline }: DatabaseInputs): Promise<void> {
  try {
    await cloneDatabase(client, { name, owner: name, ...(baseline === undefined ? {} : { baseline }) });
  } catch (error) {
    // A create of ours that was killed goes on inside the server, and has just finished.
    const finished = error instanceof pg.DatabaseError && (error.code === "42P04" || error.code === "23505");
    if (!finished || (await find(client, name)).database?.owner !== name) throw error;
  }
}

/** All objects of a baseline belong to its role; in the copy they become the preview's. */
async function handOver(url: string, from: string, to: string): Promise<void> {
  const statement = `REASSIGN OWNED BY ${pg.escapeIdentifier(from)} TO ${pg.escapeIdentifier(to)}`;
  await withClient(url, (client) => client.query(statement));
}

/** Removes what a failed create half made, unless the stack is a later holder's by now. */
async function undo(client: pg.Client, context: ResourceContext, name: string, error: unknown): Promise<void> {
  if (error instanceof ConflictError) return;
  try {
    await context.admit();
    await dropDatabase(client, name);
    await dropRole(client, name);
  } catch {
    context.log(`database "${name}" was left half made; the next update finishes it`);
  }
}

function refuseForeign(found: Found, stack: string, name: string): void {
  const marker = found.role?.marker;
  const foreignRole = found.role && !ownMarker(found, stack);
  const foreignDatabase = found.database && (!found.role || found.database.owner !== name);
  if (!foreignRole && !foreignDatabase) return;
  const what = foreignRole ? `a role "${name}"` : `a database "${name}"`;
  const whose = marker
    ? `belongs to preview "${marker.stack}"${marker.access ? " by another strategy" : ""}`
    : "was not made by Stackling";
  throw new TerminalError({
    reason: "DatabaseFailed",
    userMessage: `creating database "${name}": the server has ${what} already that ${whose}; rename or drop it`,
  });
}

/** Of this stack, and of a database of its own. */
function ownMarker(found: Found, stack: string): DatabaseMarker | undefined {
  const marker = found.role?.marker;
  return marker?.stack === stack && !marker.access ? marker : undefined;
}

function gone(name: string): StacklingError {
  return new StacklingError({ reason: "DatabaseFailed", userMessage: `database "${name}" was dropped meanwhile` });
}

function identityOf(oid: number, marker: DatabaseMarker): string {
  return `${oid}-${marker.id}`;
}

function newId(): string {
  return randomBytes(6).toString("hex");
}
