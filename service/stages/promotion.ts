/** Taking over what another stage serves: asked for, approved, waited for, done. Pure. */
import { canonical } from "../../infra/canonical.ts";
import { approverProblem, isSamePerson, missingOf, type Word } from "../approval-rule.ts";
import type { StageConfig } from "../config/stages.ts";
import type { Intents } from "../intents.ts";
import { minuteOf } from "../reason-words.ts";
import { wishedCommit } from "../rollback.ts";
import type { Preview } from "../status.ts";
import { after } from "../times.ts";

/** A person's word for one promotion. */
export type PromotionApproval = Word;

/** What a stage was given to serve: exactly what the stage before it served then. */
export interface Promoted {
  /** The whole id of the commit. */
  readonly sha: string;
  /** Images by the names the application gives them, pinned by digest; absent where the source runs. */
  readonly images?: Readonly<Record<string, string>>;
  /** Commits of other repositories that served in it, by their names in `preview.yaml`; absent where there were none. */
  readonly sources?: Readonly<Record<string, string>>;
  /** Stage that served it. */
  readonly from: string;
  /** Who asked. */
  readonly by: string;
  /** ISO 8601 UTC: when it took effect. */
  readonly at: string;
  readonly approvals: readonly PromotionApproval[];
}

/** One that was asked for and has not taken effect; whatever the stage before it serves meanwhile, it stays what it is. */
export interface Promotion extends Promoted {
  /** ISO 8601 UTC: not before then. */
  readonly dueAt: string;
}

/** What changes, with what is said of it, or why not: the rest of a sentence. */
export type Answered =
  | { readonly intents: Partial<Intents>; readonly sha: string; readonly answer: string; readonly problem?: undefined }
  | { readonly problem: string };

interface Asked {
  readonly by: string;
  /** ISO 8601 UTC */
  readonly now: string;
}

/** What tells the promotion that somebody was shown from one that was asked for since. */
export interface ShownPromotion {
  readonly sha?: string | undefined;
  readonly at?: string | undefined;
}

type Source = Pick<Preview, "key" | "status">;
type Target = Pick<Preview, "intents" | "status">;

/** Asked for again it changes nothing. */
export function promotionAsked(
  target: Target,
  { stage, source }: { readonly stage: StageConfig; readonly source: Source | undefined },
  { by, now }: Asked,
): Answered {
  const { from } = stage;
  if (from === undefined)
    return { problem: `"${stage.name}" follows the branch "${stage.branch ?? ""}"; push to that` };
  const good = goodVersion(from, source);
  if ("problem" in good) return good;
  const { sha, images, sources } = good;
  const { promotion, promoted } = target.intents;
  const isSame = (one: Promoted | undefined) =>
    one?.sha === sha && contentOf(one) === contentOf({ images, sources }) && one.from === from;
  if (isSame(promotion)) return { intents: {}, sha, answer: `${short(sha)} is asked for already` };
  if (promotion) {
    return {
      problem: `the promotion of ${short(promotion.sha)} by ${promotion.by} is still waiting; cancel it first`,
    };
  }
  if (isSame(promoted) && wishedCommit(target.intents, sha) === sha && !target.intents.removed) {
    return { problem: `"${stage.name}" was given ${short(sha)} already, which is what "${from}" serves` };
  }
  const asked: Promotion = {
    ...{ sha, from, by, at: now, approvals: [], dueAt: after(now, stage.waitSeconds * 1000) },
    ...(images ? { images } : {}),
    ...(sources ? { sources } : {}),
  };
  return { intents: { promotion: asked }, sha, answer: waitWords(asked, stage, now) ?? `${short(sha)} comes now` };
}

/**
 * By somebody who may, of the very commit that he was shown. Said again it changes nothing.
 *
 * @param said.at when that promotion was asked for, where who approves says so
 */
export function promotionApproved(
  { intents: { promotion } }: Pick<Target, "intents">,
  stage: StageConfig,
  { sha, at, by, now }: Asked & { readonly sha: string; readonly at?: string },
): Answered {
  if (!promotion) return { problem: "no promotion is waiting" };
  const other = otherWords(promotion, { sha, at }) ?? movedWords(promotion, stage);
  if (other !== undefined) return { problem: other };
  const problem = approverProblem(stage.approvals, by, { asker: promotion.by });
  if (problem !== undefined) return { problem };
  if (promotion.approvals.some((one) => isSamePerson(one.by, by))) {
    return { intents: {}, sha, answer: `${by} approved it already` };
  }
  const next = { ...promotion, approvals: [...promotion.approvals, { by, at: now }] };
  return { intents: { promotion: next }, sha, answer: waitWords(next, stage, now) ?? `${short(sha)} comes now` };
}

/** Whichever waits, unless it is said which one was shown. */
export function promotionCancelled(
  { intents: { promotion } }: Pick<Target, "intents">,
  shown: ShownPromotion = {},
): Answered {
  if (!promotion) return { problem: "no promotion is waiting" };
  const other = otherWords(promotion, shown);
  if (other !== undefined) return { problem: other };
  const { sha } = promotion;
  return { intents: { promotion: undefined }, sha, answer: `the promotion of ${short(sha)} is cancelled` };
}

/** What is wished once a promotion takes effect; undefined while it waits for somebody or for its time. */
export function promotionDone(
  { promotion }: Pick<Intents, "promotion">,
  stage: StageConfig,
  now: string,
): { readonly intents: Partial<Intents>; readonly promoted: Promoted } | undefined {
  if (!promotion || movedWords(promotion, stage) !== undefined) return undefined;
  if (missingApprovals(promotion, stage) > 0 || now < promotion.dueAt) return undefined;
  const { dueAt: _due, ...rest } = promotion;
  const promoted = { ...rest, at: now };
  return {
    promoted,
    intents: { promotion: undefined, promoted, removed: undefined, rolledBack: undefined, asleep: false },
  };
}

/** How many are still to approve; only those count who may now. */
export function missingApprovals({ approvals, by }: Pick<Promotion, "approvals" | "by">, stage: StageConfig): number {
  return missingOf(approvals, stage.approvals, { asker: by });
}

/** Who gave what, in a sentence. */
export function promotedWords({ sha, from, by, approvals }: Omit<Promoted, "at">): string {
  const who = approvals.length > 0 ? `, approved by ${approvals.map((one) => one.by).join(" and ")}` : "";
  return `${sha.slice(0, 7)} was promoted from "${from}" by ${by}${who}.`;
}

/** What a promotion waits for, as a sentence without its full stop; undefined: for nothing. */
export function waitWords(promotion: Promotion, stage: StageConfig, now: string): string | undefined {
  const moved = movedWords(promotion, stage);
  if (moved !== undefined) return moved;
  const missing = missingApprovals(promotion, stage);
  const time = now < promotion.dueAt ? `${minuteOf(promotion.dueAt)}` : undefined;
  const who = stage.approvals.by ? ` (of ${stage.approvals.by.join(", ")})` : "";
  const people = missing === 0 ? undefined : `${missing} ${missing === 1 ? "approval" : "approvals"}${who}`;
  const all = [people, time].filter((one) => one !== undefined);
  return all.length === 0 ? undefined : `${short(promotion.sha)} waits for ${all.join(" and for ")}`;
}

function otherWords(
  promotion: Promotion,
  { sha = promotion.sha, at = promotion.at }: ShownPromotion,
): string | undefined {
  if (promotion.sha !== sha) return `the promotion that waits is of ${short(promotion.sha)}, not of ${short(sha)}`;
  return promotion.at === at ? undefined : `another one was asked for since, by ${promotion.by}; look at that first`;
}

/** What was asked for and approved is what another stage served than the one that counts now. */
function movedWords({ sha, from }: Pick<Promotion, "sha" | "from">, stage: StageConfig): string | undefined {
  if (stage.from === from) return undefined;
  return `${short(sha)} is of "${from}", and the stage takes over from "${stage.from ?? ""}" by now; cancel it`;
}

function contentOf({ images = {}, sources = {} }: Pick<Promoted, "images" | "sources">): string {
  return canonical({ images, sources });
}

/** What the stage before serves, whole and good. */
function goodVersion(
  from: string,
  source: Source | undefined,
): Pick<Promoted, "sha" | "images" | "sources"> | { readonly problem: string } {
  const live = source?.status.live;
  if (!source || !live || source.status.goneAt !== undefined) return { problem: `"${from}" serves nothing yet` };
  const { condition, reason, message, attempted, interrupted } = source.status;
  const { commit } = live.source;
  if (condition !== "Ready" || interrupted || attempted?.ok === false) {
    return { problem: `"${from}" is not healthy (${reason}: ${message}); what serves there is ${short(commit)}` };
  }
  const sources = Object.entries(live.sources ?? {}).map(([alias, source]) => [alias, source.commit]);
  return {
    sha: commit,
    ...(live.images ? { images: { ...live.images } } : {}),
    ...(sources.length > 0 ? { sources: Object.fromEntries(sources) } : {}),
  };
}

function short(sha: string): string {
  return `\`${sha.slice(0, 7)}\``;
}
