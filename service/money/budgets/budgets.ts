/** Budgets at work: one replica at a time looks how far they are used, and does what belongs to that. */
import type { Logger } from "pino";
import { TerminalError } from "../../../components/errors.ts";
import { parseKey } from "../../../infra/names.ts";
import type { Audit } from "../../audit.ts";
import type { BudgetConfig } from "../../config/budgets.ts";
import { closest } from "../../config/closest.ts";
import type { CostsConfig } from "../../config/costs.ts";
import { every } from "../../every.ts";
import type { Preview } from "../../status.ts";
import type { Pause } from "../../store/operation.ts";
import type { Store } from "../../store/store.ts";
import type { LedgerStore } from "../ledger.ts";
import type { Prices } from "../prices.ts";
import { heldLevel, isLifted, type Level, type Lift, nextMonth, type Standing, standingsOf } from "./budget.ts";
import { type CarryDeps, createCarry } from "./carry.ts";
import { isStoppedBy } from "./hold.ts";
import { holdingOf, liftOf, type SomeLift, subjectOf, type Who } from "./standing.ts";
import type { BudgetRow, BudgetStore } from "./store.ts";
import { together, type Uncounted, uncountedOf } from "./uncounted.ts";
import { budgetOf, type Holding, stopper } from "./words.ts";

/** The lease of this name, which no stack can have, is the turn to look. */
const TURN = "@budgets";
/** The meter writes once a minute; a month's ledger is read each time. */
const LOOK_EVERY_MS = 120_000;
/** Of a preview's, which no month ends. */
const LIFT_MS = 7 * 86_400_000;
const WEEK_MS = 7 * 86_400_000;

export interface BudgetState extends Standing {
  /** What holds in spite of a lift. */
  readonly held: Level;
  readonly lift?: SomeLift;
  /** Absent where all that it covers is counted. */
  readonly uncounted?: Uncounted;
  /** ISO 8601: of this look. */
  readonly now: string;
  /** ISO 8601: when it begins anew. */
  readonly until?: string;
}

export interface LiftWish {
  readonly name: string;
  /** A repository or preview of those that have the budget; undefined: all. */
  readonly subject?: string;
  /** Undefined: until it begins anew, of a preview's a week. */
  readonly forSeconds?: number;
  readonly by: string;
}

export interface Budgets {
  /** False where the config has none. */
  readonly any: boolean;
  /** What holds a preview back the most, and says so; undefined where every budget is within. */
  of(who: Who): Promise<Holding | undefined>;
  /** How far each is used now, in the order of the config, the fullest first. */
  states(): Promise<readonly BudgetState[]>;
  /** Holds nothing back any more for a while. Throws `TerminalError` for what has no budget. */
  lift(wish: LiftWish): Promise<Lift>;
  /** Takes that back: of all that have it where no subject is given. Throws where a lift of all goes on for that subject. */
  unlift(wish: Pick<LiftWish, "name" | "subject">): Promise<void>;
  /**
   * Somebody takes back what stops everything: where that is a budget, it is its lift. Where it is a person, nobody said
   * that more may be spent: resolves with the stop of the budget that holds from now on.
   */
  resumed(by: string, pause: Pause): Promise<Pause | undefined>;
  /** Looks at once. Never rejects. */
  look(): Promise<void>;
  /** Resolves when a look under way has ended. */
  close(): Promise<void>;
}

export interface BudgetsDeps extends Omit<CarryDeps, "config"> {
  readonly store: CarryDeps["store"] &
    BudgetStore &
    Pick<LedgerStore, "costs" | "costsAbout"> &
    Pick<Store, "current" | "acquireLease">;
  readonly config: CarryDeps["config"] & {
    readonly budgets?: readonly BudgetConfig[];
    readonly costs?: CostsConfig | undefined;
    readonly repositories: readonly { readonly name: string }[];
  };
  readonly prices: Prices;
  readonly audit: Pick<Audit, "record">;
  /** ISO 8601 UTC */
  readonly now: () => string;
  readonly logger: Pick<Logger, "warn" | "info">;
  readonly lookEveryMs?: number;
}

export function startBudgets(deps: BudgetsDeps): Budgets {
  const { store, config, prices, now, logger } = deps;
  const { budgets = [] } = config;
  const { currency } = prices;
  const carry = createCarry(deps);
  const isIdle = budgets.length === 0;
  let looking: Promise<void> = Promise.resolve();
  // One after another also where a lift asks for one while the timer's is under way.
  const look = () => {
    looking = looking.then(lookOnce);
    return looking;
  };
  void look();
  const timer = isIdle ? undefined : every(deps.lookEveryMs ?? LOOK_EVERY_MS, look);

  async function lookOnce(): Promise<void> {
    try {
      const turn = await store.acquireLease(TURN);
      if (!turn) return;
      try {
        const [previews, rows] = [await store.current(), await store.budgetRows()];
        const standings = isIdle ? [] : await read(previews);
        await carry(states(standings, { previews, rows }), { previews, rows });
      } finally {
        await turn.release();
      }
    } catch (error) {
      logger.warn({ err: error }, "looking at the budgets failed; it is tried again in a while");
    }
  }

  async function read(previews: readonly Preview[]): Promise<readonly Standing[]> {
    const at = now();
    const costs = await store.costs({ from: firstDay(previews, at), to: at.slice(0, 10) });
    const abouts = await store.costsAbout([...new Set(costs.map(({ key }) => key))]);
    return standingsOf({
      ...{ budgets, costs, previews, currency, now: at },
      repositoryOf: (key) => abouts.get(key)?.repository ?? parseKey(key)?.repository,
      repositories: config.repositories.map(({ name }) => name),
    });
  }

  /** Of the month and, for its pace, the week before; of whole lives where previews have budgets. */
  function firstDay(previews: readonly Preview[], at: string): string {
    const month = `${at.slice(0, 7)}-01`;
    const weekAgo = new Date(Date.parse(at) - WEEK_MS).toISOString().slice(0, 10);
    const lives = budgets.some(({ of }) => of === "preview")
      ? previews.map(({ createdAt }) => createdAt.slice(0, 10))
      : [];
    return [month, weekAgo, ...lives].reduce((one, other) => (one < other ? one : other));
  }

  function states(
    standings: readonly Standing[],
    { previews, rows }: { readonly previews: readonly Preview[]; readonly rows: readonly BudgetRow[] },
  ): readonly BudgetState[] {
    const at = now();
    const lacking = previews
      .map((preview) => ({ preview, meters: uncountedOf(preview, prices, config.costs) }))
      .filter(({ meters }) => meters.length > 0);
    return standings.map((standing) => {
      const { budget, subject } = standing;
      const theirs = lacking.filter(({ preview }) => subjectOf(budget, preview) === subject);
      const uncounted = together(theirs.map(({ meters }) => meters));
      const lift = liftOf(rows, standing.budget.name, standing.subject, at);
      return {
        ...standing,
        ...{ held: heldLevel(standing.level, lift, at), now: at },
        ...(lift ? { lift } : {}),
        ...(uncounted ? { uncounted } : {}),
        ...(standing.month === undefined ? {} : { until: nextMonth(at) }),
      };
    });
  }

  async function named(name: string, subject = ""): Promise<BudgetConfig> {
    const found = budgets.find((budget) => budget.name === name);
    if (!found) throw noSuch(name, budgets);
    if (subject !== "" && !(await hasPart(found, subject))) {
      const what = found.of === "all" ? "all previews together" : `each ${found.of}`;
      const userMessage = `lifting the budget "${name}": it is of ${what}, and "${subject}" is none that has it`;
      throw new TerminalError({ reason: "BudgetNotFound", userMessage });
    }
    return found;
  }

  async function hasPart(budget: BudgetConfig, subject: string): Promise<boolean> {
    if (budget.of === "repository") {
      return (budget.repositories ?? config.repositories.map(({ name }) => name)).includes(subject);
    }
    return (await store.current()).some((preview) => subjectOf(budget, preview) === subject);
  }

  async function lift({ name, subject = "", forSeconds, by }: LiftWish): Promise<Lift> {
    const { of } = await named(name, subject);
    const at = now();
    const asked = forSeconds === undefined ? undefined : new Date(Date.parse(at) + forSeconds * 1000).toISOString();
    const most = of === "preview" ? new Date(Date.parse(at) + LIFT_MS).toISOString() : nextMonth(at);
    const until = asked === undefined || (of !== "preview" && asked > most) ? most : asked;
    const made: Lift = { at, until, by };
    await store.putBudgetLift(name, subject, made);
    // At once, also while another replica has the turn.
    if (of === "all") await store.endPause(stopper(name));
    await store.enqueue((await store.current()).map(({ key }) => key));
    await look();
    return made;
  }

  return {
    any: !isIdle,
    async of(who) {
      if (isIdle) return undefined;
      return holdingOf(await store.budgetRows(["", who.repository, who.key]), who, { budgets, currency, now: now() });
    },
    async states() {
      if (isIdle) return [];
      const [previews, rows] = await Promise.all([store.current(), store.budgetRows()]);
      const found = states(await read(previews), { previews, rows });
      const place = ({ budget }: BudgetState) => budgets.indexOf(budget);
      return [...found].sort((a, b) => place(a) - place(b) || b.used - a.used || (a.subject < b.subject ? -1 : 1));
    },
    lift,
    async unlift({ name, subject }) {
      await named(name, subject);
      const ofAll = (await store.budgetRows([""])).some((row) => row.name === name && isLifted(row.lift, now()));
      if (subject && ofAll) throw liftedForAll(name, subject);
      await store.removeBudgetLifts(name, subject);
      await look();
    },
    async resumed(by, pause) {
      const [rows, at] = [await store.budgetRows([""]), now()];
      const who = { key: "", repository: "" };
      const stopped = budgets.filter((budget) => {
        const held = budget.of === "all" && holdingOf(rows, who, { budgets: [budget], currency, now: at });
        return held && isStoppedBy(held);
      });
      if (budgetOf(pause.by) === undefined) return stopped[0] && { at, by: stopper(stopped[0].name) };
      // Also those that would have, had another not been quicker.
      for (const { name } of stopped) await store.putBudgetLift(name, "", { at, until: nextMonth(at), by });
      return undefined;
    },
    look,
    async close() {
      await timer?.close();
      await looking;
    },
  };
}

function liftedForAll(name: string, subject: string): TerminalError {
  return new TerminalError({
    reason: "BudgetLifted",
    userMessage: `letting the budget "${name}" hold again for ${subject}: it is lifted for all that have it; \`stackling budget unlift ${name}\` lets it hold for all of them`,
  });
}

function noSuch(name: string, budgets: readonly BudgetConfig[]): TerminalError {
  const known = budgets.map((budget) => budget.name);
  const meant = closest(name, known);
  const hint =
    known.length === 0
      ? "`budgets` of stackling.yaml has none"
      : meant === undefined
        ? `known: ${known.join(", ")}`
        : `did you mean "${meant}"?`;
  return new TerminalError({
    reason: "BudgetNotFound",
    userMessage: `lifting the budget "${name}": there is none; ${hint}`,
  });
}
