/** Every metric of ours: what it counts and by which labels. Registry, docs/observability.md, and the test of dashboards and alert rules all read this. */
import { REPLICA_METRICS } from "./catalog-replica.ts";
import { SHARED_METRICS } from "./catalog-shared.ts";
import type { MetricEntry } from "./entry.ts";

export const CATALOG = { ...REPLICA_METRICS, ...SHARED_METRICS } as const;

export type MetricName = keyof typeof CATALOG;
export type NameOf<Kind extends MetricEntry["kind"]> = {
  [Name in MetricName]: (typeof CATALOG)[Name]["kind"] extends Kind ? Name : never;
}[MetricName];
export type LabelsOf<Name extends MetricName> = Readonly<Record<(typeof CATALOG)[Name]["labels"][number], string>>;

/** What a gauge says. */
export type Level = {
  [Name in NameOf<"gauge">]: { readonly name: Name; readonly labels: LabelsOf<Name>; readonly value: number };
}[NameOf<"gauge">];
