/** A login per preview that reads an existing database and cannot write it. */
import { type ComponentResourceOptions, type Output, output } from "@pulumi/pulumi";
import { z } from "zod";
import { accessOperations } from "../local/database-access-operations.ts";
import { serverOptions } from "../local/database-operations.ts";
import type { DatabaseArgs, DatabaseComponent, DatabaseDriver } from "../ports.ts";
import { PreviewComponent } from "../preview-component.ts";
import { declareAccess } from "./access.ts";
import { refuseBaseline } from "./baseline.ts";

const options = z.strictObject({
  ...serverOptions,
  database: z.string().min(1).describe("Database that previews read; it must be there."),
  schemas: z
    .array(z.string().min(1))
    .min(1)
    .default(["public"])
    .describe("Its schemas that they may read: what is in them, and what their owners add."),
  at: z
    .string()
    .regex(/^(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+):\d{1,5}$/, "must be host:port")
    .optional()
    .describe(
      "`host:port` where previews connect, such as a standby of the server, which learns of their roles by itself. Default: the server's own.",
    ),
});

type Options = z.infer<typeof options>;

class ReplicaDatabase extends PreviewComponent implements DatabaseComponent {
  readonly name: Output<string>;
  readonly url: Output<string>;
  readonly identity: Output<string>;

  constructor(name: string, args: DatabaseArgs<Options>, opts?: ComponentResourceOptions) {
    refuseBaseline("replica", args);
    super("stackling:database:Replica", name, {}, opts);
    const { database, schemas, at } = args.options;
    const names = { access: this.childName("access"), login: this.childName("login") };
    const access = declareAccess(this, names, args, {
      database: { name: database, own: false },
      access: { kind: "reader", schemas },
      ...(at === undefined ? {} : { at }),
    });
    this.name = output(database);
    this.url = access.url;
    this.identity = access.identity;
    this.registerOutputs({ name: this.name, url: this.url, identity: this.identity });
  }
}

export const replicaDatabase: DatabaseDriver<Options> = {
  options,
  placedBy: ["server", "database"],
  component: ReplicaDatabase,
  shares: () => [],
  trustedOnly: true,
  operations: accessOperations("reader", ({ server, database }) => ({ server, database, mustExist: true })),
  example: () => ({
    options: {
      server: { env: "STACKLING_TEST_POSTGRES" },
      connectionLimit: 5,
      database: "staging",
      schemas: ["public"],
    },
    generation: 0,
  }),
};
