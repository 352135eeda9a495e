/** A preview branch of a Supabase project per preview: a server, keys and a login of its own. */
import { type ComponentResourceOptions, type Output, output, secret } from "@pulumi/pulumi";
import { TerminalError } from "../errors.ts";
import type { DatabaseArgs, DatabaseComponent, DatabaseDriver } from "../ports.ts";
import { PreviewComponent } from "../preview-component.ts";
import { branchName } from "../supabase/branches.ts";
import { GIVEN } from "../supabase/connection.ts";
import * as operations from "../supabase/operations.ts";
import { options, type SupabaseOptions } from "../supabase/options.ts";
import { SupabaseBranch } from "../supabase/resources.ts";

type Args = DatabaseArgs<SupabaseOptions>;

class SupabaseDatabase extends PreviewComponent implements DatabaseComponent {
  readonly name: Output<string>;
  readonly url: Output<string>;
  readonly identity: Output<string>;
  readonly environment: Output<Readonly<Record<string, string>>>;

  constructor(name: string, args: Args, opts?: ComponentResourceOptions) {
    const from = parentOf(args);
    super("stackling:database:Supabase", name, {}, opts);
    const { stack, generation, baseline, rotation = 0, options: given } = args;
    const { accessToken, apiUrl, connection, instanceSize } = given;
    const branch = new SupabaseBranch(
      this.childName("branch"),
      {
        account: { accessToken, apiUrl },
        name: branchName(stack, generation, baseline),
        connection,
        rotation,
        ...from,
        ...(instanceSize !== undefined && { instanceSize }),
      },
      { parent: this },
    );
    this.name = output("postgres");
    this.identity = branch.id;
    this.url = secret(branch.url);
    this.environment = secret(branch.environment);
    const { url, identity, environment } = this;
    this.registerOutputs({ name: this.name, url, identity, environment });
  }
}

export const supabaseDatabase: DatabaseDriver<SupabaseOptions> = {
  options,
  component: SupabaseDatabase,
  placedBy: ["project"],
  gives: GIVEN,
  operations,
  example: () => ({
    options: options.parse({
      project: "abcdefghijklmnopqrst",
      accessToken: { env: "SUPABASE_ACCESS_TOKEN" },
      baselines: { main: { project: "tsrqponmlkjihgfedcba" } },
    }),
    generation: 0,
  }),
};

function parentOf({ stack, baseline, options: { project, baselines } }: Args) {
  if (baseline === undefined) return { project, withData: false };
  const found = Object.hasOwn(baselines, baseline) ? baselines[baseline] : undefined;
  if (found) return { project: found.project ?? project, withData: found.withData };
  throw new TerminalError({
    reason: "SpecInvalid",
    userMessage: `creating the preview branch of "${stack}": baseline "${baseline}" does not exist; name it among the database's "baselines"`,
  });
}
