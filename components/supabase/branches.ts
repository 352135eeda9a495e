/**
 * Preview branches. Supabase keeps no mark on one, so the name is the mark: `stackling/<stack>/<generation>`, and
 * the baseline's name behind it where there is one. Each is a project of its own. Shapes as in the types of the
 * management API that Supabase's CLI is built with.
 */
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { StacklingError, TerminalError } from "../errors.ts";
import { anything, ask, path, type RestApi } from "../rest.ts";

const branchShape = z.object({
  id: z.string(),
  name: z.string(),
  /** The branch's own project. */
  project_ref: z.string(),
  parent_project_ref: z.string(),
  is_default: z.boolean(),
  persistent: z.boolean(),
  status: z.string(),
  created_at: z.string(),
});

export type Branch = z.infer<typeof branchShape>;

const detailShape = z.object({
  ref: z.string(),
  status: z.string(),
  db_host: z.string(),
  db_port: z.number(),
  db_user: z.string().optional(),
  db_pass: z.string().optional(),
});

export type Detail = z.infer<typeof detailShape>;

/** Of the quarter of an hour that a run has. */
const READY_WITHIN_MS = 10 * 60_000;
const LOOK_AGAIN_MS = 2_000;
/** Whoever watches a run takes one without a word for stuck. */
const SAY_AFTER_MS = 60_000;
/** A killed create is resumed within minutes; what is older was in use. */
const LEFTOVER_MAX_AGE_MS = 60 * 60_000;

/** Another one for another generation or baseline. */
export function branchName(stack: string, generation: number, baseline?: string): string {
  return ["stackling", stack, generation, ...(baseline === undefined ? [] : [baseline])].join("/");
}

/** Stack of a branch that is ours; undefined for any other. */
export function stackOf({ name }: Pick<Branch, "name">): string | undefined {
  return /^stackling\/([a-z0-9-]+)\/\d+(?:\/[a-z0-9-]+)?$/.exec(name)?.[1];
}

/** All of a project. Throws `StacklingError` (`TargetInvalid`) where the token does not see it. */
export async function listBranches(api: RestApi, project: string): Promise<readonly Branch[]> {
  const action = "listing preview branches";
  const found = await ask(api, { action, path: path`/projects/${project}/branches` }, z.array(branchShape));
  if (found) return found;
  throw new StacklingError({ reason: "TargetInvalid", userMessage: `${action}: ${seesNothing(project)}` });
}

/** Ours, or those of one stack. What a person made persistent is ours no more. */
export async function ownBranches(api: RestApi, project: string, stack?: string): Promise<readonly Branch[]> {
  return (await listBranches(api, project)).filter((branch) => {
    const owner = stackOf(branch);
    return isPreview(branch) && owner !== undefined && (stack === undefined || owner === stack);
  });
}

export interface NewBranch {
  /** Reference of the parent. */
  readonly project: string;
  readonly name: string;
  readonly withData: boolean;
  readonly instanceSize?: string;
}

/**
 * Makes a branch, or finishes what a killed create left a moment ago. Anything else of that name is never
 * touched (`TerminalError`, `NameTaken`).
 */
export async function makeBranch(api: RestApi, wanted: NewBranch, now: number): Promise<Branch> {
  const { project, name, withData, instanceSize } = wanted;
  const action = `creating preview branch "${name}"`;
  const there = (await listBranches(api, project)).find((branch) => branch.name === name);
  if (there) {
    if (isPreview(there) && now - Date.parse(there.created_at) < LEFTOVER_MAX_AGE_MS) return there;
    throw new TerminalError({
      reason: "NameTaken",
      userMessage: `${action}: Supabase has a branch of that name already (${there.id}), which this preview's stack does not know; delete it there, or make the database anew with reset-db`,
    });
  }
  const body = {
    branch_name: name,
    persistent: false,
    with_data: withData,
    ...(instanceSize !== undefined && { desired_instance_size: instanceSize }),
  };
  const made = await ask(api, { action, method: "POST", path: path`/projects/${project}/branches`, body }, branchShape);
  if (made) return made;
  throw new StacklingError({ reason: "TargetInvalid", userMessage: `${action}: ${seesNothing(project)}` });
}

export interface Waiting {
  readonly signal: AbortSignal;
  readonly say: (words: string) => void;
}

/** Waits until its server runs and the parent's migrations are in it. Throws `StacklingError` (`DatabaseFailed`). */
export async function branchReady(api: RestApi, { id, name, parent_project_ref }: Branch, { signal, say }: Waiting) {
  const action = `waiting for preview branch "${name}"`;
  const began = performance.now();
  for (let saidMs = began; ; ) {
    const branch = (await listBranches(api, parent_project_ref)).find((one) => one.id === id);
    const detail = branch && (await detailOf(api, id));
    const words = branch ? `${branch.status}, ${detail?.status ?? "without a server"}` : "it is gone";
    if (branch && detail?.status === "ACTIVE_HEALTHY" && PREPARED.has(branch.status)) return detail;
    const hasFailed = !branch || branch.status === "MIGRATIONS_FAILED" || FAILED.has(detail?.status ?? "");
    if (hasFailed || performance.now() - began > READY_WITHIN_MS) {
      throw new StacklingError({ reason: "DatabaseFailed", userMessage: `${action}: ${words}` });
    }
    if (performance.now() - saidMs > SAY_AFTER_MS) {
      saidMs = performance.now();
      say(`${action}: ${words}`);
    }
    await delay(LOOK_AGAIN_MS, undefined, { signal });
  }
}

/** Its edge functions are no part of a preview's database. */
const PREPARED = new Set(["MIGRATIONS_PASSED", "FUNCTIONS_DEPLOYED", "FUNCTIONS_FAILED"]);
const FAILED = new Set(["INIT_FAILED", "RESTORE_FAILED", "REMOVED", "GOING_DOWN"]);

/** Undefined while Supabase has no server for it. */
export async function detailOf(api: RestApi, id: string): Promise<Detail | undefined> {
  return ask(api, { action: "looking at a preview branch", path: path`/branches/${id}` }, detailShape);
}

/** Gone already is success. One that a person made persistent is refused. */
export async function deleteBranch(api: RestApi, project: string, id: string): Promise<void> {
  const there = (await listBranches(api, project)).find((branch) => branch.id === id);
  if (!there) return;
  const action = `deleting preview branch "${there.name}"`;
  if (!isPreview(there)) {
    throw new StacklingError({
      reason: "DatabaseFailed",
      userMessage: `${action}: somebody made it persistent at Supabase; make it a preview branch again, or delete it there`,
    });
  }
  await ask(api, { action, method: "DELETE", path: path`/branches/${id}`, query: { force: "true" } }, anything);
}

export function seesNothing(project: string): string {
  return `the access token sees no project "${project}" with branches at Supabase`;
}

function isPreview({ is_default: isDefault, persistent }: Branch): boolean {
  return !isDefault && !persistent;
}
