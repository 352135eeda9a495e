/** What is done with a role of a shared database whatever its kind, also when no stack knows of it any more. */
import pg from "pg";
import { type Access, type AccessKind, type Grantee, withLock } from "./database-access-kind.ts";
import { memberAccess } from "./database-access-member.ts";
import { readerAccess } from "./database-access-reader.ts";
import { schemaAccess } from "./database-access-schema.ts";
import { withClient } from "./database-client.ts";
import type { DatabaseMarker } from "./database-names.ts";
import { adminUrlOf, dropRole, findRole } from "./database-server.ts";

export type AccessMarker = NonNullable<DatabaseMarker["access"]>;

const kinds: { readonly [K in Access["kind"]]: AccessKind<Extract<Access, { kind: K }>> } = {
  schema: schemaAccess,
  member: memberAccess,
  reader: readerAccess,
};

/** The one for this access: the record's own type says that they fit, which is lost by the lookup. */
export function kindOf(access: Access): AccessKind<Access> {
  return kinds[access.kind] as AccessKind<Access>;
}

/** Takes back everything of one role: its sessions, what it made, its rights, and itself. Gone already is success. */
export async function removeAccess(
  adminUrl: string,
  { name, stack, access }: Pick<Grantee, "name" | "stack"> & { readonly access: AccessMarker },
): Promise<void> {
  const marker = { stack, generation: 0, id: "", complete: false, access };
  await withClient(adminUrl, async (client) => {
    if (!(await findRole(client, name))) return;
    await client.query(`ALTER ROLE ${pg.escapeIdentifier(name)} NOLOGIN`);
    await client.query("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = $1", [name]);
  });
  const grantee = { name, stack, database: access.database, marker };
  await inDatabase(adminUrl, access.database, (client) =>
    withLock(client, () => kinds[access.kind].clear(client, grantee)),
  );
  await withClient(adminUrl, (client) => dropRole(client, name));
}

/** Undefined when there is no such database. */
export async function inDatabase<T>(
  adminUrl: string,
  database: string,
  work: (client: pg.Client) => Promise<T>,
): Promise<T | undefined> {
  try {
    return await withClient(adminUrlOf(adminUrl, database), work);
  } catch (error) {
    if (error instanceof pg.DatabaseError && error.code === "3D000") return undefined;
    throw error;
  }
}
