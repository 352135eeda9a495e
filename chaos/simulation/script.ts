/** What people do to their pull requests over some hours, and what becomes of the deliveries that tell of it. */
import type { Random } from "../random.ts";

export interface Deed {
  /** Seconds from the beginning. */
  readonly at: number;
  readonly number: number;
  readonly kind: "open" | "push" | "close" | "merge" | "reopen" | "visit";
}

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

export const DAY = {
  /** Nobody does anything to a pull request after this. */
  quietAt: 2 * 3600,
  /** Everything idle is asleep by then; some are visited once more. */
  lastVisitsAt: 4 * 3600,
  endsAt: 4 * 3600 + 600,
} as const;
const LATE_SECONDS = 1800;

/** In the order of time. */
export function scriptOf(random: Random, pulls: number): readonly Deed[] {
  const deeds: Deed[] = [];
  for (let number = 1; number <= pulls; number++) {
    let at = random.between(0, 3600);
    let open = true;
    deeds.push({ at, number, kind: "open" });
    for (let more = random.between(0, 7); more > 0; more--) {
      // Some follow at once, so that they meet an engine that is still at the one before.
      at += random.chance(0.4) ? random.between(0, 15) : random.between(60, 900);
      const kind: Deed["kind"] = open ? random.pick(["push", "push", "push", "visit", "close", "merge"]) : "reopen";
      if (at >= DAY.quietAt) break;
      deeds.push({ at, number, kind });
      if (kind === "merge") break;
      if (kind !== "visit") open = kind !== "close";
    }
    if (random.chance(0.3)) deeds.push({ at: DAY.lastVisitsAt, number, kind: "visit" });
  }
  return deeds.sort((a, b) => a.at - b.at);
}

/** A webhook each, a second later; a visit tells itself. */
export function inOrder(deeds: readonly Deed[]): readonly Arrival[] {
  return deeds.flatMap(({ at, number, kind }, index) =>
    kind === "visit" ? [] : [{ at: at + 1, number, deliveryId: `delivery-${index}` }],
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
