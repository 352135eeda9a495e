/** What a vendor says that previews cost: the shape that all vendors' bills are read into. */

/** First and last day, `2026-11-01`, UTC. */
export interface DayRange {
  readonly from: string;
  readonly to: string;
}

/** Of one stack on one day; lines of the same stack, day, meter and resource add up. */
export interface ActualCost {
  readonly stack: string;
  /** `2026-11-22`, UTC. */
  readonly day: string;
  readonly meter:
    | "cpu"
    | "memory"
    | "disk"
    | "load-balancer"
    | "logs"
    | "secrets"
    | "database-compute"
    | "database-storage"
    | "other";
  /** Keeps apart what one meter counts in two units. */
  readonly resource?: string;
  readonly quantity: number;
  readonly unit: "vCPU-hours" | "GiB-hours" | "GiB-months" | "GiB" | "hours" | "units";
  readonly cost: number;
  /** ISO 4217 */
  readonly currency: string;
}

/** `2026-11-22` and all days until the last, both included. */
export function daysOf({ from, to }: DayRange): readonly string[] {
  const days: string[] = [];
  for (let day = from; day <= to; day = nextDay(day)) days.push(day);
  return days;
}

export function nextDay(day: string, by = 1): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + by * 86_400_000).toISOString().slice(0, 10);
}
