/**
 * Database branches of previews. PlanetScale keeps no mark on a branch, so the name is the mark:
 * `stackling-<generation>-<baseline's digest or "none">-<stack>`. Shapes as in its Go client, planetscale-go.
 */
import { createHash } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { StacklingError, TerminalError } from "../errors.ts";
import { anything, ask, path } from "../rest.ts";
import type { Planetscale } from "./options.ts";

const branchShape = z.object({
  id: z.string(),
  name: z.string(),
  parent_branch: z.string().nullish(),
  ready: z.boolean(),
  production: z.boolean(),
  safe_migrations: z.boolean().nullish(),
  created_at: z.string(),
});

export type Branch = z.infer<typeof branchShape>;

/** Of the quarter of an hour that a run has. */
const READY_WITHIN_MS = 10 * 60_000;
const LOOK_AGAIN_MS = 1_000;
/** Whoever watches a run takes one without a word for stuck. */
const SAY_AFTER_MS = 60_000;
const PER_PAGE = 100;
/** A killed create is resumed within minutes; what is older was in use. */
const LEFTOVER_MAX_AGE_MS = 60 * 60_000;

/** Another one for another generation or baseline. Letters, digits and single dashes: all that PlanetScale takes for sure. */
export function branchName(stack: string, generation: number, baseline?: string): string {
  const digest = baseline === undefined ? "none" : createHash("sha256").update(baseline).digest("hex").slice(0, 6);
  return `stackling-${generation}-${digest}-${stack}`;
}

/** Stack of a branch that is ours; undefined for any other. */
export function stackOf({ name }: Pick<Branch, "name">): string | undefined {
  return /^stackling-\d+-(?:[0-9a-f]{6}|none)-([a-z0-9-]+)$/.exec(name)?.[1];
}

export async function findBranch(api: Planetscale, name: string): Promise<Branch | undefined> {
  return ask(api, { action: `looking for database branch "${name}"`, path: path`/branches/${name}` }, branchShape);
}

/** Ours, or those of one stack. What a person made a production branch is ours no more. */
export async function ownBranches(api: Planetscale, stack?: string): Promise<readonly Branch[]> {
  const found = await pages(api, { action: "listing database branches", path: "/branches" }, branchShape);
  return found.filter((branch) => {
    const owner = stackOf(branch);
    return !branch.production && owner !== undefined && (stack === undefined || owner === stack);
  });
}

export interface NewBranch {
  readonly name: string;
  readonly from: string;
  readonly withData: boolean;
}

/**
 * Makes a branch, or finishes what a killed create left a moment ago. Anything else of that name is never
 * touched (`TerminalError`, `NameTaken`). Throws `SpecInvalid` where there is no parent.
 */
export async function makeBranch(api: Planetscale, wanted: NewBranch, now: number): Promise<Branch> {
  const { name, from, withData } = wanted;
  const action = `creating database branch "${name}"`;
  const there = await findBranch(api, name);
  if (there) {
    const isLeftover =
      !there.production && there.parent_branch === from && now - Date.parse(there.created_at) < LEFTOVER_MAX_AGE_MS;
    if (isLeftover) return there;
    throw new TerminalError({
      reason: "NameTaken",
      userMessage: `${action}: PlanetScale has a branch of that name already (${there.id}), which this preview's stack does not know; delete it there, or make the database anew with reset-db`,
    });
  }
  if (!(await findBranch(api, from))) {
    throw new TerminalError({
      reason: "SpecInvalid",
      userMessage: `${action}: baseline branch "${from}" does not exist in PlanetScale's database "${api.database}"`,
    });
  }
  const body = { name, parent_branch: from, ...(withData && { seed_data: "last_successful_backup" }) };
  const made = await ask(api, { action, method: "POST", path: "/branches", body }, branchShape);
  if (made) return made;
  throw new StacklingError({ reason: "TargetInvalid", userMessage: `${action}: ${seesNothing(api)}` });
}

export interface Waiting {
  readonly signal: AbortSignal;
  readonly say: (words: string) => void;
}

/** Waits until it can be used. Throws `StacklingError` (`DatabaseFailed`) when it is gone or takes too long. */
export async function branchReady(api: Planetscale, name: string, { signal, say }: Waiting): Promise<Branch> {
  const action = `waiting for database branch "${name}"`;
  const began = performance.now();
  for (let saidMs = began; ; ) {
    const found = await findBranch(api, name);
    if (found?.ready) return found;
    const words = `${action}: ${found ? "PlanetScale is still making it" : "it is gone"}`;
    const now = performance.now();
    if (!found || now - began > READY_WITHIN_MS) {
      throw new StacklingError({ reason: "DatabaseFailed", userMessage: words });
    }
    if (now - saidMs > SAY_AFTER_MS) {
      saidMs = now;
      say(words);
    }
    await delay(LOOK_AGAIN_MS, undefined, { signal });
  }
}

/** Deletes the very branch of `id`: gone already, or another in its place, is success. */
export async function deleteBranch(api: Planetscale, { id, name }: Pick<Branch, "id" | "name">): Promise<void> {
  const action = `deleting database branch "${name}"`;
  const there = await findBranch(api, name);
  if (there?.id !== id) return;
  if (there.production) {
    throw new StacklingError({
      reason: "DatabaseFailed",
      userMessage: `${action}: somebody made it a production branch at PlanetScale; demote it, or delete it there`,
    });
  }
  await ask(api, { action, method: "DELETE", path: path`/branches/${name}` }, anything);
}

export function seesNothing({ organization, database }: Planetscale): string {
  return `the service token sees no database "${database}" of organization "${organization}" at PlanetScale`;
}

/** All pages of a list. */
export async function pages<T>(
  api: Planetscale,
  call: { readonly action: string; readonly path: string; readonly query?: Readonly<Record<string, string>> },
  item: z.ZodType<T>,
): Promise<readonly T[]> {
  const shape = z.object({ data: z.array(item), next_page: z.number().nullish() });
  const found: T[] = [];
  for (let next: number | undefined = 1; next !== undefined; ) {
    const query: Record<string, string> = { ...call.query, page: String(next), per_page: String(PER_PAGE) };
    const page: z.infer<typeof shape> | undefined = await ask(api, { ...call, query }, shape);
    if (!page) {
      throw new StacklingError({ reason: "TargetInvalid", userMessage: `${call.action}: ${seesNothing(api)}` });
    }
    found.push(...page.data);
    // A server that always names the same next page must not keep us.
    next = page.next_page && page.next_page > next ? page.next_page : undefined;
  }
  return found;
}
