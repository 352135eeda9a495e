/** What previews cost: the words of estimate, meter, ledger and rollup. Amounts are never rounded here. */

/** What one meter of one preview took on one UTC day. */
export interface CostLine {
  /** Of the preview: `shop#42`, `shop:staging`. */
  readonly key: string;
  /** `2026-11-22`, UTC. */
  readonly day: string;
  readonly source: CostSource;
  readonly meter: Meter;
  /** Service or database it belongs to. */
  readonly resource?: string;
  readonly quantity: number;
  readonly unit: Unit;
  /** In `currency`. */
  readonly cost: number;
  /** ISO 4217. */
  readonly currency: string;
}

/** Who says so. `metered`: we counted time or CPU, and took prices of the price file; others: the vendor's own figures. */
export const COST_SOURCES = ["metered", "aws", "opencost", "neon"] as const;
export type CostSource = (typeof COST_SOURCES)[number];

export const METERS = [
  "cpu",
  "memory",
  "disk",
  "load-balancer",
  "logs",
  "secrets",
  "database-compute",
  "database-storage",
  "requests",
  "other",
] as const;
export type Meter = (typeof METERS)[number];

export const UNITS = ["vCPU-hours", "GiB-hours", "GiB-months", "GiB", "hours", "requests", "units"] as const;
export type Unit = (typeof UNITS)[number];

/** What a vendor's bill covers as a whole: its line replaces what was metered of the same group on that day. */
export type MeterGroup = "infrastructure" | "database";

export const groupOf = (meter: Meter): MeterGroup =>
  meter === "database-compute" || meter === "database-storage" ? "database" : "infrastructure";

/** Whose vendor's lines replace metered ones of which group. */
export const GROUP_OF_SOURCE: Readonly<Record<Exclude<CostSource, "metered">, MeterGroup>> = {
  aws: "infrastructure",
  opencost: "infrastructure",
  neon: "database",
};

/** What a meter takes an hour, of the price file. */
export interface EstimateLine {
  readonly meter: Meter;
  readonly resource?: string;
  readonly quantityPerHour: number;
  readonly unit: Unit;
  readonly costPerHour: number;
  /** Asleep only `always` lines count. */
  readonly while: "awake" | "always";
}

/** Whom a preview's cost belongs to; kept with its lines, so that sums outlive the preview. */
export interface CostAbout {
  readonly key: string;
  readonly repository: string;
  /** Of the pull request. */
  readonly number?: number;
  readonly title?: string;
  readonly author?: string;
  readonly team?: string;
  readonly costCenter?: string;
  readonly owner?: string;
  readonly target: string;
}
