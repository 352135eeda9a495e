/** What people do to their pull requests over some hours, and what becomes of the deliveries that tell of it. */
import type { Random } from "../random.ts";

export interface Deed {
  /** Seconds from the beginning. */
  readonly at: number;
  /** Of the pull request; 0 for what is done to all. */
  readonly number: number;
  readonly kind: ForgeDeed | "visit" | "sleep" | "keep" | "extend" | "stop-all" | "resume-all";
}

/** What a webhook tells of. */
export type ForgeDeed = "open" | "push" | "close" | "merge" | "reopen";
const FORGE_DEEDS: readonly Deed["kind"][] = ["open", "push", "close", "merge", "reopen"];

/** One arrival of a delivery; the same id twice is a redelivery. */
export interface Arrival {
  readonly at: number;
  readonly number: number;
  readonly deliveryId: string;
}

export interface Faults {
  readonly dropped: number;
  readonly doubled: number;
  readonly delayed: number;
}

const HOUR = 3600;

/** Lifetimes short enough to be over within the day, in seconds. */
export const TIMES = { sleepAfter: HOUR, warnAfter: 3 * HOUR, destroyAfter: 5 * HOUR } as const;

export const DAY = {
  /** Everything is stopped for a while, in the midst of it all. */
  stoppedAt: HOUR - 600,
  resumedAt: HOUR,
  /** Nobody does anything to a pull request after this. */
  quietAt: 2 * HOUR,
  /** Everything was heard of by then; some are kept, extended or sent to sleep. */
  wishesAt: 2.5 * HOUR,
  /** How far from then on: so that it is warned of before the last visits, and not gone at the end. */
  extendSeconds: 7.75 * HOUR,
  /** Everything idle is asleep by then; some are visited once more. */
  visitsAt: 4 * HOUR,
  /** Whom nobody visited is gone by then, or warned. */
  lastVisitsAt: 8.5 * HOUR,
  /** Between two resyncs. */
  endsAt: 8.5 * HOUR + 750,
} as const;
const LATE_SECONDS = 1800;

/** In the order of time. */
export function scriptOf(random: Random, pulls: number): readonly Deed[] {
  const deeds: Deed[] = [
    { at: DAY.stoppedAt, number: 0, kind: "stop-all" },
    { at: DAY.resumedAt, number: 0, kind: "resume-all" },
  ];
  for (let number = 1; number <= pulls; number++) {
    let at = random.between(0, HOUR);
    let open = true;
    deeds.push({ at, number, kind: "open" });
    for (let more = random.between(0, 7); more > 0; more--) {
      // Some follow at once, so that they meet an engine that is still at the one before.
      at += random.chance(0.4) ? random.between(0, 15) : random.between(60, 900);
      const kind: Deed["kind"] = open ? random.pick(["push", "push", "push", "visit", "close", "merge"]) : "reopen";
      if (at >= DAY.quietAt) break;
      deeds.push({ at, number, kind });
      if (kind !== "visit" && kind !== "push") open = kind === "reopen";
      if (kind === "merge") break;
    }
    const wish = random.pick<Deed["kind"] | undefined>(["sleep", "keep", "extend", undefined, undefined, undefined]);
    if (wish && open) deeds.push({ at: DAY.wishesAt, number, kind: wish });
    for (const visited of [DAY.visitsAt, DAY.lastVisitsAt]) {
      if (random.chance(0.3)) deeds.push({ at: visited, number, kind: "visit" });
    }
  }
  return deeds.sort((a, b) => a.at - b.at);
}

/** Most live previews at once: too few while everybody builds, enough for everybody who comes later. */
export function capOf(deeds: readonly Deed[], pulls: number): number {
  const visitors = [DAY.visitsAt, DAY.lastVisitsAt].map(
    (time) => deeds.filter(({ at, kind }) => kind === "visit" && at === time).length,
  );
  return Math.max(...visitors, Math.ceil(pulls / 3));
}

/** A webhook each, a second later; what is done to Stackling itself needs none. */
export function inOrder(deeds: readonly Deed[]): readonly Arrival[] {
  return deeds.flatMap(({ at, number, kind }, index) =>
    FORGE_DEEDS.includes(kind) ? [{ at: at + 1, number, deliveryId: `delivery-${index}` }] : [],
  );
}

/** The same, with a third of them lost, some twice, and many so late that they overtake each other. */
export function disturbed(
  random: Random,
  arrivals: readonly Arrival[],
): { readonly arrivals: readonly Arrival[]; readonly faults: Faults } {
  const faults = { dropped: 0, doubled: 0, delayed: 0 };
  const arriving = arrivals.flatMap((arrival): Arrival[] => {
    if (random.chance(0.33)) {
      faults.dropped += 1;
      return [];
    }
    const late = () => ({ ...arrival, at: arrival.at + random.between(1, LATE_SECONDS) });
    const first = random.chance(0.4) ? late() : arrival;
    if (first !== arrival) faults.delayed += 1;
    if (!random.chance(0.25)) return [first];
    faults.doubled += 1;
    // Half the doubles bear an id of their own, as when somebody presses "redeliver" on another hook.
    return [first, random.chance(0.5) ? late() : { ...late(), deliveryId: `${arrival.deliveryId} again` }];
  });
  return { arrivals: arriving.sort((a, b) => a.at - b.at), faults };
}
