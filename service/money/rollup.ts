/** What days of the ledger come to: by preview, pull request, author, team, repository, day or month. Pure. */
import type { DayCost } from "./ledger.ts";
import { firstOfMonth } from "./month.ts";
import { type CostAbout, type CostSource, GROUP_OF_SOURCE, groupOf, METERS, type Meter, type Unit } from "./types.ts";

export const COST_BY = ["preview", "pull-request", "repository", "author", "team", "day", "month"] as const;
export type CostBy = (typeof COST_BY)[number];

/** `actual`: a vendor says so; `estimated`: counted by us, by price; `both`: some of it this, some that. */
export type Basis = "actual" | "estimated" | "both";

export interface CostSum {
  /** Key, login, name, `2026-11-22` or `2026-11`; absent of what has none, such as previews without a team. */
  readonly name?: string;
  /** ISO 4217; what came in several currencies has a sum in each. */
  readonly currency: string;
  /** Never rounded. */
  readonly cost: number;
  readonly basis: Basis;
  /** How many previews took it. */
  readonly previews: number;
  /** First and last day, UTC. */
  readonly from: string;
  readonly to: string;
  readonly meters: readonly MeterSum[];
  /** Of a preview or pull request. */
  readonly about?: CostAbout;
}

export interface MeterSum {
  readonly meter: Meter;
  readonly quantity: number;
  readonly unit: Unit;
  readonly cost: number;
}

/**
 * The lines that count: a vendor's in place of what we metered of the same things, preview and day. What is asked of a
 * bill that has nothing to say of a preview yet stays estimated.
 */
export function countedOf(costs: readonly DayCost[]): readonly DayCost[] {
  const place = (key: string, day: string, meter: Meter) => `${day} ${meter} ${key}`;
  const billed = new Set(
    costs.flatMap(({ key, day, source, meter }) =>
      source === "metered" ? [] : coveredBy(source, meter).map((covered) => place(key, day, covered)),
    ),
  );
  return costs.filter(({ key, day, source, meter }) => source !== "metered" || !billed.has(place(key, day, meter)));
}

/** What we meter that a line of a bill stands in place of. */
function coveredBy(source: Exclude<CostSource, "metered">, meter: Meter): readonly Meter[] {
  const group = METERS.filter((one) => groupOf(one) === GROUP_OF_SOURCE[source]);
  if (source !== "aws") return group;
  // AWS may have the secrets alone of a preview that runs elsewhere, which says nothing of its CPU,
  if (meter !== "cpu" && meter !== "memory") return [meter];
  // and what many previews share bears the tag of none.
  return group.filter((one) => one !== "load-balancer");
}

/** Greatest first; days and months newest first. `costs` as the ledger has them. */
export function rollup(
  costs: readonly DayCost[],
  abouts: ReadonlyMap<string, CostAbout>,
  by: CostBy,
): readonly CostSum[] {
  const groups = new Map<string, { readonly name: string | undefined; readonly lines: DayCost[] }>();
  for (const line of countedOf(costs)) {
    const about = abouts.get(line.key);
    if (by === "pull-request" && about?.number === undefined) continue;
    const name = nameIn(by, line, about);
    const place = JSON.stringify([name, line.currency]);
    const group = groups.get(place) ?? { name, lines: [] };
    groups.set(place, group);
    group.lines.push(line);
  }
  const isOfOne = by === "preview" || by === "pull-request";
  const sums = [...groups.values()].map(({ name, lines }) => {
    const about = isOfOne && name !== undefined ? abouts.get(name) : undefined;
    return { ...(name === undefined ? {} : { name }), ...sumOf(lines), ...(about && { about }) };
  });
  return sums.sort(orderOf(by));
}

function nameIn(by: CostBy, { key, day }: DayCost, about: CostAbout | undefined): string | undefined {
  switch (by) {
    case "preview":
    case "pull-request":
      return key;
    case "day":
      return day;
    case "month":
      return day.slice(0, 7);
    default:
      return about?.[by];
  }
}

function sumOf(lines: readonly DayCost[]): Omit<CostSum, "name" | "about"> {
  const days = lines.map(({ day }) => day).sort();
  const [from = "", to = ""] = [days[0], days.at(-1)];
  return {
    currency: lines[0]?.currency ?? "",
    cost: total(lines),
    basis: basisOf(lines),
    previews: new Set(lines.map(({ key }) => key)).size,
    ...{ from, to },
    meters: METERS.flatMap((meter) => {
      const ours = lines.filter((line) => line.meter === meter);
      const [first] = ours;
      if (!first) return [];
      // Two vendors may count one thing in two units; the greater part says which is shown.
      const units = new Map<Unit, number>();
      for (const { unit, quantity } of ours) units.set(unit, (units.get(unit) ?? 0) + quantity);
      const [unit, quantity] = [...units].sort((one, other) => other[1] - one[1])[0] ?? [first.unit, 0];
      return [{ meter, quantity, unit, cost: total(ours) }];
    }),
  };
}

export function basisOf(lines: readonly DayCost[]): Basis {
  const estimated = lines.some(({ source }) => source === "metered");
  const actual = lines.some(({ source }) => source !== "metered");
  return actual && estimated ? "both" : actual ? "actual" : "estimated";
}

const total = (lines: readonly { readonly cost: number }[]) => lines.reduce((sum, { cost }) => sum + cost, 0);

/** Over how many whole days, and what there is of today, the pace of a month is taken. */
const PACE_DAYS = 7;
const DAY_MS = 86_400_000;

/**
 * What a month comes to at the pace of the last seven days, by currency; `now` lies in it. A preview of yesterday has a
 * pace of the days that it was there.
 *
 * @param costs of the month and the week before it
 */
export function forecastOf(
  costs: readonly DayCost[],
  now: string,
): readonly { readonly currency: string; readonly soFar: number; readonly forecast: number }[] {
  const month = now.slice(0, 7);
  const nowMs = Date.parse(now);
  const restDays = (Date.parse(firstOfMonth(now, 1)) - nowMs) / DAY_MS;
  const since = new Date(nowMs - PACE_DAYS * DAY_MS).toISOString().slice(0, 10);
  const counted = countedOf(costs);
  return [...new Set(counted.map(({ currency }) => currency))].sort().map((currency) => {
    const ours = counted.filter((line) => line.currency === currency);
    const soFar = total(ours.filter(({ day }) => day.startsWith(month)));
    const recent = ours.filter(({ day }) => day >= since);
    const first = recent.reduce((day, line) => (line.day < day ? line.day : day), now.slice(0, 10));
    // Less than a day says little of a day: what it says is not taken for more than it was.
    const days = Math.max(1, (nowMs - Date.parse(first)) / DAY_MS);
    return { currency, soFar, forecast: soFar + (total(recent) / days) * restDays };
  });
}

/** What a sum is told from all others by, and where it stands among them. */
export type CostPlace = Pick<CostSum, "name" | "currency" | "cost">;

export function orderOf(by: CostBy): (one: CostPlace, other: CostPlace) => number {
  return by === "day" || by === "month" ? byTime : byCost;
}

function byCost(one: CostPlace, other: CostPlace): number {
  return billionths(other) - billionths(one) || byName(one, other) || one.currency.localeCompare(other.currency);
}

/** The same lines added up in another order differ behind that, and are no other sum. */
function billionths({ cost }: CostPlace): number {
  return Math.round(cost * 1e9);
}

function byTime(one: CostPlace, other: CostPlace): number {
  return byName(other, one) || byCost(one, other);
}

function byName(one: CostPlace, other: CostPlace): number {
  return (one.name ?? "").localeCompare(other.name ?? "");
}
