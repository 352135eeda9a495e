/** The numbers a team lives by: how many previews, how fast, how sure, how dear, and what they are good for. */
import type { Costs } from "../money/costs.ts";
import type { Store } from "../store/store.ts";
import { type Facts, type Kpis, measure } from "./measure.ts";
import type { KpiStore, PullRequestStore } from "./store.ts";

export const KPI_DAYS = [7, 30, 90] as const;
export type KpiDays = (typeof KPI_DAYS)[number];

export interface KpisQuery {
  readonly days: KpiDays;
  /** Names; undefined: all, and what is the whole instance's. */
  readonly repositories?: readonly string[];
}

export type ReadKpis = (query: KpisQuery) => Promise<Kpis>;

export interface KpisDeps {
  readonly store: Pick<Store, "current"> & Omit<KpiStore, keyof PullRequestStore>;
  readonly costs: Pick<Costs, "sums">;
  /** ISO 8601 UTC */
  readonly now: () => string;
  /** How long an answer is good before it is counted anew; 0: each time. */
  readonly freshMs?: number;
}

const DAY_MS = 86_400_000;
const FRESH_MS = 60_000;
const KEPT_MAX = 50;

/** Counted in the store's own time and at most once a minute for each question: nothing of it moves faster. */
export function createKpis({ store, costs, now, freshMs = FRESH_MS }: KpisDeps): ReadKpis {
  const kept = new Map<string, { readonly until: number; readonly kpis: Promise<Kpis> }>();

  async function read({ days, repositories }: KpisQuery): Promise<Kpis> {
    const asked = now();
    const since = new Date(Date.parse(asked) - days * DAY_MS).toISOString();
    const who = repositories === undefined ? {} : { repositories };
    const [previews, born, found, tornDown, merged, mergedSince, { sums }, sweeps] = await Promise.all([
      store.current(),
      store.bornBy(since),
      store.movesSince(since),
      store.receiptsSince(since),
      store.mergedSince(since),
      store.pullsKnownSince(),
      costs.sums({ by: "pull-request", from: since.slice(0, 10), to: asked.slice(0, 10), ...who }),
      repositories === undefined ? store.sweepsSince(since) : undefined,
    ]);
    // Where there was more than can be read at once, what is read says since when.
    const from = found.cut ? (found.moves.find(({ at }) => at > since)?.at ?? since) : since;
    const facts: Facts = {
      previews,
      born,
      moves: found.moves,
      telling: found.telling,
      tornDown: tornDown.filter(({ at }) => at > from),
      merged: merged.filter(({ mergedAt }) => mergedAt > from),
      mergedSince,
      costs: sums,
      sweeps,
    };
    return measure(facts, { days, since: from, now: asked }, repositories);
  }

  return (query) => {
    const name = JSON.stringify([query.days, query.repositories && [...query.repositories].sort()]);
    const known = kept.get(name);
    if (known && known.until > Date.parse(now())) return known.kpis;
    const kpis = read(query);
    kept.delete(name);
    if (freshMs > 0) kept.set(name, { until: Date.parse(now()) + freshMs, kpis });
    for (const oldest of [...kept.keys()].slice(0, Math.max(0, kept.size - KEPT_MAX))) kept.delete(oldest);
    // A failed read is asked for again by the next one.
    kpis.catch(() => kept.get(name)?.kpis === kpis && kept.delete(name));
    return kpis;
  };
}
