/** A database per preview, restored from a dump. */
import type { ComponentResourceOptions, Output } from "@pulumi/pulumi";
import { z } from "zod";
import { databaseOperations, serverOptions } from "../local/database-operations.ts";
import { attempt, databaseError, resolveServer } from "../local/database-server.ts";
import { majorOf, programFor, refuseNewer, refuseUnreadable } from "../local/database-snapshot.ts";
import { serverMajorOf } from "../local/postgres-programs.ts";
import type { DatabaseArgs, DatabaseComponent, DatabaseDriver, Finding } from "../ports.ts";
import { PreviewComponent } from "../preview-component.ts";
import { refuseBaseline } from "./baseline.ts";
import { declareDatabase } from "./login.ts";

const options = z.strictObject({
  ...serverOptions,
  dump: z
    .string()
    .startsWith("/", "must be an absolute path")
    .describe(
      "Absolute path, where Stackling runs, of a dump by `pg_dump --no-owner --no-privileges`: an archive (`--format=custom`), for which `pg_restore` is taken from PATH, or plain SQL, for which `psql` is.",
    ),
});

type Options = z.infer<typeof options>;

class SnapshotDatabase extends PreviewComponent implements DatabaseComponent {
  readonly name: Output<string>;
  readonly url: Output<string>;
  readonly identity: Output<string>;

  constructor(name: string, args: DatabaseArgs<Options>, opts?: ComponentResourceOptions) {
    refuseBaseline("snapshot", args);
    super("stackling:database:Snapshot", name, {}, opts);
    const names = { database: this.childName("database"), login: this.childName("login") };
    const database = declareDatabase(this, names, args, { snapshot: { dump: args.options.dump } });
    this.name = database.name;
    this.url = database.url;
    this.identity = database.identity;
    this.registerOutputs({ name: this.name, url: this.url, identity: this.identity });
  }
}

export const snapshotDatabase: DatabaseDriver<Options> = {
  options,
  placedBy: ["server"],
  component: SnapshotDatabase,
  trustedOnly: true,
  operations: {
    ...databaseOperations,
    check: async (given) => {
      const reached = await databaseOperations.check(given);
      return reached.some(({ ok }) => !ok) ? reached : [...reached, await checkDump(given)];
    },
  },
  example: () => ({
    options: { server: { env: "STACKLING_TEST_POSTGRES" }, connectionLimit: 5, dump: "/var/lib/stackling/shop.dump" },
    generation: 0,
  }),
};

async function checkDump({ server, dump }: Options): Promise<Finding> {
  const action = `restoring the dump "${dump}"`;
  try {
    return await attempt(action, async () => {
      const program = await programFor(dump, action);
      const major = await majorOf(program, action);
      refuseNewer(action, program, major, await serverMajorOf(await resolveServer(server)));
      if (program === "pg_restore") await refuseUnreadable(action, dump);
      return { ok: true, what: `dump "${dump}", restored by ${program} ${major}` };
    });
  } catch (error) {
    const { userMessage } = databaseError(action, error);
    return { ok: false, what: userMessage, remedy: "mend what it says, on the machine that runs Stackling" };
  }
}
