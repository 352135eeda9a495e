/** A database per preview on a PostgreSQL server: a copy of a baseline, or an empty one. */
import {
  type ComponentResourceOptions,
  CustomResource,
  type CustomResourceOptions,
  type Output,
  secret,
} from "@pulumi/pulumi";
import { z } from "zod";
import type { DatabaseInputs } from "../local/database.ts";
import { withClient } from "../local/database-client.ts";
import { previewDatabaseName } from "../local/database-names.ts";
import { databaseError, dropDatabase, dropRole, find, findOwned, resolveServer } from "../local/database-server.ts";
import type { DatabaseArgs, DatabaseComponent, DatabaseDriver, Finding, OwnedThing } from "../ports.ts";
import { PreviewComponent } from "../preview-component.ts";

const options = z.strictObject({
  server: z
    .union([z.strictObject({ env: z.string().min(1) }), z.strictObject({ file: z.string().min(1) })])
    .describe(
      "Environment variable or file that holds the server's admin URL, `postgres://admin:password@host:port/postgres`. The admin is a superuser, or has CREATEDB and CREATEROLE.",
    ),
  connectionLimit: z.int().min(1).default(20).describe("Sessions that one preview may have open at once."),
});

type Options = z.infer<typeof options>;

class CloneDatabase extends PreviewComponent implements DatabaseComponent {
  readonly name: Output<string>;
  readonly url: Output<string>;
  readonly identity: Output<string>;

  constructor(name: string, args: DatabaseArgs<Options>, opts?: ComponentResourceOptions) {
    super("stackling:database:Clone", name, {}, opts);
    const { stack, tags, generation, baseline } = args;
    const { server, connectionLimit } = args.options;
    const database = new LocalDatabase(
      this.childName("database"),
      {
        name: previewDatabaseName(stack),
        server,
        generation,
        connectionLimit,
        tags,
        ...(baseline ? { baseline } : {}),
      },
      { parent: this },
    );
    this.name = database.name;
    this.url = secret(database.url);
    this.identity = database.identity;
    this.registerOutputs({ name: this.name, url: this.url, identity: this.identity });
  }
}

class LocalDatabase extends CustomResource {
  declare readonly name: Output<string>;
  declare readonly url: Output<string>;
  declare readonly identity: Output<string>;

  constructor(name: string, inputs: DatabaseInputs, opts: CustomResourceOptions) {
    const outputs = { role: undefined, url: undefined, identity: undefined };
    super("stackling:local:Database", name, { ...inputs, ...outputs }, { ...opts, additionalSecretOutputs: ["url"] });
  }
}

export const cloneDatabase: DatabaseDriver<Options> = {
  options,
  placedBy: ["server"],
  component: CloneDatabase,
  operations: {
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
  },
  example: () => ({ options: { server: { env: "STACKLING_TEST_POSTGRES" }, connectionLimit: 5 }, generation: 0 }),
};

async function checkServer(server: Options["server"]): Promise<Finding> {
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

async function explain(server: Options["server"], stack: string): Promise<string | undefined> {
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

async function onServer<T>(
  server: Options["server"],
  action: string,
  work: Parameters<typeof withClient<T>>[1],
): Promise<T> {
  try {
    return await withClient(await resolveServer(server), work);
  } catch (error) {
    throw databaseError(action, error);
  }
}
