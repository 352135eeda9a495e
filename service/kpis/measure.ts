/** The numbers a team lives by, from what the store knows of a period. Pure; stages are no previews and count for nothing. */
import { isStage, parseKey } from "../../infra/names.ts";
import { stageOf } from "../api/preview-view.ts";
import type { Basis, CostSum } from "../money/rollup.ts";
import type { Preview } from "../status.ts";
import type { SweepReport } from "../sweep/report.ts";
import { type Move, versionsReady } from "../trends/sample.ts";
import { timeThere } from "./asleep.ts";
import { type FailureCount, failuresOf } from "./failures.ts";
import { type Spread, spreadOf } from "./spread.ts";

/** A pull request that was merged. */
export interface Merged {
  readonly key: string;
  /** ISO 8601 UTC, as the forge says. */
  readonly openedAt: string;
  readonly mergedAt: string;
  /** A version of it served before. */
  readonly previewed: boolean;
  readonly bot: boolean;
}

/** What there is to count. */
export interface Facts {
  /** Those that are there. */
  readonly previews: readonly Preview[];
  /** When these were made, and those that went in the period. */
  readonly born: readonly Pick<Preview, "key" | "createdAt">[];
  /** Oldest first: of the period, and of each preview the last one before it. */
  readonly moves: readonly Move[];
  /** Of each preview the last of the telling ones (`TELLING`) before the period. */
  readonly telling: readonly Move[];
  /** One for each teardown that was proved. */
  readonly tornDown: readonly { readonly key: string; readonly at: string }[];
  readonly merged: readonly Merged[];
  /** Since when pull requests are written down (ISO 8601); undefined: none was yet. */
  readonly mergedSince: string | undefined;
  /** By pull request, of the period. */
  readonly costs: readonly Pick<CostSum, "name" | "currency" | "cost" | "basis">[];
  /** Undefined for whom the whole instance is none of their business. */
  readonly sweeps: readonly SweepReport[] | undefined;
}

export interface Period {
  readonly days: number;
  /** ISO 8601 UTC */
  readonly since: string;
  readonly now: string;
}

export interface Kpis extends Period {
  /** As they are at this moment. */
  readonly here: {
    readonly previews: number;
    readonly active: number;
    readonly asleep: number;
    readonly stalled: number;
    readonly queued: number;
    /** 0 to 1; absent while there are none. */
    readonly asleepShare?: number;
    readonly ageSeconds?: Spread;
  };
  readonly readySeconds?: Spread;
  /** 0 to 1, of the hours that previews were there. */
  readonly asleepShare?: number;
  readonly failures: readonly FailureCount[];
  readonly teardowns: {
    readonly proved: number;
    readonly failedTries: number;
    /** 0 to 1, of the tries; absent while there was none. */
    readonly rate?: number;
    readonly failingNow: number;
  };
  readonly strays?: {
    readonly sweeps: number;
    /** Of the oldest of these sweeps. */
    readonly since?: string;
    readonly found: number;
    readonly removed: number;
  };
  readonly costs: readonly ({ readonly currency: string; readonly basis: Basis; readonly total: number } & Spread)[];
  readonly leadSeconds: {
    readonly with?: Spread;
    readonly without?: Spread;
    /** Pull requests of bots, which count for neither. */
    readonly bots: number;
    /** Since when merges are written down; absent while none was. */
    readonly since?: string;
  };
  /** The same by day or week, oldest first. */
  readonly course: readonly Stretch[];
}

export interface Stretch {
  /** ISO 8601 UTC of its end. */
  readonly at: string;
  readonly failures: number;
  /** Medians. */
  readonly readySeconds?: number;
  readonly leadWith?: number;
  readonly leadWithout?: number;
}

/** @param repositories names; undefined: all */
export function measure(facts: Facts, period: Period, repositories?: readonly string[]): Kpis {
  const {
    previews: here,
    born,
    moves,
    telling,
    tornDown,
    merged,
    costs,
    sweeps,
    mergedSince,
  } = narrowed(facts, repositories);
  const { since, now } = period;
  const within = moves.filter(({ at }) => at > since);
  const ready = versionsReady(moves, born, since);
  const people = merged.filter(({ bot }) => !bot);
  const there = timeThere(moves, since, now, telling);
  const leadWith = spreadOf(leadsOf(people, true));
  const leadWithout = spreadOf(leadsOf(people, false));
  const readySeconds = spreadOf(ready.map(({ seconds }) => seconds));
  return {
    ...period,
    here: hereOf(here, now),
    ...(readySeconds ? { readySeconds } : {}),
    ...(there.thereSeconds > 0 ? { asleepShare: there.asleepSeconds / there.thereSeconds } : {}),
    failures: failuresOf(within, here),
    teardowns: teardownsOf(here, within, tornDown.length),
    ...(sweeps ? { strays: straysOf(sweeps) } : {}),
    costs: costsOf(costs),
    leadSeconds: {
      ...(leadWith ? { with: leadWith } : {}),
      ...(leadWithout ? { without: leadWithout } : {}),
      bots: merged.length - people.length,
      ...(mergedSince === undefined ? {} : { since: mergedSince }),
    },
    course: stretchesOf(period).map(({ from, to }) => {
      const isIn = (at: string) => at > from && at <= to;
      const merges = people.filter(({ mergedAt }) => isIn(mergedAt));
      const medians = {
        readySeconds: spreadOf(ready.filter(({ at }) => isIn(at)).map(({ seconds }) => seconds))?.median,
        leadWith: spreadOf(leadsOf(merges, true))?.median,
        leadWithout: spreadOf(leadsOf(merges, false))?.median,
      };
      const failures = failuresOf(
        within.filter(({ at }) => isIn(at)),
        [],
      );
      const known = Object.fromEntries(Object.entries(medians).filter(([, median]) => median !== undefined));
      return { at: to, failures: failures.reduce((sum, { times }) => sum + times, 0), ...known };
    }),
  };
}

/** Only what is theirs, and no stages. */
function narrowed(facts: Facts, repositories: readonly string[] | undefined): Facts {
  const wanted = repositories && new Set(repositories);
  const isOurs = (key: string) => !isStage(key) && (!wanted || wanted.has(parseKey(key)?.repository ?? ""));
  return {
    ...facts,
    previews: facts.previews.filter(({ key }) => isOurs(key)),
    moves: facts.moves.filter(({ key }) => isOurs(key)),
    telling: facts.telling.filter(({ key }) => isOurs(key)),
    tornDown: facts.tornDown.filter(({ key }) => isOurs(key)),
    merged: facts.merged.filter(({ key }) => isOurs(key)),
  };
}

function hereOf(here: readonly Preview[], now: string): Kpis["here"] {
  const stages = here.map(stageOf);
  const count = (...names: readonly string[]) => stages.filter((stage) => names.includes(stage)).length;
  const asleep = count("Asleep");
  const ageSeconds = spreadOf(here.map(({ createdAt }) => (Date.parse(now) - Date.parse(createdAt)) / 1000));
  return {
    previews: here.length,
    active: count("Active", "Idle"),
    asleep,
    stalled: here.filter(({ status }) => status.condition === "Stalled").length,
    queued: here.filter(({ status }) => status.reason === "Queued").length,
    ...(here.length > 0 ? { asleepShare: asleep / here.length } : {}),
    ...(ageSeconds ? { ageSeconds } : {}),
  };
}

function teardownsOf(here: readonly Preview[], moves: readonly Move[], proved: number): Kpis["teardowns"] {
  const failedTries = moves.filter(({ reason }) => reason === "DestroyFailed").length;
  const tries = proved + failedTries;
  return {
    proved,
    failedTries,
    ...(tries > 0 ? { rate: proved / tries } : {}),
    failingNow: here.filter(({ status }) => status.reason === "DestroyFailed").length,
  };
}

/** One that waits for a person is met by every sweep, and is one all the same. */
function straysOf(all: readonly SweepReport[]): Kpis["strays"] {
  const sweeps = all.filter(({ dryRun }) => !dryRun);
  const [first] = sweeps.map(({ at }) => at).sort();
  return {
    sweeps: sweeps.length,
    ...(first === undefined ? {} : { since: first }),
    found: new Set(sweeps.flatMap(({ found }) => found.map(({ stack }) => stack))).size,
    removed: new Set(sweeps.flatMap(({ removed }) => removed)).size,
  };
}

function costsOf(costs: Facts["costs"]): Kpis["costs"] {
  return [...new Set(costs.map(({ currency }) => currency))].sort().flatMap((currency) => {
    const ours = costs.filter((one) => one.currency === currency);
    const spread = spreadOf(ours.map(({ cost }) => cost));
    const bases = new Set(ours.map(({ basis }) => basis));
    const [basis = "estimated"] = bases.size === 1 ? bases : (["both"] as const);
    return spread ? [{ currency, basis, total: ours.reduce((sum, { cost }) => sum + cost, 0), ...spread }] : [];
  });
}

function leadsOf(merged: readonly Merged[], previewed: boolean): readonly number[] {
  return merged
    .filter((one) => one.previewed === previewed)
    .map(({ openedAt, mergedAt }) => Math.max(0, Date.parse(mergedAt) - Date.parse(openedAt)) / 1000);
}

const DAY_MS = 86_400_000;

/** Days of a week, weeks of what is longer; the last one ends now. */
function stretchesOf({ days, now }: Period): readonly { readonly from: string; readonly to: string }[] {
  const length = days <= 7 ? DAY_MS : 7 * DAY_MS;
  const count = Math.ceil((days * DAY_MS) / length);
  const iso = (ms: number) => new Date(ms).toISOString();
  return Array.from({ length: count }, (_, index) => {
    const to = Date.parse(now) - (count - 1 - index) * length;
    return { from: iso(to - length), to: iso(to) };
  });
}
