/** Finds what bears our tags and belongs to no preview. Reads only. */
import { setTimeout as pause } from "node:timers/promises";
import type { OwnedThing } from "../../components/ports.ts";
import { formatKey, isStage, isStageName } from "../../infra/names.ts";
import { previewSpec } from "../../infra/spec.ts";
import type { Stacks } from "../../infra/stacks.ts";
import type { RepositoryConfig } from "../config/repository-types.ts";
import type { Forge } from "../forges/forge.ts";
import type { Identities } from "../identities.ts";
import { wordsOf } from "../policy.ts";
import type { Preview } from "../status.ts";
import type { Store } from "../store/store.ts";
import type { World } from "../world.ts";
import { createEvidenceReader, type Evidence } from "./evidence.ts";
import type { Stray } from "./report.ts";

export interface FindDeps {
  readonly world: Pick<World, "configured" | "owned">;
  readonly stacks: Pick<Stacks, "list" | "outputs" | "remains" | "leftovers">;
  readonly store: Pick<Store, "list">;
  readonly repositories: () => Promise<readonly RepositoryConfig[]>;
  readonly forge: (name: string) => Forge | undefined;
  /** Undefined: what answers at a repository's path is taken for it. */
  readonly identities?: Pick<Identities, "isOurs">;
  /** Between the two reads of a forge. */
  readonly readAgainMs?: number;
}

export interface Found {
  readonly strays: readonly Stray[];
  readonly unread: readonly string[];
}

const READ_AGAIN_MS = 5_000;
/** As `stackName` makes it. */
const STAGE_STACK = /^([a-z][a-z0-9-]*)-st-([a-z0-9]+)$/;
/** A forge has no record of a pull request whose preview waits with one of these. */
const WITHOUT_GROUND: ReadonlySet<string> = new Set([
  "Unreachable",
  "NotConfigured",
  "RefNotFound",
  "RepositoryReplaced",
]);

/**
 * The world is listed before the store: what is made in between has its record by then, for a record is
 * written before anything is built.
 */
export async function findStrays(deps: FindDeps): Promise<Found> {
  const { things, stacks, unread } = await listWorld(deps);
  // Taken for things without a stack, they would go without a destroy, and previews by a plain `--confirm`.
  if (!stacks) return { strays: [], unread };
  const previews = await deps.store.list({ gone: true });
  const byStack = new Map(previews.map((preview) => [preview.stack, preview]));
  const repositories = await deps.repositories();
  const candidates: Candidate[] = [];
  for (const stack of new Set([...stacks, ...things.map((thing) => thing.stack)])) {
    const preview = byStack.get(stack);
    if (preview && !isCandidate(preview)) continue;
    const held = { stack, preview, hasStack: stacks.has(stack) };
    const place = await placeOf(deps, held, repositories);
    // A stage goes by a person's `down` alone; what that left behind is as anything else's.
    if (isStage(place.key ?? "") && preview?.status.goneAt === undefined) continue;
    candidates.push({ ...held, things: distinct(things, stack), ...place });
  }
  // Previews whose stack is listed or not: a person may let those go of which nothing proves it.
  return { strays: await judgeAll(deps, candidates, previews), unread };
}

interface Place {
  readonly key?: string;
  readonly repository?: RepositoryConfig;
  readonly number?: number;
}

interface Candidate extends Place {
  readonly stack: string;
  readonly preview: Preview | undefined;
  readonly hasStack: boolean;
  readonly things: Stray["things"];
}

/** Gone by its record, or without any ground that it is of something. */
function isCandidate({ status, intents }: Preview): boolean {
  return status.goneAt !== undefined || (WITHOUT_GROUND.has(status.reason) && !intents.removed);
}

async function judgeAll(
  deps: FindDeps,
  candidates: readonly Candidate[],
  previews: readonly Preview[],
): Promise<readonly Stray[]> {
  if (candidates.length === 0) return [];
  const { forge, identities } = deps;
  const known = { forge, identities, previews: previews.filter(({ status }) => !status.goneAt) };
  const readAll = async () => {
    const read = createEvidenceReader(known);
    const all: Evidence[] = [];
    for (const { repository, number } of candidates) {
      all.push(repository && number !== undefined ? await read(repository, number) : "unclear");
    }
    return all;
  };
  const first = await readAll();
  const worthReading = first.some((evidence) => evidence === "closed" || evidence === "unknown");
  if (worthReading) await pause(deps.readAgainMs ?? READ_AGAIN_MS);
  const second = worthReading ? await readAll() : first;
  return candidates.flatMap((candidate, index) => {
    const evidence = first[index] === second[index] ? (first[index] ?? "unclear") : "unclear";
    const judged = judge(candidate, evidence);
    if (!judged) return [];
    const { stack, key, hasStack, things } = candidate;
    return [{ stack, ...(key === undefined ? {} : { key }), hasStack, things, ...judged }];
  });
}

/** Undefined where it is no stray: the pull request is open, and the resync sees to it. */
function judge(
  { preview, repository, number, hasStack }: Candidate,
  evidence: Evidence,
): Pick<Stray, "why" | "needsConfirmation"> | undefined {
  const sure = (why: string) => ({ why, needsConfirmation: false });
  const unsure = (why: string) => ({ why, needsConfirmation: true });
  if (evidence === "closed") return sure(`pull request ${number} is closed`);
  // Proved gone by ourselves, and what is left is not the stack that an open pull request would get again.
  if (preview?.status.goneAt && !hasStack) return sure(`preview "${preview.key}" is gone`);
  if (evidence === "open") return undefined;
  const seen = preview?.pullRequest !== undefined;
  if (evidence === "unknown" && !seen) return sure(`there is no pull request ${number}`);
  if (!repository) return unsure("its repository is not configured");
  if (number === undefined) return unsure("it is of no pull request, and nobody knows of it");
  return unsure(`the forge does not say what became of pull request ${number}`);
}

/** What a stack is of: by its record, its spec, or its name. */
async function placeOf(
  { stacks }: FindDeps,
  { stack, preview, hasStack }: Pick<Candidate, "stack" | "preview" | "hasStack">,
  repositories: readonly RepositoryConfig[],
): Promise<Place> {
  const named = (name: string) => repositories.find((repository) => repository.name === name);
  if (preview) return { key: preview.key, repository: named(preview.repository), number: preview.number };
  const outputs = hasStack ? await stacks.outputs(stack).catch(() => undefined) : undefined;
  const { data: spec } = previewSpec.safeParse(outputs?.spec);
  if (spec?.stack === stack) return { key: spec.key, repository: named(spec.repository), number: spec.number };
  const stage = STAGE_STACK.exec(stack);
  if (stage?.[1] && stage[2] && isStageName(stage[2])) {
    return { key: formatKey({ repository: stage[1], stage: stage[2] }), repository: named(stage[1]) };
  }
  const [, name, digits] = /^([a-z][a-z0-9-]*)-pr-([1-9][0-9]{0,9})$/.exec(stack) ?? [];
  if (name === undefined) return {};
  const number = Number(digits);
  return { key: formatKey({ repository: name, number }), repository: named(name), number };
}

async function listWorld({ world, stacks }: FindDeps) {
  const things: OwnedThing[] = [];
  const unread: string[] = [];
  const listed = world.configured.map(async (target, index) => {
    try {
      things.push(...(await world.owned(undefined, [target])));
    } catch (error) {
      unread.push(wordsOf(error, `listing what is there on target ${index + 1}`));
    }
  });
  const names = stacks.list().catch((error: unknown) => {
    unread.push(wordsOf(error, "listing the stacks"));
    return undefined;
  });
  const files = listLeftovers(stacks).catch((error: unknown) => {
    unread.push(wordsOf(error, "listing what is left of stacks"));
    return [];
  });
  await Promise.all(listed);
  things.push(...(await files));
  const known = await names;
  return { things, stacks: known && new Set(known), unread };
}

async function listLeftovers(stacks: FindDeps["stacks"]): Promise<OwnedThing[]> {
  const found: OwnedThing[] = [];
  for (const stack of await stacks.leftovers()) {
    for (const id of await stacks.remains(stack)) found.push({ kind: "state file", id, stack });
  }
  return found;
}

/** Targets may share drivers, and then list the same twice. */
function distinct(things: readonly OwnedThing[], stack: string): Stray["things"] {
  const own = things.filter((thing) => thing.stack === stack);
  const byName = new Map(own.map(({ kind, id }) => [`${kind} ${id}`, { kind, id }]));
  return [...byName.values()];
}
