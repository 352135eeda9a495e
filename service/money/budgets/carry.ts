/** What is done about budgets: said, held back, put to sleep, stopped. Each look does what is lacking, and nothing twice. */
import type { Logger } from "pino";
import { isStage } from "../../../infra/names.ts";
import type { Audit } from "../../audit.ts";
import { isPastGateway } from "../../config/target-fit.ts";
import { lastActivity } from "../../decide.ts";
import { isKept } from "../../lifecycle.ts";
import type { Preview } from "../../status.ts";
import type { Store } from "../../store/store.ts";
import { asleep } from "../../wishes.ts";
import { estimateOf } from "../estimate.ts";
import type { Prices } from "../prices.ts";
import { isLifted, nextMonth } from "./budget.ts";
import type { BudgetState } from "./budgets.ts";
import { idlestOf, type Sleeper } from "./idlest.ts";
import { holding, liftOf, subjectOf } from "./standing.ts";
import type { BudgetRow, BudgetStore, KeptStanding } from "./store.ts";
import { budgetWords, holdingWords, stopper, verbOf } from "./words.ts";

/** Nobody is cut off who has just been there; the caps' time, where they have one. */
const SPARE_AFTER_SECONDS = 15 * 60;
const HOUR_MS = 3_600_000;

export interface CarryDeps {
  readonly store: BudgetStore & Pick<Store, "update" | "enqueue" | "pause" | "setPause" | "endPause">;
  readonly config: {
    readonly limits: { readonly makeRoomAfterSeconds?: number | undefined };
  };
  readonly prices: Prices;
  readonly audit: Pick<Audit, "record">;
  /** ISO 8601 UTC */
  readonly now: () => string;
  readonly logger: Pick<Logger, "warn" | "info">;
}

interface Seen {
  readonly previews: readonly Preview[];
  readonly rows: readonly BudgetRow[];
}

export function createCarry(deps: CarryDeps): (states: readonly BudgetState[], seen: Seen) => Promise<void> {
  const { store, audit, now, logger } = deps;

  return async (states, seen) => {
    for (const state of states) await note(state, seen);
    await forget(states, seen);
    await stop(states, seen.previews);
    for (const state of states) if (state.held === "sleeping") await sendToSleep(state, seen.previews);
  };

  /** Written down first, which is what holds; then said, and marked as done: killed in between, it is said again. */
  async function note(state: BudgetState, { previews, rows }: Seen): Promise<void> {
    const { budget, subject, month, level, held } = state;
    const before = rows.find((row) => row.name === budget.name && row.subject === subject)?.standing;
    const isSame = before?.month === month && before?.level === level && before?.held === held && before?.done;
    if (isSame || (!before && level === "within")) return;
    const standing: KeptStanding = { level, held, done: false, ...(month ? { month } : {}), since: now() };
    await store.putBudgetStanding(budget.name, subject, standing);
    if ((before?.held ?? "within") !== held || before?.done === false) await tell(state);
    await store.enqueue(previews.filter((one) => subjectOf(budget, one) === subject).map(({ key }) => key));
    await store.putBudgetStanding(budget.name, subject, level === "within" ? undefined : { ...standing, done: true });
  }

  async function tell({ budget, subject, level, held, used, currency, lift }: BudgetState): Promise<void> {
    const about = {
      budget: budget.name,
      ...(subject === "" ? {} : { subject }),
      level: held,
      used,
      amount: budget.amount,
    };
    const words =
      held === "within"
        ? `${budgetWords({ ...budget, subject, currency })} holds nothing back`
        : holdingWords(holding({ budget, subject, level: held, reached: level, currency, now: now() })).join(" ");
    if (held === "within") logger.info(about, "a budget holds nothing back any more");
    else logger.warn({ ...about, ...(lift ? { liftedUntil: lift.until } : {}) }, "a budget has come further");
    await audit.record({
      actor: stopper(budget.name),
      action: `budget ${verbOf(held)}`,
      ...(budget.of === "preview" ? { key: subject } : {}),
      detail: `${words}${lift ? ` Lifted until ${lift.until} by ${lift.by}.` : ""}`,
      via: "service",
      outcome: "done",
    });
  }

  /** Of a budget that is configured no more, of a preview that is gone, and lifts that are over. */
  async function forget(states: readonly BudgetState[], { previews, rows }: Seen): Promise<void> {
    if (rows.some(({ lift }) => lift && !isLifted(lift, now()))) await store.endBudgetLifts(now());
    for (const { name, subject, standing } of rows) {
      const isKnown = states.some((state) => state.budget.name === name && state.subject === subject);
      if (!standing || isKnown) continue;
      await store.putBudgetStanding(name, subject, undefined);
      const theirs = previews.filter((one) => subject === "" || one.repository === subject || one.key === subject);
      await store.enqueue(theirs.map(({ key }) => key));
    }
  }

  /** By the kill switch, which a budget lets go again when it holds no more; a person's it leaves alone. */
  async function stop(states: readonly BudgetState[], previews: readonly Preview[]): Promise<void> {
    const stopping = states.filter(({ budget, held }) => budget.of === "all" && held === "stopped");
    const pause = await store.pause();
    const [first] = stopping;
    if (first && !pause) await stopBy(first.budget.name);
    else if (pause?.by.startsWith(stopper("")) && !stopping.some(({ budget }) => pause.by === stopper(budget.name)))
      await store.endPause(pause.by);
    else return;
    await store.enqueue(previews.map(({ key }) => key));
  }

  /** A lift of just now may have found nothing to end yet: whichever of both looks last ends it. */
  async function stopBy(name: string): Promise<void> {
    await store.setPause({ at: now(), by: stopper(name) });
    if (liftOf(await store.budgetRows([""]), name, "", now())) await store.endPause(stopper(name));
  }

  async function sendToSleep(state: BudgetState, previews: readonly Preview[]): Promise<void> {
    const { budget, subject, used } = state;
    const ours = previews.filter((one) => subjectOf(budget, one) === subject && one.status.live);
    const rates = ratesOf(ours, state);
    const sleepers = (some: readonly Preview[]) => some.map((one) => sleeperOf(one, rates(one)));
    const [awake, rest] = [sleepers(ours.filter(isAwake)), sleepers(ours.filter((one) => !isAwake(one)))];
    const hours = budget.of === "preview" ? undefined : (Date.parse(nextMonth(now())) - Date.parse(now())) / HOUR_MS;
    const asleepPerHour = rest.reduce((sum, one) => sum + one.asleepPerHour, 0);
    const chosen = idlestOf(awake, { amount: budget.amount, used, hours, asleepPerHour });
    for (const key of chosen) {
      await store.update(key, ({ intents }) => ({ intents: { ...intents, ...asleep({ now: now() }) } }));
      const note = { actor: stopper(budget.name), action: "sleep", key, via: "service", outcome: "done" } as const;
      await audit.record(note);
    }
    await store.enqueue(chosen);
  }

  /**
   * As it is counted, which is what the budget goes by: of what is only just there as estimated, and without a price as
   * the others of whom something is known.
   */
  function ratesOf(ours: readonly Preview[], { paces }: Pick<BudgetState, "paces">): (preview: Preview) => Rates {
    const known = new Map(
      ours.map((preview) => {
        const estimate = preview.status.live && estimateOf(preview.status.live, deps.prices);
        const isPriced = estimate?.unpriced.length === 0;
        const awake = paces?.get(preview.key) ?? (isPriced ? estimate.awakePerHour : undefined);
        return [preview.key, { awake, asleep: estimate?.asleepPerHour ?? 0 }];
      }),
    );
    const told = [...known.values()].flatMap(({ awake }) => (awake === undefined ? [] : [awake]));
    const usual = told.reduce((sum, one) => sum + one, 0) / Math.max(1, told.length);
    return ({ key }) => {
      const { awake: awakePerHour = usual, asleep = 0 } = known.get(key) ?? {};
      return { awakePerHour, asleepPerHour: Math.min(asleep, awakePerHour) };
    };
  }

  function sleeperOf(preview: Preview, rates: Rates): Sleeper {
    const { key, status } = preview;
    const { live, since } = status;
    const used = lastActivity(preview);
    // One that has only just come up was not idle before that.
    const activeAt = since > used ? since : used;
    const spareAfterMs = (deps.config.limits.makeRoomAfterSeconds ?? SPARE_AFTER_SECONDS) * 1000;
    const isSeen = live !== undefined && !isPastGateway(live.target);
    const spare = isSeen && !isKept(preview) && Date.parse(now()) - Date.parse(activeAt) >= spareAfterMs;
    return { key, activeAt, spare, ...rates };
  }
}

type Rates = Pick<Sleeper, "awakePerHour" | "asleepPerHour">;

/** Serves, and was not asked to sleep since it was used last. */
function isAwake(preview: Preview): boolean {
  const { status, intents, key } = preview;
  const active = lastActivity(preview);
  const isAsked = intents.asleep && active <= (intents.asleepSince ?? active);
  return status.live !== undefined && status.awake && !isAsked && !isStage(key);
}
