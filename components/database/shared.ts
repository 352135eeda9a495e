/** One development database for all previews of a repository, with a login of its own for each. */
import { type ComponentResourceOptions, type Output, output } from "@pulumi/pulumi";
import { z } from "zod";
import { TerminalError } from "../errors.ts";
import { refuseGroup } from "../local/database-access-member.ts";
import { accessOperations } from "../local/database-access-operations.ts";
import { sharedDatabaseName } from "../local/database-names.ts";
import { serverOptions } from "../local/database-operations.ts";
import { databaseError } from "../local/database-server.ts";
import type { DatabaseArgs, DatabaseComponent, DatabaseDriver } from "../ports.ts";
import { PreviewComponent } from "../preview-component.ts";
import { declareAccess } from "./access.ts";
import { refuseBaseline } from "./baseline.ts";

const options = z
  .strictObject({
    ...serverOptions,
    database: z
      .string()
      .min(1)
      .optional()
      .describe(
        "Database that all previews use; it must be there. Default: one per repository, `stackling.shared.<repository>`, made with its first preview.",
      ),
    role: z
      .string()
      .min(1)
      .optional()
      .describe(
        "Needed with a `database`, and only there: the role whose rights previews get and whose is what they make. It may do nothing but use databases.",
      ),
    run: z
      .array(z.enum(["migrate", "seed"]))
      .default(["migrate"])
      .describe("Commands of `preview.yaml` that previews run on it: what one changes, all have."),
  })
  .refine(({ database, role }) => (database === undefined) === (role === undefined), {
    message: '"database" and "role" go together: whose rights previews get in a database of yours',
    path: ["role"],
  });

type Options = z.infer<typeof options>;
type Args = DatabaseArgs<Options>;

class SharedDatabase extends PreviewComponent implements DatabaseComponent {
  readonly name: Output<string>;
  readonly url: Output<string>;
  readonly identity: Output<string>;

  constructor(name: string, args: Args, opts?: ComponentResourceOptions) {
    refuseBaseline("shared", args);
    const { database, of } = placeOf(args);
    super("stackling:database:Shared", name, {}, opts);
    const names = { access: this.childName("access"), login: this.childName("login") };
    const access = declareAccess(this, names, args, {
      database,
      access: { kind: "member", of },
    });
    this.name = output(database.name);
    this.url = access.url;
    this.identity = access.identity;
    this.registerOutputs({ name: this.name, url: this.url, identity: this.identity });
  }
}

export const sharedDatabase: DatabaseDriver<Options> = {
  options,
  placedBy: ["server", "database"],
  component: SharedDatabase,
  shares: ({ run }) => run,
  trustedOnly: true,
  operations: accessOperations("member", ({ server, database, role }) => ({
    server,
    mustExist: true,
    ...(database === undefined ? {} : { database }),
    inspect: async (client) => {
      const what = `database "${database}", which previews share`;
      try {
        await refuseGroup(client, role ?? "");
        return { ok: true, what };
      } catch (error) {
        const { userMessage } = databaseError(what, error);
        return { ok: false, what: userMessage, remedy: "name another role in the target's database options" };
      }
    },
  })),
  example: () => ({
    options: {
      server: { env: "STACKLING_TEST_POSTGRES" },
      connectionLimit: 5,
      database: "development",
      role: "developers",
      run: ["migrate"],
    },
    generation: 0,
  }),
};

function placeOf({ stack, tags: { repository }, options: { database, role } }: Args) {
  if (database !== undefined && role !== undefined) return { database: { name: database, own: false }, of: role };
  if (repository !== undefined) {
    const name = sharedDatabaseName(repository);
    return { database: { name, own: true, group: name }, of: name };
  }
  throw new TerminalError({
    reason: "SpecInvalid",
    userMessage: `letting "${stack}" into a shared database: neither the option "database" nor the tag "repository" says which`,
  });
}
