import type { Logger } from "pino";
import { canonical } from "../infra/canonical.ts";
import { isStage } from "../infra/names.ts";
import { type Act, type ActuateDeps, actuate } from "./actuate.ts";
import { type Caps, needsSeat, type Queued } from "./caps/caps.ts";
import { type CommandDeps, takeCommands } from "./commands/take.ts";
import { heldStatus, queuedStatus, settledStatus, warnedStatus } from "./conditions.ts";
import { isPastGateway } from "./config/target-fit.ts";
import { type Action, awaitRoom, decide, type Observed, sleepsUntil } from "./decide.ts";
import type { Hold, Holds } from "./holds.ts";
import type { Images } from "./images/images.ts";
import { nextEnd } from "./lifecycle.ts";
import { followLinks } from "./linked/follow.ts";
import { type Found, findPreview, type LookDeps, readWorld, recall, recordLook } from "./look.ts";
import type { Budgets } from "./money/budgets/budgets.ts";
import { awaitBudget, isStoppedBy, overBudgetStatus, stopsOf } from "./money/budgets/hold.ts";
import type { Holding } from "./money/budgets/words.ts";
import { either } from "./pauses.ts";
import { type MoveDeps, moveStage } from "./stages/move.ts";
import { changeStatus, type Preview } from "./status.ts";
import { isOvertaken, writesUnder } from "./store/lease.ts";
import type { Store } from "./store/store.ts";
import { after, earliest } from "./times.ts";
import { type Wish, wishFor } from "./wish.ts";

/** Everything reconcile does to store or world, by name; the kill tests end the process at each. */
export const STEPS = [
  "find",
  "read",
  "commands",
  "record",
  "lease",
  "mark",
  "source",
  "up",
  "checks",
  "sleep",
  "wake",
  "destroy",
  "prove",
  "receipt",
  "settle",
  "announce",
] as const;
export type Step = (typeof STEPS)[number];

/** Actions in one go before the key queues up again behind the others: an update that fails its checks takes four, with the way back. */
const ROUNDS = 6;
const LEASE_AGAIN_MS = 2_000;
/** What is due is looked for once a second. */
const LOOK_BEHIND_MS = 250;
const UNREACHABLE_AGAIN_MS = { least: 10_000, most: 600_000 };

export type ReconcileDeps = LookDeps & ActuateDeps & CommandDeps & MoveDeps & ReconcileOptions;

export interface ReconcileOptions {
  readonly store: Store;
  /** Says on the forge what became of it; the same said twice is a no-op. */
  readonly announce: (preview: Preview) => Promise<void>;
  /** Looks at a key again later although the store has no record of it. */
  readonly lookAgain: (key: string, afterMs: number) => void;
  readonly images: Images;
  /** Undefined: as many as come may be live at once. */
  readonly caps?: Caps | undefined;
  /** Undefined: nothing is held back by what it costs. */
  readonly budgets?: Pick<Budgets, "of">;
  /** Undefined: nothing is held back for an outage of the service's own ground. */
  readonly holds?: Holds;
  /** Calls back when somebody asks for a look at a key that is being worked on. */
  readonly onWish?: (key: string, listener: () => void) => () => void;
  /** Awaited before each step's work. */
  readonly onStep?: (step: Step, key: string) => void | Promise<void>;
  readonly logger: Logger;
}

/**
 * Makes the world of one preview what it shall be. Level-triggered: it reads the forge itself, and
 * reads it again after every action, so that a trigger may be lost, doubled or late. Killed anywhere,
 * the next call converges. Only one may run for a key at a time. Failures of the preview end in its
 * status; it rejects when store or machine fail.
 */
export async function reconcile(deps: ReconcileDeps, key: string): Promise<void> {
  const step = stepper(deps, key);
  for (let round = 0; round < ROUNDS && !deps.stopping.aborted; round++) {
    const found = await step("find", () => findPreview(deps, key));
    if (!found) return;
    const waking = round === 0 && (await chooseWake(deps, found, step));
    if (waking) return wakeFirst(deps, waking);
    const look = await step("read", () => readWorld(deps, found));
    await followLinks(deps, look);
    if (round === 0 && (await step("commands", () => takeCommands(deps, look)))) continue;
    if (await moveStage(deps, look)) continue;
    const preview = await step("record", () => recordLook(deps, look));
    if (!preview) {
      const { verdict } = wishFor(deps, look, look.preview);
      const isOurs = look.subject.kind !== "replaced";
      if (verdict.kind === "blocked" && isOurs) deps.lookAgain(key, UNREACHABLE_AGAIN_MS.least);
      return;
    }
    const chosen = await chooseAction(deps, { preview, wish: wishFor(deps, look, preview), step });
    const next = await takeSeat(deps, chosen);
    const { action } = next;
    if (action.kind === "none" || action.kind === "wait") return settle(deps, { ...next, action, step });
    if (!(await act(deps, { ...next, action, step }))) return;
  }
  await deps.store.enqueue([key]);
}

/**
 * What sleeps and has a visitor is woken before the forge is asked, which takes longer than many an application's
 * start; undefined for all else, and where there is anything to be said of it but that it sleeps.
 */
async function chooseWake(deps: ReconcileDeps, { preview, known }: Found, step: Stepper): Promise<Acting | undefined> {
  if (!known) return undefined;
  const { reason, interrupted, since } = preview.status;
  const isVisited = preview.lastVisitAt !== undefined && preview.lastVisitAt >= since;
  if (reason !== "Asleep" || interrupted || !isVisited) return undefined;
  const chosen = await chooseAction(deps, { preview, wish: await recall(deps, preview), step });
  if (chosen.action.kind !== "wake") return undefined;
  const next = await takeSeat(deps, chosen);
  const { action } = next;
  return action.kind === "wake" ? { ...next, action, step } : undefined;
}

/** The look that it went before comes behind the visitor's answer. */
async function wakeFirst(deps: ReconcileDeps, waking: Acting): Promise<void> {
  const { key } = waking.preview;
  if (await act(deps, waking)) await deps.store.setDue(key, after(deps.now(), LOOK_BEHIND_MS));
}

type Acting = Chosen & { readonly action: Act; readonly step: Stepper };

/** Carries it out under the stack's lease; false when somebody else has that, and the key is due again. */
async function act(deps: ReconcileDeps, { preview, wish, action, step }: Acting): Promise<boolean> {
  const { key } = preview;
  const lease = await step("lease", () => deps.store.acquireLease(preview.stack));
  if (!lease) {
    await deps.store.setDue(key, after(deps.now(), LEASE_AGAIN_MS));
    return false;
  }
  const closed = watchForClose(deps, key);
  try {
    const interrupt =
      action.kind === "up" || action.kind === "wake" || action.kind === "check" ? { interrupt: closed.signal } : {};
    const held = { ...deps, store: writesUnder(deps.store, lease) };
    await actuate(held, { preview, action, lease, step, ...interrupt, ...(wish.spec ? { spec: wish.spec } : {}) });
  } catch (error) {
    if (!isOvertaken(error)) throw error;
    deps.logger.warn({ key, fence: lease.fence }, "another replica took over meanwhile; nothing was written");
  } finally {
    closed.stop();
    await lease.release();
  }
  return true;
}

type Stepper = <T>(name: Step, work: () => Promise<T>) => Promise<T>;

function stepper({ onStep, tracing }: ReconcileDeps, key: string): Stepper {
  return async (name, work) => {
    await onStep?.(name, key);
    return tracing ? tracing.span({ name: `step ${name}` }, work) : work();
  };
}

interface Chosen {
  readonly preview: Preview;
  readonly wish: Wish;
  readonly action: Action;
  /** True between `stop-all` and `resume-all`. */
  readonly paused: boolean;
  /** ISO 8601: it sleeps for office hours alone, which begin then. */
  readonly asleepUntil: string | undefined;
  /** Its place while a cap holds it back. */
  readonly queued?: Queued;
  /** The outage that it waits for. */
  readonly held?: Hold;
  /** What a budget holds of it. */
  readonly budget: Holding | undefined;
}

/** What is next, with the spec's images pinned; while one is missing nothing is held but the wish. */
async function chooseAction(
  deps: ReconcileDeps,
  { preview, wish, step }: { preview: Preview; wish: Wish; step: Stepper },
): Promise<Chosen> {
  const pauses = await deps.store.pauses();
  const paused = pauses.some(({ to }) => to === undefined);
  const budget = await deps.budgets?.of(preview);
  const isStopped = paused || isStoppedBy(budget);
  const decideFor = (seen: Preview) => {
    const { live, stops } = seen.status;
    // Where nobody sees visits, nobody could wake it by one.
    const times = live && isPastGateway(live.target) ? { sleepAfterSeconds: undefined } : timesOf(wish);
    const uncounted = { paused: isStopped, pauses: either(pauses, stops), servesPaused: isStage(seen.key) };
    const observed = { ...seen, ...times, ...uncounted };
    const now = deps.now();
    return {
      preview: seen,
      wish,
      paused,
      budget,
      action: awaitBudget(decide(wish.desired, observed, now), seen.status, budget, now),
      asleepUntil: sleepsUntil(observed, now),
    };
  };
  const chosen = decideFor(preview);
  const { spec } = wish;
  if (chosen.action.kind !== "up" || !spec?.images) return chosen;
  const sought = await step("source", () => deps.images.find(preview, spec));
  const seen = (await deps.store.setStatus(preview.key, sought.status)) ?? preview;
  if (sought.kind === "absent") return decideFor(seen);
  return { ...chosen, preview: seen, wish: { ...wish, spec: sought.spec } };
}

function timesOf({ sleepAfterSeconds, officeHours }: Wish): Pick<Observed, "sleepAfterSeconds" | "officeHours"> {
  return { sleepAfterSeconds, officeHours };
}

/** What would become live takes its seat, or its place in the queue; what would be in vain now waits. */
async function takeSeat({ caps, holds }: ReconcileDeps, chosen: Chosen): Promise<Chosen> {
  const { action, preview } = chosen;
  const held = await holds?.of(action.kind);
  if (held) return { ...chosen, held, action: { kind: "wait", until: held.until, reason: "Outage" } };
  if (!caps || isStage(preview.key) || !needsSeat(action.kind, preview.status)) return chosen;
  const queued = await caps.takeSeat(preview.key);
  return queued ? { ...chosen, queued, action: awaitRoom(action, queued.until) } : chosen;
}

/** Nothing is to be done now: shows the standing condition, says so, and sets the next look. */
async function settle(
  deps: ReconcileDeps,
  { preview, wish, action, paused, budget, asleepUntil, queued, held, step }: Chosen & { readonly step: Stepper },
): Promise<void> {
  const now = deps.now();
  const waitsForOthers = action.kind === "wait" && action.reason === "Conflict";
  const stands = () => ({
    ...settledStatus({ ...wish, paused, asleepUntil, servesPaused: isStage(preview.key) }, preview.status, now),
    ...warnedStatus({ ...wish, paused }, preview.status, now),
    ...overBudgetStatus(budget, preview.status, { ...wish, action, paused }),
    stops: stopsOf(budget, preview.status, now),
    ...(queued ? queuedStatus(queued) : {}),
    ...(held ? heldStatus(held) : {}),
  });
  const change = waitsForOthers ? {} : stands();
  const status = changeStatus(preview.status, change, now);
  const changed = canonical(status) !== canonical(preview.status);
  const settled = changed ? await step("settle", () => deps.store.setStatus(preview.key, change)) : preview;
  const dueAt = nextLook(action, { wish, preview, status }, now);
  if (dueAt !== preview.dueAt) await deps.store.setDue(preview.key, dueAt);
  // Whoever waits for a lock or a seat keeps its place.
  if (!waitsForOthers && !queued) await deps.caps?.settled(preview.key);
  await step("announce", () => deps.announce(settled ?? preview));
}

interface Standing extends Pick<Chosen, "wish" | "preview"> {
  /** As it is shown from now on. */
  readonly status: Preview["status"];
}

/** When it is looked at again without anybody asking; undefined: when somebody asks. */
function nextLook(action: Action, { wish, preview, status }: Standing, now: string): string | undefined {
  const { verdict, lifetime } = wish;
  const { dueAt: promotedAt = now } = preview.intents.promotion ?? {};
  const next = action.kind === "wait" ? action.until : action.kind === "none" ? action.dueAt : undefined;
  const end = verdict.kind === "absent" ? undefined : nextEnd(lifetime, status, now);
  const { until = now } = verdict.kind === "blocked" ? verdict : {};
  // A budget's stop began or is over: its ends are others from now on.
  if (status.stops !== preview.status.stops) return now;
  const due = earliest(next, end, ...[promotedAt, until].filter((time) => time > now));
  if (verdict.kind !== "blocked" || !verdict.passing) return due;
  // As long again as the outage has lasted, so that a short one is over soon and a long one costs little.
  const lasted = Date.parse(now) - Date.parse(status.since);
  const again = after(now, Math.min(Math.max(lasted, UNREACHABLE_AGAIN_MS.least), UNREACHABLE_AGAIN_MS.most));
  return due !== undefined && due < again ? due : again;
}

/** Aborts `signal` when, while something is built, the pull request turns out to be closed. */
function watchForClose(deps: ReconcileDeps, key: string): { readonly signal: AbortSignal; stop(): void } {
  const controller = new AbortController();
  const stop = deps.onWish?.(key, () => {
    endWhenAbsent().catch((error) => deps.logger.debug({ key, err: error }, "looking while building failed"));
  });
  return { signal: controller.signal, stop: () => stop?.() };

  async function endWhenAbsent(): Promise<void> {
    const found = await findPreview(deps, key);
    if (!found) return;
    const look = await readWorld(deps, found);
    await followLinks(deps, look);
    const told = await takeCommands(deps, look);
    const { verdict } = wishFor(deps, look, (told ? await deps.store.find(key) : undefined) ?? found.preview);
    if (verdict.kind === "absent") controller.abort(new Error(`"${key}" is ${verdict.reason.toLowerCase()}`));
  }
}
