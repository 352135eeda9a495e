/** What a preview took between two looks of the meter. Pure. */
import type { Usage, UsageCounter, UsageHeld } from "../../components/operations.ts";
import type { PreviewSpec } from "../../infra/spec.ts";
import { MONTH_HOURS } from "./amount.ts";
import type { CostLine, EstimateLine, Meter } from "./types.ts";

/** What a look found, kept until the next one. */
export interface Reading {
  /** ISO 8601 UTC */
  readonly at: string;
  readonly awake: boolean;
  /** By meter and resource. */
  readonly counters: Readonly<Record<string, { readonly id: string; readonly hours: number }>>;
  readonly held: readonly UsageHeld[];
  /** ISO 8601 UTC of when what is held was asked for last. */
  readonly heldAt?: string;
  /** Commit that served then. */
  readonly commit?: string;
  /** Of the version that served last. */
  readonly tags?: PreviewSpec["tags"];
  /** Where it was, and what is reckoned by the time: of one that is gone the status knows neither. */
  readonly target?: PreviewSpec["target"];
  readonly lines?: readonly EstimateLine[];
  /** It was gone: the time until it is made again is nobody's. */
  readonly gone?: true;
}

export interface Look {
  /** ISO 8601 UTC: until when this counts. */
  readonly at: string;
  /** Since the reading before, by a clock that nobody sets; 0 for the first. */
  readonly elapsedMs: number;
  /** Of that, the time that it can have been awake; default: all of it. */
  readonly awakeMs?: number;
  /** ISO 8601 UTC of the preview. */
  readonly createdAt: string;
  readonly awake: boolean;
  readonly gone: boolean;
  readonly commit?: string | undefined;
  readonly tags?: PreviewSpec["tags"] | undefined;
  readonly target?: PreviewSpec["target"];
  readonly usage: Usage;
  /** What it holds was asked for. */
  readonly heldAsked: boolean;
}

export type CountedMeter = UsageCounter["meter"] | UsageHeld["meter"];

export interface Charges {
  /** ISO 4217 */
  readonly currency: string;
  /** Meters that are counted, with the price of a unit; the quantity of one without a price is kept all the same. */
  readonly counted: Readonly<Partial<Record<CountedMeter, number>>>;
  /** What is reckoned by time. */
  readonly lines: readonly EstimateLine[];
}

export type Charged = Omit<CostLine, "key">;

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const UNITS = { cpu: "vCPU-hours", memory: "GiB-hours", "database-compute": "vCPU-hours" } as const;

/** Lines since the reading before, and the reading that the next look goes on from. */
export function reckon(
  before: Reading | undefined,
  look: Look,
  charges: Charges,
): { readonly lines: readonly Charged[]; readonly reading: Reading } {
  const elapsedMs = before === undefined || before.gone ? 0 : Math.max(0, look.elapsedMs);
  const hours = elapsedMs / HOUR_MS;
  const awakeHours = Math.min(elapsedMs, look.awakeMs ?? elapsedMs) / HOUR_MS;
  const held = look.heldAsked ? look.usage.held : (before?.held ?? []);
  const wasAwake = before?.awake ?? false;
  const counted = look.usage.counters.map((counter): Taken => {
    const quantity = risen(before, counter);
    const cost = quantity * (charges.counted[counter.meter] ?? 0);
    return { ...counter, unit: UNITS[counter.meter], quantity, cost };
  });
  const timed: Taken[] = [
    ...held.map(({ gib, ...of }) => {
      const quantity = (gib * hours) / MONTH_HOURS;
      return { ...of, unit: "GiB-months" as const, quantity, cost: quantity * (charges.counted[of.meter] ?? 0) };
    }),
    ...charges.lines
      .filter((line) => line.while === "always" || wasAwake)
      .map(({ meter, resource, quantityPerHour, unit, costPerHour, while: when }) => {
        const taken = when === "always" ? hours : awakeHours;
        return { meter, resource, unit, quantity: quantityPerHour * taken, cost: costPerHour * taken };
      }),
  ];
  // A store that was lost knows of nothing that came before: counters that go back further are no cost of today's.
  const sinceMs = before === undefined ? Math.max(0, Date.parse(look.at) - Date.parse(look.createdAt)) : elapsedMs;
  const spread = (taken: readonly Taken[], ms: number) =>
    taken.filter(({ quantity }) => quantity > 0).flatMap((one) => overDays(one, look.at, ms));
  const lines = [...spread(counted, sinceMs), ...spread(timed, elapsedMs)];
  return {
    lines: lines.map(({ meter, resource, unit, quantity, cost, day }) => ({
      ...{ day, source: "metered", meter, unit, quantity, cost, currency: charges.currency },
      ...(resource === undefined ? {} : { resource }),
    })),
    reading: readingOf(before, look, { held, lines: charges.lines }),
  };
}

interface Taken extends Pick<CostLine, "unit" | "quantity" | "cost"> {
  readonly meter: Meter;
  readonly resource?: string | undefined;
}

/** A counter of another id began at 0; one that fell is taken for such, too. */
function risen(before: Reading | undefined, { meter, resource, id, hours }: UsageCounter): number {
  const last = before?.counters[nameOf(meter, resource)];
  return last === undefined || last.id !== id || hours < last.hours ? hours : hours - last.hours;
}

/** Spread evenly over the days (UTC) that the time lies in. */
function overDays(taken: Taken, at: string, elapsedMs: number): readonly (Taken & { readonly day: string })[] {
  const to = Date.parse(at);
  const parts: (Taken & { day: string })[] = [];
  for (let from = to - elapsedMs; ; ) {
    const end = Math.min(to, (Math.floor(from / DAY_MS) + 1) * DAY_MS);
    const share = elapsedMs === 0 ? 1 : (end - from) / elapsedMs;
    const day = new Date(from).toISOString().slice(0, 10);
    if (share > 0) parts.push({ ...taken, day, quantity: taken.quantity * share, cost: taken.cost * share });
    if (end >= to) return parts;
    from = end;
  }
}

function readingOf(
  before: Reading | undefined,
  look: Look,
  { held, lines }: Required<Pick<Reading, "held" | "lines">>,
): Reading {
  const { at, awake, commit, tags, target, usage, gone, heldAsked } = look;
  const fresh = usage.counters.map(
    ({ meter, resource, id, hours }) => [nameOf(meter, resource), { id, hours }] as const,
  );
  const heldAt = heldAsked ? at : before?.heldAt;
  return {
    ...{ at, awake: awake && !gone },
    // One that was not told of this time, for its server was away, goes on from where it was.
    counters: { ...before?.counters, ...Object.fromEntries(fresh) },
    held: gone ? [] : held,
    ...(heldAt === undefined ? {} : { heldAt }),
    ...(commit === undefined ? {} : { commit }),
    ...(tags === undefined ? {} : { tags }),
    ...(gone ? { gone: true as const } : { ...(target && { target }), lines }),
  };
}

const nameOf = (meter: Meter, resource: string) => `${meter} ${resource}`;
