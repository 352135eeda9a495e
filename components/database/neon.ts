/** A database branch per preview at Neon, with a compute endpoint that scales to zero. */
import { all, type ComponentResourceOptions, type Output, output, runtime, secret } from "@pulumi/pulumi";
import { beforeCreate } from "../creation-hook.ts";
import { engineVariable, readCredential } from "../credential.ts";
import { TerminalError, toldToEngine } from "../errors.ts";
import { type Neon, quotaExceeded, tellsOfQuota } from "../neon/api.ts";
import { branchName, branchReady, clearBranchName, clearEndpoint, expireAt, parentId } from "../neon/branches.ts";
import { expiryAfter } from "../neon/expiry.ts";
import * as operations from "../neon/operations.ts";
import { connect, type NeonOptions, options } from "../neon/options.ts";
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
    const neon = toldToEngine(() => connect(args.options));
    const provider = this.#provider(args);
    const from = parentOf(args);
    const parent = neon.then((known) =>
      toldToEngine(() => parentId(known, `branching for "${args.stack}"`, from.branch)),
    );
    const branch = this.#branch(args, { neon, parent, provider });
    const endpoint = this.#endpoint(args, { neon, branch, provider });
    const access = from.inherits
      ? inherited({ neon, parent, branch }, from.inherits)
      : this.#ownDatabase(args, { neon, branch, provider });
    const ready = all([branch.id, endpoint.id, access.database]).apply(async ([id]) => settle(await neon, id, args));
    const { pooled } = args.options;
    this.name = all([access.database, ready]).apply(([database]) => database);
    this.identity = all([branch.id, ready]).apply(([id]) => id);
    this.url = secret(
      all([access.role, access.password, endpoint.host, access.database, ready]).apply(
        ([role, password, host, database]) => connectionUrl({ role, password, host, database, pooled }),
      ),
    );
    this.registerOutputs({ name: this.name, url: this.url, identity: this.identity });
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

  #branch(
    args: Args,
    { neon, parent, provider }: { neon: Promise<Neon>; parent: Promise<string>; provider: Provider },
  ) {
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

interface Parent {
  readonly branch: string;
  /** Of a baseline: what the new branch brings from it. */
  readonly inherits?: { readonly database: string; readonly role: string };
}

function parentOf({ stack, baseline, options: { parent, baselines } }: Args): Parent {
  if (baseline === undefined) return { branch: parent };
  const found = Object.hasOwn(baselines, baseline) ? baselines[baseline] : undefined;
  if (found) return { branch: found.branch, inherits: found };
  throw new TerminalError({
    reason: "SpecInvalid",
    userMessage: `creating the database branch of "${stack}": baseline "${baseline}" does not exist; name it among the database's "baselines"`,
  });
}

/** A baseline's database and role as they came with the branch, with a password that only this branch has. */
function inherited(
  { neon, parent, branch }: Pick<OnBranch, "neon" | "branch"> & { readonly parent: Promise<string> },
  { database, role }: NonNullable<Parent["inherits"]>,
): Access {
  const password = all([branch.id, parent]).apply(([branchId, parentId]) =>
    toldToEngine(async () => ownPassword(await neon, { role, branchId, parentId, readOnly: runtime.isDryRun() })),
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
