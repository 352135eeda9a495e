/**
 * Database branches of previews. Neon keeps no mark on a branch that the Pulumi provider could set, so the
 * name is the mark: `stackling/<stack>/<generation>`, the baseline's name behind it where there is one, and
 * `masked` behind that where Neon masks it.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Branch, Endpoint } from "@neondatabase/api-client";
import { StacklingError, TerminalError } from "../errors.ts";
import type { Neon } from "./api.ts";

export interface BranchName {
  readonly stack: string;
  readonly generation: number;
  readonly baseline?: string;
  readonly masked?: true;
}

const READY_WITHIN_MS = 120_000;
const LOOK_AGAIN_MS = 500;
const PAGE = 500;

/** Another one for another generation or baseline, and once that is masked: each makes the branch anew. */
export function branchName({ stack, generation, baseline, masked }: BranchName): string {
  const from = baseline === undefined ? [] : [baseline, ...(masked ? ["masked"] : [])];
  return ["stackling", stack, generation, ...from].join("/");
}

/** Stack of a branch that is ours; undefined for any other. */
export function stackOf({ name }: Pick<Branch, "name">): string | undefined {
  return /^stackling\/([a-z0-9-]+)\/\d+(?:\/[a-z0-9-]+(?:\/masked)?)?$/.exec(name)?.[1];
}

export async function findBranch(neon: Neon, name: string): Promise<Branch | undefined> {
  return (await listBranches(neon, name)).find((branch) => branch.name === name);
}

/** Ours, or those of one stack. */
export async function ownBranches(neon: Neon, stack?: string): Promise<readonly Branch[]> {
  const found = await listBranches(neon, `stackling/${stack === undefined ? "" : `${stack}/`}`);
  return found.filter((branch) => {
    const owner = stackOf(branch);
    return owner !== undefined && (stack === undefined || owner === stack);
  });
}

/** Id of the branch that others start from. Throws `TerminalError` (`SpecInvalid`) when there is none of that name. */
export async function parentId(neon: Neon, action: string, parent: string): Promise<string> {
  const found = await findBranch(neon, parent);
  if (found) return found.id;
  throw new TerminalError({
    reason: "SpecInvalid",
    userMessage: `${action}: baseline branch "${parent}" does not exist in Neon's project "${neon.project}"`,
  });
}

/**
 * Makes sure that a branch's name is free right before the branch is created: removes what a killed create
 * left, which has no compute endpoint yet. Anything else of that name is never touched (`TerminalError`,
 * `NameTaken`): it may hold data.
 */
export async function clearBranchName(neon: Neon, name: string, parent: string): Promise<void> {
  const there = await findBranch(neon, name);
  if (!there) return;
  const endpoints = await endpointsOf(neon, there.id);
  const isLeftover = there.parent_id === parent && !there.default && !there.protected && endpoints.length === 0;
  if (isLeftover) return deleteBranch(neon, there);
  throw new TerminalError({
    reason: "NameTaken",
    userMessage: `creating database branch "${name}": Neon has a branch of that name already (${there.id}), which this preview's stack does not know; delete it there, or make the database anew with reset-db`,
  });
}

/** Removes a compute endpoint that a killed create left on a preview's own branch: it holds no data. */
export async function clearEndpoint(neon: Neon, branchId: string): Promise<void> {
  for (const { id } of await endpointsOf(neon, branchId)) {
    await neon.ask(`deleting compute endpoint "${id}"`, (api, project) => api.deleteProjectEndpoint(project, id));
  }
}

/** Gone already is success. A branch with children or one that is protected is refused by Neon (`DatabaseFailed`). */
export async function deleteBranch(neon: Neon, { id, name }: Pick<Branch, "id" | "name">): Promise<void> {
  await neon.ask(`deleting database branch "${name}"`, (api, projectId) =>
    api.deleteProjectBranch({ projectId, branchId: id }),
  );
}

/** Waits until a branch can be used. Throws `StacklingError` (`DatabaseFailed`) when it is gone or takes too long. */
export async function branchReady(neon: Neon, id: string): Promise<Branch> {
  const until = performance.now() + READY_WITHIN_MS;
  for (;;) {
    const found = await neon.ask(`waiting for database branch "${id}"`, (api, project) =>
      api.getProjectBranch(project, id),
    );
    if (found && found.branch.current_state !== "init" && found.branch.current_state !== "resetting")
      return found.branch;
    if (!found || performance.now() > until) {
      const why = found ? `it is still "${found.branch.current_state}"` : "it is gone";
      throw new StacklingError({
        reason: "DatabaseFailed",
        userMessage: `waiting for database branch "${id}": ${why}`,
      });
    }
    await delay(LOOK_AGAIN_MS);
  }
}

/** Neon deletes the branch by itself then; ISO 8601 UTC. The last resort for what nobody removes. */
export async function expireAt(neon: Neon, { id, name }: Pick<Branch, "id" | "name">, at: string): Promise<void> {
  // RFC 3339 with precision up to seconds: API reference, "Update branch".
  const expires_at = at.replace(/\.\d+Z$/, "Z");
  await neon.ask(`setting when database branch "${name}" expires`, (api, project) =>
    api.updateProjectBranch(project, id, { branch: { expires_at } }),
  );
}

export async function endpointsOf(neon: Neon, branchId: string): Promise<readonly Endpoint[]> {
  const found = await neon.ask("listing compute endpoints", (api, project) =>
    api.listProjectBranchEndpoints(project, branchId),
  );
  return found?.endpoints ?? [];
}

async function listBranches(neon: Neon, search: string): Promise<readonly Branch[]> {
  const found: Branch[] = [];
  let cursor: string | undefined;
  do {
    const query = {
      search,
      limit: PAGE,
      sort_by: "created_at" as const,
      sort_order: "asc" as const,
      ...(cursor !== undefined && { cursor }),
    };
    const page = await neon.ask("listing database branches", (api, projectId) =>
      api.listProjectBranches({ projectId, ...query }),
    );
    if (!page) {
      const userMessage = `listing database branches: the API key sees no project "${neon.project}" at Neon`;
      throw new StacklingError({ reason: "TargetInvalid", userMessage });
    }
    found.push(...page.branches);
    cursor = page.branches.length === 0 ? undefined : page.pagination?.next;
  } while (cursor !== undefined);
  return found;
}
