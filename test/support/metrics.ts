/** Reads Prometheus' text format, as far as ours uses it. */
export type Samples = ReadonlyMap<string, number>;

/** Values by `name{label="value",…}`, labels in alphabetical order; without labels by the name alone. */
export function samplesOf(text: string): Samples {
  const samples = new Map<string, number>();
  for (const line of text.split("\n")) {
    const [, name = "", labels = "", value = ""] = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    if (name === "") continue;
    const pairs = [...labels.matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"/g)].map(([pair]) => pair).sort();
    samples.set(pairs.length > 0 ? `${name}{${pairs.join(",")}}` : name, Number(value));
  }
  return samples;
}

/** Of one metric, by its labels alone. */
export function samplesBy(samples: Samples, metric: string): Readonly<Record<string, number>> {
  const ours = [...samples].filter(([id]) => id === metric || id.startsWith(`${metric}{`));
  return Object.fromEntries(ours.map(([id, value]) => [id.slice(metric.length).replace(/^\{|\}$/g, ""), value]).sort());
}
