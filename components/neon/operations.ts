/** What is asked of Neon outside Pulumi. */
import { StacklingError } from "../errors.ts";
import type { Finding, OperationContext, OwnedThing } from "../ports.ts";
import type { Neon } from "./api.ts";
import { deleteBranch, endpointsOf, expireAt, findBranch, ownBranches, stackOf } from "./branches.ts";
import { expiryAfter } from "./expiry.ts";
import { connect, type NeonOptions } from "./options.ts";

/** Role and endpoint are the branch's own and go with it. */
export const kinds = ["database branch"];

export async function owned(options: NeonOptions, stack?: string): Promise<readonly OwnedThing[]> {
  const branches = await ownBranches(await connect(options), stack);
  return branches.map((branch) => ({ kind: "database branch", id: branch.name, stack: stackOf(branch) ?? "" }));
}

export async function remove(options: NeonOptions, { id, stack }: OwnedThing): Promise<void> {
  const neon = await connect(options);
  for (const branch of await ownBranches(neon, stack)) if (branch.name === id) await deleteBranch(neon, branch);
}

/** Puts the moment off at which Neon removes the preview's branches by itself; when the first of them would go. */
export async function renew({ options, stack }: OperationContext<NeonOptions>): Promise<string | undefined> {
  const at = expiryAfter(options.expireAfterDays, Date.now());
  if (at === undefined) return undefined;
  const neon = await connect(options);
  // One without a moment is still being made, or a person took it away.
  const branches = (await ownBranches(neon, stack)).filter(({ expires_at }) => expires_at !== undefined);
  for (const branch of branches) await expireAt(neon, branch, at);
  return branches.length === 0 ? undefined : at;
}

/**
 * Suspends or starts the compute; waking also puts the expiry off. The first query starts it too, so that a
 * wake does not fail when Neon's API cannot be asked.
 */
export async function setAwake(context: OperationContext<NeonOptions>, awake: boolean): Promise<void> {
  try {
    await turn(context, awake);
  } catch (error) {
    if (!awake || !(error instanceof StacklingError)) throw error;
  }
}

async function turn({ options, stack }: OperationContext<NeonOptions>, awake: boolean): Promise<void> {
  const neon = await connect(options);
  for (const branch of await ownBranches(neon, stack)) {
    for (const { id, current_state: state, disabled } of await endpointsOf(neon, branch.id)) {
      if (disabled || (state === "idle") !== awake) continue;
      await neon.ask(`${awake ? "starting" : "suspending"} compute endpoint "${id}"`, (api, project) =>
        awake ? api.startProjectEndpoint(project, id) : api.suspendProjectEndpoint(project, id),
      );
    }
    const at = awake && branch.expires_at !== undefined ? expiryAfter(options.expireAfterDays, Date.now()) : undefined;
    if (at !== undefined) await expireAt(neon, branch, at);
  }
}

export async function explain({ options, stack }: OperationContext<NeonOptions>): Promise<string | undefined> {
  try {
    const neon = await connect(options);
    const branches = await ownBranches(neon, stack);
    const branch = branches.at(-1);
    if (!branch) return `the database branch of "${stack}" does not exist at Neon`;
    if (branch.current_state !== "ready" && branch.current_state !== "archived") {
      return `database branch "${branch.name}" is still being made (${branch.current_state})`;
    }
    const [endpoint] = await endpointsOf(neon, branch.id);
    if (!endpoint) return `database branch "${branch.name}" has no compute endpoint`;
    return endpoint.disabled ? `compute endpoint "${endpoint.id}" was disabled at Neon` : undefined;
  } catch (error) {
    if (error instanceof StacklingError) return error.userMessage;
    throw error;
  }
}

export async function check(options: NeonOptions): Promise<readonly Finding[]> {
  try {
    const neon = await connect(options);
    const found = await neon.ask("looking for the project", (api, project) => api.getProject(project));
    if (!found) {
      const what = `the API key sees no project "${options.project}" at Neon`;
      return [{ ok: false, what, remedy: "correct the database's options `project` and `apiKey`" }];
    }
    const project: Finding = { ok: true, what: `Neon project "${found.project.name}" is reached` };
    const names = [options.parent, ...Object.values(options.baselines).map(({ branch }) => branch)];
    const parents = await Promise.all([...new Set(names)].map((name) => checkParent(neon, name)));
    return [project, ...parents, await checkRoom(neon, found.project.owner?.branches_limit)];
  } catch (error) {
    if (!(error instanceof StacklingError)) throw error;
    return [{ ok: false, what: error.userMessage, remedy: "correct the database's options `project` and `apiKey`" }];
  }
}

async function checkParent(neon: Neon, name: string): Promise<Finding> {
  if (await findBranch(neon, name)) return { ok: true, what: `Neon has the branch "${name}" that previews start from` };
  const remedy = "make it, or correct the database's options `parent` and `baselines`";
  return { ok: false, what: `Neon has no branch "${name}" for previews to start from`, remedy };
}

async function checkRoom(neon: Neon, limit: number | undefined): Promise<Finding> {
  const found = await neon.ask("counting branches", (api, projectId) => api.countProjectBranches({ projectId }));
  const count = found?.count ?? 0;
  if (limit === undefined || limit <= 0) return { ok: true, what: `Neon's project has ${count} branches` };
  const what = `Neon's project has ${count} of ${limit} branches`;
  return count < limit ? { ok: true, what } : { ok: false, what, remedy: "close previews, or raise the plan's limit" };
}
