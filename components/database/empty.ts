/** An empty database per preview on a PostgreSQL server, which migrations and seeds fill. */
import type { ComponentResourceOptions, Output } from "@pulumi/pulumi";
import { z } from "zod";
import { databaseOperations, serverOptions } from "../local/database-operations.ts";
import type { DatabaseArgs, DatabaseComponent, DatabaseDriver } from "../ports.ts";
import { PreviewComponent } from "../preview-component.ts";
import { refuseBaseline } from "./baseline.ts";
import { declareDatabase } from "./login.ts";

const options = z.strictObject(serverOptions);

type Options = z.infer<typeof options>;

class EmptyDatabase extends PreviewComponent implements DatabaseComponent {
  readonly name: Output<string>;
  readonly url: Output<string>;
  readonly identity: Output<string>;

  constructor(name: string, args: DatabaseArgs<Options>, opts?: ComponentResourceOptions) {
    refuseBaseline("empty", args);
    super("stackling:database:Empty", name, {}, opts);
    const names = { database: this.childName("database"), login: this.childName("login") };
    const database = declareDatabase(this, names, args);
    this.name = database.name;
    this.url = database.url;
    this.identity = database.identity;
    this.registerOutputs({ name: this.name, url: this.url, identity: this.identity });
  }
}

export const emptyDatabase: DatabaseDriver<Options> = {
  options,
  placedBy: ["server"],
  component: EmptyDatabase,
  operations: databaseOperations,
  example: () => ({ options: { server: { env: "STACKLING_TEST_POSTGRES" }, connectionLimit: 5 }, generation: 0 }),
};
