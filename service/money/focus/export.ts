/** A month's costs as a file for the dashboards that people have. */
import type { LedgerStore } from "../ledger.ts";
import { countedOf } from "../rollup.ts";
import { focusCsv } from "./csv.ts";
import { focusParquet } from "./parquet.ts";
import { focusRows } from "./rows.ts";

export const EXPORT_FORMATS = ["csv", "parquet"] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export interface ExportQuery {
  /** First and last day, `2026-11-01`, UTC. */
  readonly from: string;
  readonly to: string;
  readonly format: ExportFormat;
  /** Names; undefined: all. */
  readonly repositories?: readonly string[];
}

/** A file in pieces. */
export type ExportCosts = (query: ExportQuery) => Promise<Iterable<string | Uint8Array>>;

/** `account`: whose previews they are, such as `preview.acme.dev`. */
export function createExport({
  store,
  account,
}: {
  readonly store: Pick<LedgerStore, "costs" | "costsAbout">;
  readonly account: string;
}): ExportCosts {
  return async ({ format, ...query }) => {
    const lines = countedOf(await store.costs(query));
    const abouts = await store.costsAbout([...new Set(lines.map(({ key }) => key))]);
    const rows = focusRows(lines, { abouts, account });
    return format === "parquet" ? [await focusParquet(rows)] : focusCsv(rows);
  };
}
