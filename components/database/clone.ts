/** A database per preview on a PostgreSQL server: a copy of a baseline, or an empty one. */
import type { ComponentResourceOptions, Output } from "@pulumi/pulumi";
import { z } from "zod";
import { databaseOperations, serverOptions } from "../local/database-operations.ts";
import type { DatabaseArgs, DatabaseComponent, DatabaseDriver } from "../ports.ts";
import { PreviewComponent } from "../preview-component.ts";
import { declareDatabase } from "./login.ts";

const options = z.strictObject(serverOptions);

type Options = z.infer<typeof options>;

class CloneDatabase extends PreviewComponent implements DatabaseComponent {
  readonly name: Output<string>;
  readonly url: Output<string>;
  readonly identity: Output<string>;

  constructor(name: string, args: DatabaseArgs<Options>, opts?: ComponentResourceOptions) {
    super("stackling:database:Clone", name, {}, opts);
    const { baseline } = args;
    const names = { database: this.childName("database"), login: this.childName("login") };
    const database = declareDatabase(this, names, args, baseline === undefined ? {} : { baseline });
    this.name = database.name;
    this.url = database.url;
    this.identity = database.identity;
    this.registerOutputs({ name: this.name, url: this.url, identity: this.identity });
  }
}

export const cloneDatabase: DatabaseDriver<Options> = {
  options,
  placedBy: ["server"],
  component: CloneDatabase,
  operations: databaseOperations,
  example: () => ({ options: { server: { env: "STACKLING_TEST_POSTGRES" }, connectionLimit: 5 }, generation: 0 }),
};
