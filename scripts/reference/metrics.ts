/** The metrics as the catalog declares them. */
import { REPLICA_METRICS } from "../../service/metrics/catalog-replica.ts";
import { SHARED_METRICS } from "../../service/metrics/catalog-shared.ts";
import type { MetricEntry } from "../../service/metrics/entry.ts";
import { code, tableOf } from "./markdown.ts";

const CATALOGS: Readonly<Record<string, Readonly<Record<string, MetricEntry>>>> = {
  replica: REPLICA_METRICS,
  shared: SHARED_METRICS,
};

/** A table of those that each replica counts (`replica`), or of those that all read from the store (`shared`). */
export function metricsReference(which: string): string {
  const rows = Object.entries(CATALOGS[which] ?? {}).map(([name, { kind, labels, help }]) => {
    return [code(name), kind, labels.map(code).join(", "), help];
  });
  if (rows.length === 0) throw new Error(`making the table of metrics "${which}": there are none`);
  return tableOf(["metric", "kind", "labels", "what it says"], rows);
}
