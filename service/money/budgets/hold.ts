/** What a budget holds back of one preview, and how that is shown. Pure. */
import type { Action } from "../../decide.ts";
import type { PauseSpan } from "../../pauses.ts";
import type { Verdict } from "../../policy.ts";
import type { PreviewStatus } from "../../status.ts";
import { after } from "../../times.ts";
import { isAtLeast } from "./budget.ts";
import { type Holding, holdingWords } from "./words.ts";

/** Whoever changes what holds tells; this is for what nobody told. */
const AGAIN_MS = 600_000;
/** Of a life. With more of them the oldest counts as idle and for the hard stop again. */
const STOPS_KEPT = 24;

/** What there is not yet is not begun; what is there is left to go on. */
export function awaitBudget(action: Action, status: PreviewStatus, holding: Holding | undefined, now: string): Action {
  const isNew = action.kind === "up" && !status.stackExists && !status.live;
  if (!isNew || !holding || !isAtLeast(holding.level, "refusing")) return action;
  return { kind: "wait", until: after(now, AGAIN_MS), reason: "Budget" };
}

/** True where it sleeps and stays so until the budget is lifted or begins anew. */
export function isStoppedBy(holding: Holding | undefined): boolean {
  return holding?.level === "stopped";
}

/**
 * Nobody can visit it until its repository's month ends, so that none of that counts as idle. A budget of its own ends
 * with it: what nobody lifts it for goes as all that nobody uses, though not while its repository's stops it too.
 */
export function stopsOf(
  holding: Holding | undefined,
  { stops = [], stackExists }: PreviewStatus,
  now: string,
): readonly PauseSpan[] | undefined {
  if (!stackExists) return undefined;
  const isStopped = holding?.repositoryStopped === true;
  const last = stops.at(-1);
  const isOpen = last !== undefined && last.to === undefined;
  if (isStopped === isOpen) return stops.length > 0 ? stops : undefined;
  if (isOpen) return [...stops.slice(0, -1), { ...last, to: now }];
  return [...stops, { from: now }].slice(-STOPS_KEPT);
}

/**
 * Ready only where the commit that is wished for is what serves afterwards. Nothing where a person stopped everything,
 * where something else decides, and where sleeping failed. Of a budget that stopped everything it is the message alone.
 */
export function overBudgetStatus(
  holding: Holding | undefined,
  { live, failed }: PreviewStatus,
  { verdict, action, paused }: { readonly verdict: Verdict; readonly action: Action; readonly paused: boolean },
): Partial<PreviewStatus> {
  if (!holding || verdict.kind !== "present" || failed?.action === "sleep") return {};
  if (paused) return holding.of === "all" && isStoppedBy(holding) ? { message: holdingWords(holding).join(" ") } : {};
  const isAwaited = action.kind === "wait" && action.reason === "Budget";
  if (!isAwaited && !isStoppedBy(holding)) return {};
  const condition = !live ? "Stalled" : live.source.commit === verdict.commit ? "Ready" : "Reconciling";
  return {
    condition,
    reason: "OverBudget",
    message: holdingWords(holding).join(" "),
    excerpt: [],
    imageWait: undefined,
  };
}
