/** What a preview's role may do in a database that many use: one kind per strategy, each in a file of its own. */
import pg from "pg";
import type { DatabaseMarker } from "./database-names.ts";

export type Access =
  /** Whatever it likes, in a schema that nobody else may use. */
  | { readonly kind: "schema" }
  /** What the role `of` may, in its name: what previews make belongs to that one. */
  | { readonly kind: "member"; readonly of: string }
  /** To read these schemas. */
  | { readonly kind: "reader"; readonly schemas: readonly string[] };

/** Whom something is granted to; the admin is connected to `database`. */
export interface Grantee {
  /** Role, fixed per stack; its schema bears the same name. */
  readonly name: string;
  readonly stack: string;
  readonly database: string;
  readonly marker: DatabaseMarker;
}

/** Each is called with the lock of `withLock` held. */
export interface AccessKind<A extends Access> {
  /** Brings the grants about, whatever of them is there; refuses with a `TerminalError` where they would not hold. */
  grant(client: pg.Client, grantee: Grantee, access: A): Promise<void>;
  /** What its sessions there begin with: settings by name, with their values as SQL. */
  session(grantee: Pick<Grantee, "name">, access: A): Readonly<Record<string, string>>;
  /** True while they are as granted. */
  holds(client: pg.Client, grantee: Grantee, access: A): Promise<boolean>;
  /** What tasks are keyed by: another one whenever what they worked on was made anew. */
  identity(client: pg.Client, grantee: Grantee): Promise<string>;
  /** Takes back what was granted and what it made, so that the role can go. Gone already is success. */
  clear(client: pg.Client, grantee: Grantee): Promise<void>;
}

/** Statements that make a role's sessions in a database begin so. */
export function beginWith(role: string, database: string, settings: Readonly<Record<string, string>>): string[] {
  const of = `ALTER ROLE ${pg.escapeIdentifier(role)} IN DATABASE ${pg.escapeIdentifier(database)}`;
  return Object.entries(settings).map(([name, value]) => `${of} SET ${name} = ${value};`);
}

/** Grants to two roles on one database at once fail each other ("tuple concurrently updated"): one after the other. */
export async function withLock<T>(client: pg.Client, work: () => Promise<T>): Promise<T> {
  await client.query("SELECT pg_advisory_lock(hashtextextended('stackling:access', 0))");
  try {
    return await work();
  } finally {
    await client.query("SELECT pg_advisory_unlock(hashtextextended('stackling:access', 0))").catch(() => undefined);
  }
}

/** Schemas in which every role may make something, so that previews would meet in them. */
export async function openSchemas(client: pg.Client): Promise<readonly string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT nspname AS name FROM pg_namespace
     WHERE EXISTS (SELECT FROM aclexplode(coalesce(nspacl, acldefault('n', nspowner)))
                   WHERE grantee = 0 AND privilege_type = 'CREATE') ORDER BY 1`,
  );
  return rows.map(({ name }) => name);
}

export async function roleExists(client: pg.Client, name: string): Promise<boolean> {
  return ((await client.query("SELECT FROM pg_roles WHERE rolname = $1", [name])).rowCount ?? 0) > 0;
}
