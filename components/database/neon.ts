/** A database branch per preview at Neon, with a compute endpoint that scales to zero. */
import { all, type ComponentResourceOptions, type Output, output, runtime, secret } from "@pulumi/pulumi";
import { beforeCreate } from "../creation-hook.ts";
import { engineVariable, readCredential } from "../credential.ts";
import { toldToEngine } from "../errors.ts";
import { type Neon, quotaExceeded, tellsOfQuota } from "../neon/api.ts";
import { branchName, branchReady, clearBranchName, clearEndpoint, expireAt, parentId } from "../neon/branches.ts";
import { expiryAfter } from "../neon/expiry.ts";
import * as operations from "../neon/operations.ts";
import { connect, type NeonOptions, options } from "../neon/options.ts";
import { MaskedBranch, RotatedPassword } from "../neon/own-resources.ts";
import { type Inherited, type Masked, parentOf } from "../neon/parent.ts";
import { Branch, Database, Endpoint, Provider, Role } from "../neon/resources.ts";
import { clearDatabase, clearRole, ownPassword } from "../neon/roles.ts";
import type { DatabaseArgs, DatabaseComponent, DatabaseDriver } from "../ports.ts";
import { PreviewComponent } from "../preview-component.ts";

type Args = DatabaseArgs<NeonOptions>;

/** The database of a branch and who logs in to it. */
interface Access {
  readonly database: Output<string>;
  readonly role: Output<string>;
  readonly password: Output<string>;
}

class NeonDatabase extends PreviewComponent implements DatabaseComponent {
  readonly name: Output<string>;
  readonly url: Output<string>;
  readonly identity: Output<string>;

  constructor(name: string, args: Args, opts?: ComponentResourceOptions) {
    super("stackling:database:Neon", name, {}, opts);
    const from = parentOf(args);
    const neon = toldToEngine(() => connect(args.options));
    const parent = neon.then((known) =>
      toldToEngine(() => parentId(known, `branching for "${args.stack}"`, from.branch)),
    );
    const { branch, host, access } = from.masked
      ? this.#masked(args, { neon, parent }, from.masked)
      : this.#plain(args, { neon, parent }, from.inherits);
    const password = this.#rotated(args, branch.id, access.role) ?? access.password;
    const ready = all([branch.id, host, access.database]).apply(async ([id]) => settle(await neon, id, args));
    const { pooled } = args.options;
    this.name = all([access.database, ready]).apply(([database]) => database);
    this.identity = all([branch.id, ready]).apply(([id]) => id);
    this.url = secret(
      all([access.role, password, host, access.database, ready]).apply(([role, password, host, database]) =>
        connectionUrl({ role, password, host, database, pooled }),
      ),
    );
    this.registerOutputs({ name: this.name, url: this.url, identity: this.identity });
  }

  #plain(args: Args, from: Pick<OnBranch, "neon"> & OfParent, inherits: Inherited | undefined): Made {
    const on = { ...from, provider: this.#provider(args) };
    const branch = this.#branch(args, on);
    const { id, host } = this.#endpoint(args, { ...on, branch });
    const access = inherits ? inherited({ ...on, branch }, inherits, args) : this.#ownDatabase(args, { ...on, branch });
    return { branch, host: all([host, id]).apply(([known]) => known), access };
  }

  /** Neon makes its compute with it, for the masking needs one. */
  #masked(args: Args, on: Pick<OnBranch, "neon"> & OfParent, { parent, rules, inherits }: Masked): Made {
    const { project, apiKey, apiUrl, minComputeUnits, maxComputeUnits, suspendTimeoutSeconds } = args.options;
    const branch = new MaskedBranch(
      this.childName("branch"),
      {
        account: { project, apiKey, apiUrl },
        name: branchName({ ...args, masked: true }),
        parent,
        rules,
        compute: { minComputeUnits, maxComputeUnits, suspendTimeoutSeconds },
      },
      { parent: this },
    );
    return { branch, host: branch.host, access: inherited({ ...on, branch }, inherits, args) };
  }

  /** Undefined before the first rotation. */
  #rotated({ rotation = 0, options: given }: Args, branchId: Output<string>, role: Output<string>) {
    if (rotation === 0) return undefined;
    const { project, apiKey, apiUrl } = given;
    const account = { project, apiKey, apiUrl };
    return new RotatedPassword(this.childName("password"), { account, branchId, role, rotation }, { parent: this })
      .password;
  }

  #provider({ options: { apiKey } }: Args): Provider {
    const name = this.childName("provider");
    const variable = engineVariable(apiKey);
    if (variable !== undefined) {
      return new Provider(name, {}, { parent: this, envVarMappings: { [variable]: "NEON_API_KEY" } });
    }
    const key = secret(toldToEngine(() => readCredential(apiKey, "Neon's API key")));
    return new Provider(name, { apiKey: key }, { parent: this });
  }

  #branch(args: Args, { neon, parent, provider }: Omit<OnBranch, "branch"> & OfParent) {
    const name = branchName(args);
    const { project: projectId } = args.options;
    return new Branch(
      this.childName("branch"),
      { projectId, name, parentId: parent },
      {
        parent: this,
        provider,
        // The provider would rename it: another generation or baseline is another branch.
        replaceOnChanges: ["name"],
        ...beforeCreate(async () => clearBranchName(await neon, name, await parent), {
          name: `${this.childName("branch")}-refused`,
          mean: (told) =>
            tellsOfQuota(told) ? quotaExceeded(`creating database branch "${name}"`, lastLine(told)) : undefined,
        }),
      },
    );
  }

  #endpoint({ options: given }: Args, { neon, branch, provider }: OnBranch): Endpoint {
    return new Endpoint(
      this.childName("endpoint"),
      {
        projectId: given.project,
        branchId: branch.id,
        type: "read_write",
        autoscalingLimitMinCu: given.minComputeUnits,
        autoscalingLimitMaxCu: given.maxComputeUnits,
        suspendTimeoutSeconds: given.suspendTimeoutSeconds,
      },
      {
        parent: this,
        provider,
        // It goes with its branch, and cannot move to another.
        deletedWith: branch,
        replaceOnChanges: ["branchId"],
        ...beforeCreate(async (inputs) => clearEndpoint(await neon, branchIdOf(inputs))),
      },
    );
  }

  /** An empty database with a role of its own, named after the stack. */
  #ownDatabase({ stack, options: { project: projectId } }: Args, { neon, branch, provider }: OnBranch): Access {
    const name = stack.replaceAll("-", "_");
    const common = { parent: this, provider, deletedWith: branch };
    const role = new Role(
      this.childName("role"),
      { projectId, branchId: branch.id, name },
      {
        ...common,
        additionalSecretOutputs: ["password"],
        ...beforeCreate(async (inputs) => clearRole(await neon, branchIdOf(inputs), name)),
      },
    );
    const database = new Database(
      this.childName("data"),
      { projectId, branchId: branch.id, name, ownerName: role.name },
      {
        ...common,
        ...beforeCreate(async (inputs) => clearDatabase(await neon, branchIdOf(inputs), name, Date.now())),
      },
    );
    return { database: database.name, role: role.name, password: role.password };
  }
}

interface OnBranch {
  readonly neon: Promise<Neon>;
  readonly branch: Branch;
  readonly provider: Provider;
}

interface OfParent {
  readonly parent: Promise<string>;
}

interface Made {
  readonly branch: { readonly id: Output<string> };
  /** Of its compute endpoint. */
  readonly host: Output<string>;
  readonly access: Access;
}

export const neonDatabase: DatabaseDriver<NeonOptions> = {
  options,
  component: NeonDatabase,
  plugins: ["@pulumi/neon"],
  placedBy: ["project"],
  operations,
  example: () => ({
    options: options.parse({
      project: "spring-example-302709",
      apiKey: { env: "NEON_API_KEY" },
      parent: "previews",
      baselines: { main: { branch: "main" } },
    }),
    generation: 0,
  }),
};

/** A baseline's database and role as they came with the branch, with a password that only this branch has. */
function inherited(
  { neon, parent, branch }: Pick<OnBranch, "neon"> & OfParent & { readonly branch: { readonly id: Output<string> } },
  { database, role }: Inherited,
  { rotation = 0 }: Args,
): Access {
  // A rotation sets another; the one before it is nobody's business any more.
  const readOnly = runtime.isDryRun() || rotation > 0;
  const password = all([branch.id, parent]).apply(([branchId, parentId]) =>
    toldToEngine(async () => ownPassword(await neon, { role, branchId, parentId, readOnly })),
  );
  return { database: output(database), role: output(role), password: secret(password) };
}

/** After this the branch can be used, and Neon knows how long to keep it. */
async function settle(neon: Neon, id: string, { tags, options: { expireAfterDays } }: Args): Promise<void> {
  if (runtime.isDryRun()) return;
  await toldToEngine(async () => {
    const branch = await branchReady(neon, id);
    const at = expiryAfter(expireAfterDays, Date.now(), tags["hard-stop"]);
    if (at !== undefined) await expireAt(neon, branch, at);
  });
}

interface Connection {
  readonly role: string;
  readonly password: string;
  /** Of the compute endpoint, whose id is its first label. */
  readonly host: string;
  readonly database: string;
  readonly pooled: boolean;
}

/** Neon docs, "Connection pooling": the pooler answers at the endpoint's name with `-pooler` behind it. */
function connectionUrl({ role, password, host, database, pooled }: Connection): string {
  const at = pooled ? host.replace(/^([^.]+?)(-pooler)?\./, "$1-pooler.") : host;
  const [user, word, name] = [role, password, database].map(encodeURIComponent);
  return `postgres://${user}:${word}@${at}:5432/${name}?sslmode=require`;
}

function branchIdOf({ branchId }: Readonly<Record<string, unknown>>): string {
  if (typeof branchId === "string") return branchId;
  throw new Error("creating a part of a database branch: the branch has no id");
}

function lastLine(told: string): string {
  return told.trim().split("\n").at(-1)?.trim() ?? told;
}
