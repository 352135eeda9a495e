/** A login per preview to the one database that all of them share, with the rights of a role that stays. */
import pg from "pg";
import { TerminalError } from "../errors.ts";
import { type AccessKind, beginWith, roleExists } from "./database-access-kind.ts";

const id = pg.escapeIdentifier;

/** Sessions begin as the role `of`: what one preview makes belongs to that one, so the others may alter it, and it stays. */
export const memberAccess: AccessKind<{ readonly kind: "member"; readonly of: string }> = {
  async grant(client, { name, database }, { of }) {
    await refuseGroup(client, of);
    await client.query(`
      GRANT ${id(of)} TO ${id(name)};
      GRANT CONNECT ON DATABASE ${id(database)} TO ${id(name)};
      ${beginWith(name, database, this.session({ name }, { kind: "member", of })).join("")}`);
  },

  session: (_grantee, { of }) => ({ role: pg.escapeLiteral(of) }),

  async holds(client, { name }, { of }) {
    if (!(await isMember(client, name, of))) return false;
    const { rows } = await client.query<{ holds: boolean }>(
      "SELECT has_database_privilege($1::name, current_database(), 'CONNECT') AS holds",
      [name],
    );
    return rows[0]?.holds ?? false;
  },

  async identity(client) {
    const { rows } = await client.query<{ oid: number }>(
      "SELECT oid FROM pg_database WHERE datname = current_database()",
    );
    return `shared-${rows[0]?.oid}`;
  },

  async clear(client, { name, marker }) {
    if (!(await roleExists(client, name))) return;
    const of = marker.access?.of;
    // A session may put the role off, and own what it makes then: that is everybody's too.
    if (of !== undefined && (await isMember(client, name, of))) {
      await client.query(`REASSIGN OWNED BY ${id(name)} TO ${id(of)}`);
    }
    await client.query(`DROP OWNED BY ${id(name)}`);
  },
};

async function isMember(client: pg.Client, name: string, of: string): Promise<boolean> {
  if (!(await roleExists(client, of))) return false;
  const { rows } = await client.query<{ member: boolean }>(
    "SELECT pg_has_role($1::name, $2::name, 'MEMBER') AS member",
    [name, of],
  );
  return rows[0]?.member ?? false;
}

/** What a role may do beyond the rights that it was granted in databases. */
const MORE = `
  WITH RECURSIVE reached AS (
    SELECT oid FROM pg_roles WHERE rolname = $1
    UNION SELECT roleid FROM pg_auth_members JOIN reached ON member = reached.oid)
  SELECT rolname AS name FROM pg_roles JOIN reached USING (oid)
  WHERE rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls
    OR (rolname LIKE 'pg\\_%' AND rolname <> 'pg_database_owner') OR rolname = current_user`;

/** Throws `TerminalError` for a role that is not there, or by which a preview could do more than use a database. */
export async function refuseGroup(client: pg.Client, of: string): Promise<void> {
  const refuse = (why: string): never => {
    throw new TerminalError({
      reason: "DatabaseFailed",
      userMessage: `giving a preview the rights of role "${of}": ${why}; name another one in the option "role" of the target's database`,
    });
  };
  if (!(await roleExists(client, of))) refuse("the server has no such role");
  const { rows } = await client.query<{ name: string }>(MORE, [of]);
  const [found] = rows;
  if (found) {
    const what = found.name === of ? "it" : `by way of "${found.name}" it`;
    refuse(`${what} may do more than use a database`);
  }
}
