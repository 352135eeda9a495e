/** A schema and a role per preview in one database of many. */
import { type ComponentResourceOptions, type Output, output } from "@pulumi/pulumi";
import { z } from "zod";
import { openSchemas } from "../local/database-access-kind.ts";
import { accessOperations } from "../local/database-access-operations.ts";
import { SCHEMAS_DATABASE } from "../local/database-names.ts";
import { serverOptions } from "../local/database-operations.ts";
import type { DatabaseArgs, DatabaseComponent, DatabaseDriver } from "../ports.ts";
import { PreviewComponent } from "../preview-component.ts";
import { declareAccess } from "./access.ts";
import { refuseBaseline } from "./baseline.ts";

const options = z.strictObject({
  ...serverOptions,
  database: z
    .string()
    .min(1)
    .optional()
    .describe(
      `Database that gets the schemas; it must be there, and nobody may create in its schema \`public\`. Default: one named \`${SCHEMAS_DATABASE}\`, made with the first preview.`,
    ),
});

type Options = z.infer<typeof options>;

class SchemaDatabase extends PreviewComponent implements DatabaseComponent {
  readonly name: Output<string>;
  readonly url: Output<string>;
  readonly identity: Output<string>;

  constructor(name: string, args: DatabaseArgs<Options>, opts?: ComponentResourceOptions) {
    refuseBaseline("schema", args);
    super("stackling:database:Schema", name, {}, opts);
    const { database } = args.options;
    const names = { access: this.childName("access"), login: this.childName("login") };
    const access = declareAccess(this, names, args, {
      database: { name: database ?? SCHEMAS_DATABASE, own: database === undefined },
      access: { kind: "schema" },
    });
    this.name = output(access.name);
    this.url = access.url;
    this.identity = access.identity;
    this.registerOutputs({ name: this.name, url: this.url, identity: this.identity });
  }
}

export const schemaDatabase: DatabaseDriver<Options> = {
  options,
  placedBy: ["server", "database"],
  component: SchemaDatabase,
  operations: accessOperations("schema", ({ server, database }) => ({
    server,
    database: database ?? SCHEMAS_DATABASE,
    mustExist: database !== undefined,
    inspect: async (client) => {
      const [open] = await openSchemas(client);
      const what = `database "${database ?? SCHEMAS_DATABASE}" for previews' schemas`;
      if (open === undefined) return { ok: true, what };
      return {
        ok: false,
        what: `${what}: everybody may create in its schema "${open}", so that previews would meet there`,
        remedy: `run REVOKE CREATE ON SCHEMA ${open} FROM PUBLIC in it`,
      };
    },
  })),
  example: () => ({ options: { server: { env: "STACKLING_TEST_POSTGRES" }, connectionLimit: 5 }, generation: 0 }),
};
