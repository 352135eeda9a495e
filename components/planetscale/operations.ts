/** What is asked of PlanetScale outside Pulumi. */
import { z } from "zod";
import { StacklingError } from "../errors.ts";
import type { Finding, OperationContext, OwnedThing } from "../ports.ts";
import { ask } from "../rest.ts";
import { deleteBranch, findBranch, ownBranches, seesNothing, stackOf } from "./branches.ts";
import { connect, type Planetscale, type PlanetscaleOptions } from "./options.ts";
import { findPassword, listPasswords, renewPassword } from "./passwords.ts";

type Context = OperationContext<PlanetscaleOptions>;

/** Passwords are the branch's own and go with it. */
export const kinds = ["database branch"];

export async function owned(options: PlanetscaleOptions, stack?: string): Promise<readonly OwnedThing[]> {
  const branches = await ownBranches(await connect(options), stack);
  return branches.map((branch) => ({ kind: "database branch", id: branch.name, stack: stackOf(branch) ?? "" }));
}

export async function remove(options: PlanetscaleOptions, { id, stack }: OwnedThing): Promise<void> {
  const api = await connect(options);
  for (const branch of await ownBranches(api, stack)) if (branch.name === id) await deleteBranch(api, branch);
}

/**
 * Every password of the preview's branches that is still valid; when the first of them ends. Where none is valid any
 * more, that is over: an update, which must not be kept from it, makes another.
 */
export async function renew({ options, stack }: Context): Promise<string | undefined> {
  const api = await connect(options);
  const ends: string[] = [];
  for (const { name: branch } of await ownBranches(api, stack)) {
    const known = (await listPasswords(api, branch)).flatMap(({ id, expires_at: end }) =>
      end ? [{ id, end: new Date(end).toISOString() }] : [],
    );
    const valid = known.filter(({ end }) => Date.parse(end) > Date.now());
    for (const { id } of valid) {
      const { expires_at: end } = (await renewPassword(api, branch, id)) ?? {};
      if (end) ends.push(new Date(end).toISOString());
    }
    if (valid.length === 0)
      ends.push(
        ...known
          .map(({ end }) => end)
          .sort()
          .slice(-1),
      );
  }
  return ends.sort()[0];
}

export async function explain({ options, stack }: Context): Promise<string | undefined> {
  try {
    const api = await connect(options);
    const branch = (await ownBranches(api, stack)).at(-1);
    if (!branch) return `the database branch of "${stack}" does not exist at PlanetScale`;
    if (!branch.ready) return `PlanetScale is still making the database branch "${branch.name}"`;
    const passwords = await listPasswords(api, branch.name);
    const living = await Promise.all(passwords.map(({ id }) => findPassword(api, branch.name, id)));
    if (living.some(Boolean)) return undefined;
    return `database branch "${branch.name}" has no password that is still valid; redeploy the preview for a new one`;
  } catch (error) {
    if (error instanceof StacklingError) return error.userMessage;
    throw error;
  }
}

const REMEDY =
  "correct the database's options `organization`, `database`, `serviceTokenId` and `serviceToken`, and give the token what the documentation lists";

export async function check(options: PlanetscaleOptions): Promise<readonly Finding[]> {
  try {
    const api = await connect(options);
    const found = await ask(api, { action: "looking for the database", path: "" }, databaseShape);
    if (!found) return [{ ok: false, what: seesNothing(api), remedy: REMEDY }];
    if (found.kind !== undefined && found.kind !== "mysql") {
      const what = `PlanetScale's database "${options.database}" is ${found.kind}, and this driver is for MySQL`;
      return [{ ok: false, what, remedy: "take a MySQL (Vitess) database, or another driver" }];
    }
    const names = [options.parent, ...Object.values(options.baselines).map(({ branch }) => branch)];
    const parents = await Promise.all([...new Set(names)].map((name) => checkParent(api, name)));
    const into = options.deployInto === undefined ? [] : [await checkDeployed(api, options.deployInto)];
    return [{ ok: true, what: `PlanetScale's database "${options.database}" is reached` }, ...parents, ...into];
  } catch (error) {
    if (!(error instanceof StacklingError)) throw error;
    return [{ ok: false, what: error.userMessage, remedy: REMEDY }];
  }
}

const databaseShape = z.object({ name: z.string(), kind: z.string().optional() });

async function checkParent(api: Planetscale, name: string): Promise<Finding> {
  if (await findBranch(api, name)) {
    return { ok: true, what: `PlanetScale has the branch "${name}" that previews start from` };
  }
  const remedy = "make it, or correct the database's options `parent` and `baselines`";
  return { ok: false, what: `PlanetScale has no branch "${name}" for previews to start from`, remedy };
}

/** PlanetScale docs, "Deploy requests": only such a branch takes them. */
async function checkDeployed(api: Planetscale, name: string): Promise<Finding> {
  const what = `PlanetScale's branch "${name}" that takes deploy requests`;
  const found = await findBranch(api, name);
  if (found?.production && found.safe_migrations !== false) return { ok: true, what };
  const why = !found
    ? "there is none of that name"
    : found.production
      ? "it has no safe migrations"
      : "it is no production branch";
  return {
    ok: false,
    what: `${what}: ${why}`,
    remedy: "mend that there, or correct the database's option `deployInto`",
  };
}
