/** Asks vendors once in a while what previews really cost, and writes it into the ledger: one replica at a time. */
import type { Logger } from "pino";
import { type ActualCost, type DayRange, daysOf, nextDay } from "../../../components/actual-cost.ts";
import { StacklingError } from "../../../components/errors.ts";
import type { Finding } from "../../../components/ports.ts";
import { parseKey, stackName } from "../../../infra/names.ts";
import { every } from "../../every.ts";
import type { Store } from "../../store/store.ts";
import type { LedgerStore } from "../ledger.ts";
import type { Prices } from "../prices.ts";
import type { CostLine } from "../types.ts";
import type { ActualSource } from "./sources.ts";
import type { PullState, PullStateStore } from "./state.ts";

/** The lease of this name, which no stack can have, is the turn to ask. */
const TURN = "@bills";
const LOOK_EVERY_MS = 300_000;
/** How far back the first look, and one after a long pause, goes: what may be open of two months. */
const MOST_DAYS = 41;

export interface ActualsDeps {
  readonly store: Pick<Store, "findByStack" | "acquireLease"> & Pick<LedgerStore, "replaceCosts"> & PullStateStore;
  readonly sources: readonly ActualSource[];
  readonly prices: Pick<Prices, "currency" | "exchange">;
  /** Names of those whose previews are ours. */
  readonly repositories: () => Promise<readonly { readonly name: string }[]>;
  /** ISO 8601 UTC */
  readonly now: () => string;
  readonly logger: Pick<Logger, "info" | "warn">;
  readonly lookEveryMs?: number;
}

export interface Actuals {
  /** Asks at once whoever is due. */
  look(): Promise<void>;
  /** What `doctor` says; asks nobody who charges for it. */
  check(): Promise<readonly Finding[]>;
  /** Resolves when a look under way has ended. */
  close(): Promise<void>;
}

/** Without sources nothing runs. */
export function startActuals(deps: ActualsDeps): Actuals {
  const { store, sources, logger, now } = deps;
  const stopping = new AbortController();
  const timer = sources.length > 0 ? every(deps.lookEveryMs ?? LOOK_EVERY_MS, look) : undefined;

  async function look(): Promise<void> {
    try {
      const due: ActualSource[] = [];
      for (const source of sources) if (isDue(source, await store.pullState(source.source), now())) due.push(source);
      if (due.length === 0) return;
      const turn = await store.acquireLease(TURN);
      if (!turn) return;
      try {
        const over = AbortSignal.any([turn.lost, stopping.signal]);
        for (const source of due) if (!over.aborted) await pull(source, over);
      } finally {
        await turn.release();
      }
    } catch (error) {
      logger.warn({ err: error }, "the bills could not be looked at; they are looked at again in a while");
    }
  }

  async function pull(source: ActualSource, over: AbortSignal): Promise<void> {
    let state = await store.pullState(source.source);
    // Another replica was quicker.
    if (!isDue(source, state, now())) return;
    const note = async (more: Partial<PullState>) => {
      state = { ...state, ...more };
      await store.setPullState(source.source, state);
    };
    const today = now().slice(0, 10);
    const range = rangeOf(source, state, today);
    await note({ at: now(), asking: true });
    try {
      const found = await source.pull(range, { state: () => state, note, today });
      const lines = await linesOf(found, source);
      if (over.aborted) return;
      await store.replaceCosts({ source: source.source, days: daysOf(range), lines });
      await note({ goodAt: now(), through: range.to, asking: false, fault: undefined, remedy: undefined });
      logger.info({ source: source.source, ...range, lines: lines.length }, "read what previews cost");
    } catch (error) {
      if (over.aborted) return;
      const fault = error instanceof StacklingError ? error.userMessage : "it failed: look into the log of the service";
      await note({
        asking: false,
        fault,
        remedy: `correct \`${source.path}\` in stackling.yaml, or wait: it is asked again`,
      });
      logger.warn({ err: error, source: source.source }, "what previews cost could not be read");
    }
  }

  /** Of our previews, in our currency. */
  async function linesOf(found: readonly ActualCost[], { source, title }: ActualSource): Promise<readonly CostLine[]> {
    const names = new Set((await deps.repositories()).map(({ name }) => name));
    const keys = new Map<string, string | undefined>();
    for (const { stack } of found) if (!keys.has(stack)) keys.set(stack, await keyOf(stack, names));
    return found.flatMap(({ stack, ...line }): CostLine[] => {
      const key = keys.get(stack);
      if (key === undefined) return [];
      const cost = deps.prices.exchange(line.cost, line.currency);
      if (cost === undefined) throw noRate(title, line.currency, deps.prices.currency);
      return [{ ...line, key, source, cost, currency: deps.prices.currency }];
    });
  }

  /** Of a preview that the store forgot, as its stack's name says it; undefined for another Stackling's. */
  async function keyOf(stack: string, repositories: ReadonlySet<string>): Promise<string | undefined> {
    const known = await store.findByStack(stack);
    if (known) return known.key;
    const [, name = "", kind, last = ""] = /^(.+)-(pr|st)-([a-z0-9]+)$/.exec(stack) ?? [];
    const key = kind === "st" ? `${name}:${last}` : `${name}#${last}`;
    const parsed = parseKey(key);
    return parsed && repositories.has(name) && stackName(parsed) === stack ? key : undefined;
  }

  return {
    look,
    async check() {
      const found = sources.map(async (source) => [
        ...stateFindings(source, await store.pullState(source.source)),
        ...((await source.check?.()) ?? []),
      ]);
      return (await Promise.all(found)).flat();
    },
    async close() {
      stopping.abort();
      await timer?.close();
    },
  };
}

function noRate(title: string, from: string, to: string): StacklingError {
  const userMessage = `reading ${title}: it tells amounts in ${from}, and \`costs.exchange\` does not say what one ${from} is in ${to}`;
  return new StacklingError({ reason: "TargetInvalid", userMessage });
}

const HOUR_MS = 3_600_000;

function isDue({ everyHours, againInHours }: ActualSource, { at, asking, fault }: PullState, now: string): boolean {
  if (at === undefined) return true;
  const sinceMs = Date.parse(now) - Date.parse(at);
  // A clock that was set back must not end it.
  return sinceMs < 0 || sinceMs >= (fault || asking ? againInHours : everyHours) * HOUR_MS;
}

function rangeOf({ settlesInDays, openSince }: ActualSource, { through }: PullState, today: string): DayRange {
  const to = nextDay(today, -settlesInDays);
  const first = nextDay(to, 1 - MOST_DAYS);
  const open = through === undefined ? first : openSince(through > to ? to : through);
  return { from: open < first ? first : open, to };
}

function stateFindings({ title }: ActualSource, state: PullState): readonly Finding[] {
  const { fault, remedy, goodAt, through, tag, calls } = state;
  const paid = calls ? `; ${calls.count} calls were paid for on ${calls.day}` : "";
  const last = goodAt ? `, which was read last at ${goodAt}` : "";
  const answer: Finding = fault
    ? { ok: false, what: `${fault}${last}${paid}`, ...(remedy !== undefined && { remedy }) }
    : goodAt
      ? { ok: true, what: `${title} said what previews cost until ${through}${paid}` }
      : { ok: true, what: `${title} was not asked yet what previews cost` };
  return [answer, ...(tag ? [tag] : [])];
}
