/** The numbers themselves, in Prometheus' own client, of which this is the only file that knows. One for each instance. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { CATALOG, type LabelsOf, type Level, type MetricName, type NameOf } from "./catalog.ts";
import type { MetricEntry } from "./entry.ts";

export interface Numbers {
  add<Name extends NameOf<"counter">>(name: Name, labels: LabelsOf<Name>, by?: number): void;
  /** Less than 0, as after a clock was set back, counts as 0. */
  observe<Name extends NameOf<"histogram">>(name: Name, labels: LabelsOf<Name>, seconds: number): void;
  set(level: Level): void;
  /** Takes away all that a gauge said. */
  clear(name: NameOf<"gauge">): void;
  /** Everything there is, as Prometheus reads it. */
  text(): Promise<string>;
  /** Names with their help texts, those of the process included. */
  described(): Promise<readonly { readonly name: string; readonly help: string; readonly type: string }[]>;
}

/** Different values of one label that are told apart; more, which only a fault or a flood makes, are `other`. */
const VALUES_MAX = 300;
const VALUE_LENGTH_MAX = 120;

export function createNumbers(): Numbers {
  const registry = new Registry();
  const registers = [registry];
  const counters = new Map<MetricName, Counter>();
  const gauges = new Map<MetricName, Gauge>();
  const histograms = new Map<MetricName, Histogram>();
  const entries: readonly (readonly [string, MetricEntry])[] = Object.entries(CATALOG);
  for (const [key, entry] of entries) {
    const { kind, help, labels, buckets } = entry;
    const name = key as MetricName;
    const common = { name, help, labelNames: [...labels], registers };
    if (kind === "counter") {
      const counter = new Counter(common);
      // What rose from nothing is no increase to Prometheus: it starts at 0 where all that it can say is known.
      for (const combination of combinationsOf(entry)) counter.inc(combination, 0);
      counters.set(name, counter);
    } else if (kind === "gauge") gauges.set(name, silenced(new Gauge(common)));
    else histograms.set(name, new Histogram({ ...common, buckets: [...(buckets ?? [])] }));
  }
  const bounded = createBounds();
  /** What of each gauge was said of all beyond the bound by the first of them. */
  const firsts = new Map<MetricName, Set<string>>();
  const isFirst = (name: MetricName, told: object): boolean => {
    const said = firsts.get(name) ?? new Set();
    firsts.set(name, said);
    const before = said.size;
    return said.add(JSON.stringify(told)).size > before;
  };
  let measuresProcess = false;
  /** Not before somebody asks: watching the event loop costs a timer. */
  const measureProcess = () => {
    if (!measuresProcess) collectDefaultMetrics({ register: registry });
    measuresProcess = true;
  };

  return {
    add: (name, labels, by = 1) => counters.get(name)?.inc(bounded(labels), by),
    observe: (name, labels, seconds) => histograms.get(name)?.observe(bounded(labels), Math.max(0, seconds) || 0),
    set({ name, labels, value }) {
      const told = bounded(labels);
      // What has no name of its own is told together, until it is cleared.
      const entry: MetricEntry = CATALOG[name];
      const gauge = gauges.get(name);
      if (told === labels) gauge?.set(told, value);
      else if (entry.beyond !== "first") gauge?.inc(told, value);
      else if (isFirst(name, told)) gauge?.set(told, value);
    },
    clear(name) {
      const gauge = gauges.get(name);
      firsts.delete(name);
      if (gauge) silenced(gauge);
    },
    text() {
      measureProcess();
      return registry.metrics();
    },
    async described() {
      measureProcess();
      const metrics = await registry.getMetricsAsJSON();
      return metrics.map(({ name, help, type }) => ({ name, help, type: String(type) }));
    },
  };
}

/** With nothing to say: one without labels would say 0, as if that were known. */
function silenced(gauge: Gauge): Gauge {
  gauge.reset();
  gauge.remove({});
  return gauge;
}

/** All that it can say; none where some label is free. */
function combinationsOf({ labels, values = {} }: MetricEntry): readonly Record<string, string>[] {
  return labels.reduce<Record<string, string>[]>(
    (made, label) => made.flatMap((one) => (values[label] ?? []).map((value) => ({ ...one, [label]: value }))),
    [{}],
  );
}

/** The labels as they are, but for values that would be one too many. */
function createBounds() {
  const known = new Map<string, Set<string>>();
  const isKnown = (label: string, value: string): boolean => {
    const values = known.get(label);
    if (values?.has(value)) return true;
    if (value.length > VALUE_LENGTH_MAX || (values?.size ?? 0) >= VALUES_MAX) return false;
    if (values) values.add(value);
    else known.set(label, new Set([value]));
    return true;
  };
  return (labels: Readonly<Record<string, string>>): Record<string, string> => {
    let cut: Record<string, string> | undefined;
    for (const label in labels) {
      if (isKnown(label, labels[label] ?? "")) continue;
      cut ??= { ...labels };
      cut[label] = "other";
    }
    return cut ?? labels;
  };
}
