/** What drivers of previews' own databases on a PostgreSQL server can be asked, whatever they are made of. */
import { z } from "zod";
import type { Finding, Operations, OwnedThing } from "../operations.ts";
import { withClient } from "./database-client.ts";
import { previewDatabaseName } from "./database-names.ts";
import { hoursOf, type RenewalOptions, renewalOptions, renewLogins } from "./database-renewal.ts";
import {
  attempt,
  databaseError,
  dropDatabase,
  dropRole,
  find,
  findOwned,
  resolveServer,
  type ServerReference,
} from "./database-server.ts";
import { databaseUsage } from "./database-usage.ts";

/** Options of every driver that works on a PostgreSQL server by its admin. */
export const serverOptions = {
  server: z
    .union([z.strictObject({ env: z.string().min(1) }), z.strictObject({ file: z.string().min(1) })])
    .describe(
      "Environment variable or file that holds the server's admin URL, `postgres://admin:password@host:port/postgres`. The admin is a superuser, or has CREATEDB and CREATEROLE.",
    ),
  connectionLimit: z.int().min(1).default(20).describe("Sessions that one preview may have open at once."),
  ...renewalOptions,
};

interface OnServer extends RenewalOptions {
  readonly server: ServerReference;
}

export const databaseOperations = {
  owned: ({ server }, stack) =>
    onServer(server, "listing previews' databases", async (client) => {
      const found = await findOwned(client, stack);
      return found.map(({ kind, name, stack: owner }): OwnedThing => ({ kind, id: name, stack: owner }));
    }),

  kinds: ["database", "role"],

  remove: ({ server }, thing) =>
    onServer(server, `removing ${thing.kind} "${thing.id}"`, async (client) => {
      const owned = await findOwned(client, thing.stack);
      if (!owned.some(({ kind, name }) => kind === thing.kind && name === thing.id)) return;
      // A role cannot go before what it owns.
      const databases = owned.filter(({ kind }) => kind === "database");
      const first = thing.kind === "role" ? databases : databases.filter(({ name }) => name === thing.id);
      for (const { name } of first) await dropDatabase(client, name);
      if (thing.kind === "role") await dropRole(client, thing.id);
    }),

  check: async ({ server }) => [await checkServer(server)],

  explain: ({ options: { server }, stack }) => explain(server, stack),

  renew: ({ options, stack }) => renew(options, stack),

  usage: ({ options: { server }, stack }, wish) => databaseUsage(server, stack, wish),
} satisfies Operations<OnServer>;

/** Whether the server answers and its admin can make what previews need. */
export async function checkServer(server: ServerReference): Promise<Finding> {
  try {
    return await onServer(server, "reaching the database server", async (client) => {
      const { rows } = await client.query<{ version: string; able: boolean }>(
        `SELECT current_setting('server_version') AS version,
           rolsuper OR (rolcreatedb AND rolcreaterole) AS able FROM pg_roles WHERE rolname = current_user`,
      );
      const what = `database server for previews: PostgreSQL ${rows[0]?.version}`;
      if (rows[0]?.able) return { ok: true, what };
      return { ok: false, what, remedy: "give the admin role of its URL CREATEDB and CREATEROLE" };
    });
  } catch (error) {
    const { userMessage } = databaseError("reaching the database server", error);
    return {
      ok: false,
      what: userMessage,
      remedy: "correct the URL behind the database's option `server`, or start that server",
    };
  }
}

async function explain(server: ServerReference, stack: string): Promise<string | undefined> {
  const name = previewDatabaseName(stack);
  try {
    const found = await onServer(server, `looking for database "${name}"`, (client) => find(client, name));
    if (!found.database) return `database "${name}" does not exist`;
    if (found.role?.marker?.stack !== stack) return `database "${name}" was not made for this preview`;
    return found.role.marker.complete ? undefined : `database "${name}" is still being made`;
  } catch (error) {
    return databaseError(`looking for database "${name}"`, error).userMessage;
  }
}

/** Puts off the end of a preview's logins. */
export function renew(options: OnServer, stack: string): Promise<string | undefined> {
  return onServer(options.server, `renewing the login of "${stack}"`, (client) =>
    renewLogins(client, stack, hoursOf(options)),
  );
}

/** One connection of the server's admin for the length of `work`. */
export function onServer<T>(
  server: ServerReference,
  action: string,
  work: Parameters<typeof withClient<T>>[1],
): Promise<T> {
  return attempt(action, async () => withClient(await resolveServer(server), work));
}
