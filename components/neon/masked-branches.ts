/**
 * Branches that Neon masks while it makes them (Neon docs, "Data anonymization", a beta). Such a branch gets its
 * compute endpoint with it, for it can lose none later, and nobody can connect to it before it is masked.
 */
import { setTimeout as delay } from "node:timers/promises";
import { EndpointType, type MaskingRule } from "@neondatabase/api-client";
import { StacklingError, TerminalError } from "../errors.ts";
import type { Neon } from "./api.ts";
import { deleteBranch, endpointsOf, findBranch, parentId } from "./branches.ts";
import type { NeonOptions } from "./options.ts";

export interface MaskedBranch {
  readonly name: string;
  /** Name of the branch it is made of. */
  readonly parent: string;
  readonly rules: readonly MaskingRule[];
  readonly compute: Compute;
}

export type Compute = Pick<NeonOptions, "minComputeUnits" | "maxComputeUnits" | "suspendTimeoutSeconds">;

export interface Waiting {
  readonly signal: AbortSignal;
  readonly say: (words: string) => void;
}

/** Of the quarter of an hour that a run has. */
const MASKED_WITHIN_MS = 10 * 60_000;
const LOOK_AGAIN_MS = 1_000;
/** Whoever watches a run takes one without a word for stuck. */
const SAY_AFTER_MS = 60_000;
/** A killed create is resumed within minutes; what is older was in use. */
const LEFTOVER_MAX_AGE_MS = 60 * 60_000;

/**
 * Id of the new branch, masked. One whose masking fails is deleted: it would hold what nobody may see. What a
 * killed create left is made anew; anything else of that name is never touched (`TerminalError`, `NameTaken`).
 */
export async function makeMasked(neon: Neon, wanted: MaskedBranch, waiting: Waiting): Promise<string> {
  const { name, parent, rules, compute } = wanted;
  const action = `creating masked branch "${name}"`;
  const parent_id = await parentId(neon, action, parent);
  await clearLeftover(neon, name, parent_id);
  const made = await neon.ask(action, (api, project) =>
    api.createProjectBranchAnonymized(project, {
      branch_create: { branch: { name, parent_id }, endpoints: [{ type: EndpointType.ReadWrite, ...limits(compute) }] },
      masking_rules: [...rules],
      start_anonymization: true,
    }),
  );
  if (!made) throw new StacklingError({ reason: "DatabaseFailed", userMessage: `${action}: Neon has no such project` });
  try {
    await masked(neon, made.branch, waiting);
  } catch (error) {
    if (!waiting.signal.aborted) await deleteBranch(neon, made.branch).catch(() => undefined);
    throw error;
  }
  return made.branch.id;
}

/** Where its compute endpoint is reached. */
export async function hostOf(neon: Neon, branchId: string): Promise<string> {
  const [endpoint] = await endpointsOf(neon, branchId);
  if (endpoint) return endpoint.host;
  throw new StacklingError({
    reason: "DatabaseFailed",
    userMessage: `looking for the compute endpoint of branch "${branchId}": it has none`,
  });
}

export async function resize(neon: Neon, branchId: string, compute: Compute): Promise<void> {
  for (const { id } of await endpointsOf(neon, branchId)) {
    await neon.ask(`changing compute endpoint "${id}"`, (api, project) =>
      api.updateProjectEndpoint(project, id, { endpoint: limits(compute) }),
    );
  }
}

function limits({ minComputeUnits, maxComputeUnits, suspendTimeoutSeconds }: Compute) {
  return {
    autoscaling_limit_min_cu: minComputeUnits,
    autoscaling_limit_max_cu: maxComputeUnits,
    suspend_timeout_seconds: suspendTimeoutSeconds,
  };
}

async function clearLeftover(neon: Neon, name: string, parent: string): Promise<void> {
  const there = await findBranch(neon, name);
  if (!there) return;
  const isYoung = Date.now() - Date.parse(there.created_at) < LEFTOVER_MAX_AGE_MS;
  if (isYoung && there.parent_id === parent && !there.default && !there.protected) return deleteBranch(neon, there);
  throw new TerminalError({
    reason: "NameTaken",
    userMessage: `creating masked branch "${name}": Neon has a branch of that name already (${there.id}), which this preview's stack does not know; delete it there, or make the database anew with reset-db`,
  });
}

async function masked(
  neon: Neon,
  { id, name }: { readonly id: string; readonly name: string },
  { signal, say }: Waiting,
): Promise<void> {
  const action = `masking branch "${name}"`;
  const began = performance.now();
  for (let saidMs = began; ; ) {
    const found = await neon.ask(action, (api, project) => api.getAnonymizedBranchStatus(project, id));
    if (found?.state === "anonymized") return;
    // Neon's own words may quote a row.
    const told = found ? `it is "${found.state}"` : "the branch is gone";
    const now = performance.now();
    const hasFailed = !found || found.state === "error" || found.state === "initialization_error";
    if (hasFailed || now - began > MASKED_WITHIN_MS) {
      const remedy = "see that the baseline's `masking` names columns that are there, none of them a foreign key's";
      throw new StacklingError({ reason: "DatabaseFailed", userMessage: `${action}: ${told}; ${remedy}` });
    }
    if (now - saidMs > SAY_AFTER_MS) {
      saidMs = now;
      say(`${action}: ${told}`);
    }
    await delay(LOOK_AGAIN_MS, undefined, { signal });
  }
}
