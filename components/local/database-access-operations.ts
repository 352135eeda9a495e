/** What drivers can be asked that let each preview into a database of many. */
import type pg from "pg";
import type { Finding, Operations, OwnedThing } from "../operations.ts";
import type { Access } from "./database-access-kind.ts";
import { type AccessMarker, inDatabase, removeAccess } from "./database-access-role.ts";
import { listSchemas } from "./database-access-schema.ts";
import { type DatabaseMarker, parseMarker, previewDatabaseName } from "./database-names.ts";
import { checkServer, onServer, renew } from "./database-operations.ts";
import type { RenewalOptions } from "./database-renewal.ts";
import { attempt, databaseError, findRole, resolveServer, type ServerReference } from "./database-server.ts";

export interface AccessPlace {
  readonly server: ServerReference;
  /** The database, where it is one for all repositories; else each repository has its own. */
  readonly database?: string;
  /** Looked at by `check`, as far as it is there. */
  readonly inspect?: (client: pg.Client) => Promise<Finding>;
  /** False for one that Stackling makes itself. */
  readonly mustExist: boolean;
}

/** `placeOf` says where the previews of such options are let in; `kind` is whose roles are this driver's. */
export function accessOperations<O extends RenewalOptions>(kind: Access["kind"], placeOf: (options: O) => AccessPlace) {
  return {
    owned: (options, stack) => listOwned(kind, placeOf(options), stack),

    kinds: kind === "schema" ? ["schema", "role"] : ["role"],

    remove: (options, thing) =>
      attempt(`removing ${thing.kind} "${thing.id}"`, async () => {
        const place = placeOf(options);
        const owned = await listOwned(kind, place, thing.stack);
        const found = owned.find((one) => one.kind === thing.kind && one.id === thing.id);
        if (!found) return;
        // Neither is of use without the other.
        await removeAccess(await resolveServer(place.server), {
          name: thing.id,
          stack: thing.stack,
          access: found.access,
        });
      }),

    check: (options) => checkPlace(placeOf(options)),

    explain: ({ options, stack }) => explain(kind, placeOf(options), stack),

    renew: ({ options, stack }) => renew({ ...options, server: placeOf(options).server }, stack),
  } satisfies Operations<O>;
}

interface OwnedAccess extends OwnedThing {
  readonly access: AccessMarker;
}

async function listOwned(
  kind: Access["kind"],
  { server, database }: AccessPlace,
  stack?: string,
): Promise<readonly OwnedAccess[]> {
  const ofStack = ({ stack: owner }: OwnedThing) => stack === undefined || owner === stack;
  return attempt("listing previews' roles", async () => {
    const adminUrl = await resolveServer(server);
    const roles = await onServer(server, "listing previews' roles", listRoles);
    const mine = roles.flatMap(({ name, marker: { stack: owner, access } }): OwnedAccess[] => {
      const here = access?.kind === kind && (database === undefined || access.database === database);
      return here ? [{ kind: "role", id: name, stack: owner, access }] : [];
    });
    if (kind !== "schema" || database === undefined) return mine.filter(ofStack);
    const schemas = (await inDatabase(adminUrl, database, listSchemas)) ?? [];
    const access = { kind, database };
    const made = schemas.map(({ name, stack: owner }) => ({ kind: "schema", id: name, stack: owner, access }));
    // What leans on the role goes first.
    return [...made, ...mine].filter(ofStack);
  });
}

async function listRoles(client: pg.Client): Promise<readonly { name: string; marker: DatabaseMarker }[]> {
  const { rows } = await client.query<{ name: string; comment: string }>(
    `SELECT rolname AS name, shobj_description(oid, 'pg_authid') AS comment FROM pg_roles
     WHERE shobj_description(oid, 'pg_authid') IS NOT NULL ORDER BY 1`,
  );
  return rows.flatMap(({ name, comment }) => {
    const marker = parseMarker(comment);
    return marker ? [{ name, marker }] : [];
  });
}

async function checkPlace({ server, database, inspect, mustExist }: AccessPlace): Promise<readonly Finding[]> {
  const reached = await checkServer(server);
  if (!reached.ok || database === undefined) return [reached];
  const action = `looking at database "${database}"`;
  try {
    const adminUrl = await resolveServer(server);
    const seen = await inDatabase(
      adminUrl,
      database,
      async (client) => (await inspect?.(client)) ?? { ok: true, what: `database "${database}" is there` },
    );
    if (seen) return [reached, seen];
    if (!mustExist) return [reached, { ok: true, what: `database "${database}" is made with the first preview` }];
    return [
      reached,
      {
        ok: false,
        what: `database "${database}" does not exist on the server`,
        remedy: "make it, or correct `database` in the target's database options",
      },
    ];
  } catch (error) {
    const { userMessage } = databaseError(action, error);
    return [reached, { ok: false, what: userMessage, remedy: "let the admin of the option `server` into it" }];
  }
}

async function explain(kind: Access["kind"], place: AccessPlace, stack: string): Promise<string | undefined> {
  const name = previewDatabaseName(stack);
  try {
    const role = await onServer(place.server, `looking for role "${name}"`, (client) => findRole(client, name));
    if (!role) return `role "${name}" does not exist`;
    if (role.marker?.stack !== stack || role.marker.access?.kind !== kind) {
      return `role "${name}" was not made for this preview`;
    }
    if (!role.marker.complete) return `role "${name}" is still being made`;
    if (kind !== "schema") return undefined;
    const owned = await listOwned(kind, place, stack);
    return owned.some((one) => one.kind === "schema") ? undefined : `schema "${name}" does not exist`;
  } catch (error) {
    return databaseError(`looking for role "${name}"`, error).userMessage;
  }
}
