/** A branch of a MySQL database at PlanetScale per preview, with a password that ends after a day unless it is renewed. */
import { all, type ComponentResourceOptions, type Input, type Output, output, runtime, secret } from "@pulumi/pulumi";
import { TerminalError, toldToEngine } from "../errors.ts";
import { branchName } from "../planetscale/branches.ts";
import * as operations from "../planetscale/operations.ts";
import { accountOf, options, type PlanetscaleOptions } from "../planetscale/options.ts";
import { PlanetscaleBranch, PlanetscaleDeployRequest, PlanetscalePassword } from "../planetscale/resources.ts";
import type { DatabaseArgs, DatabaseComponent, DatabaseDriver, ServiceComponent } from "../ports.ts";
import { PreviewComponent } from "../preview-component.ts";

type Args = DatabaseArgs<PlanetscaleOptions>;

class PlanetscaleDatabase extends PreviewComponent implements DatabaseComponent {
  readonly name: Output<string>;
  readonly url: Output<string>;
  readonly identity: Output<string>;
  readonly #branch: PlanetscaleBranch;
  readonly #args: Args;

  constructor(name: string, args: Args, opts?: ComponentResourceOptions) {
    const from = parentOf(args);
    super("stackling:database:Planetscale", name, {}, opts);
    const { stack, options: given, generation, baseline, rotation = 0 } = args;
    const account = accountOf(given);
    const branch = new PlanetscaleBranch(
      this.childName("branch"),
      { account, name: branchName(stack, generation, baseline), from: from.branch, withData: from.withData },
      { parent: this },
    );
    const password = new PlanetscalePassword(
      this.childName("password"),
      {
        account,
        // Known only once it is made, so that there is none without its branch.
        branch: all([branch.id, branch.name]).apply(([, made]) => made),
        name: `stackling-${given.role}-${rotation}`,
        role: given.role,
        urlParameters: given.urlParameters,
      },
      { parent: this },
    );
    // An update gives it a whole day, so that what it starts does not meet the end of the old one.
    const ready = password.id.apply(() => renewed(args));
    this.name = output(given.database);
    this.identity = all([branch.id, ready]).apply(([id]) => id);
    this.url = secret(all([password.url, ready]).apply(([url]) => url));
    this.#branch = branch;
    this.#args = args;
    this.registerOutputs({ name: this.name, url: this.url, identity: this.identity });
  }

  /** By then the migrations ran. */
  released(service: ServiceComponent, version: Input<string>): void {
    const { deployInto: into, ...given } = this.#args.options;
    if (into === undefined) return;
    new PlanetscaleDeployRequest(
      this.childName("deploy-request"),
      { account: accountOf(given), branch: this.#branch.name, into, version },
      { parent: this, dependsOn: service.addresses.apply(() => service) },
    );
  }
}

export const planetscaleDatabase: DatabaseDriver<PlanetscaleOptions> = {
  options,
  component: PlanetscaleDatabase,
  placedBy: ["organization", "database"],
  operations,
  example: () => ({
    options: options.parse({
      organization: "acme",
      database: "shop",
      serviceTokenId: { env: "PLANETSCALE_TOKEN_ID" },
      serviceToken: { env: "PLANETSCALE_TOKEN" },
      parent: "main",
      baselines: { main: { branch: "main", withData: true } },
    }),
    generation: 0,
  }),
};

async function renewed({ options: given, stack }: Args): Promise<void> {
  if (!runtime.isDryRun()) await toldToEngine(() => operations.renew({ options: given, stack }));
}

function parentOf({ stack, baseline, options: { parent, baselines } }: Args) {
  if (baseline === undefined) return { branch: parent, withData: false };
  const found = Object.hasOwn(baselines, baseline) ? baselines[baseline] : undefined;
  if (found) return found;
  throw new TerminalError({
    reason: "SpecInvalid",
    userMessage: `creating the database branch of "${stack}": baseline "${baseline}" does not exist; name it among the database's "baselines"`,
  });
}
