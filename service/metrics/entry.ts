/** How a metric is declared. */
export interface MetricEntry {
  readonly kind: "counter" | "gauge" | "histogram";
  readonly help: string;
  readonly labels: readonly string[];
  /** All that a label can say, where that is known from the start. */
  readonly values?: Readonly<Record<string, readonly string[]>>;
  /** What is said of all beyond the bound of a label together: their sum, or of gauges that have none the first one set. */
  readonly beyond?: "sum" | "first";
  /** Upper bounds of a histogram, in its base unit. */
  readonly buckets?: readonly number[];
}
