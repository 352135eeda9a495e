/** Rows of FOCUS as Parquet. */
import { FOCUS_VERSION, type FocusRow, type FocusType, focusColumns } from "./rows.ts";

const TYPES = {
  string: "STRING",
  decimal: "DOUBLE",
  "date-time": "TIMESTAMP",
  json: "STRING",
} as const satisfies Record<FocusType, string>;

/** The writer is loaded when it is used. */
export async function focusParquet(found: Iterable<FocusRow>): Promise<Uint8Array> {
  const { parquetWriteBuffer } = await import("hyparquet-writer");
  const rows = [...found];
  const columnData = focusColumns.map(({ name, type }, index) => ({
    name,
    type: TYPES[type],
    data: rows.map((row) => {
      const value = row[index] ?? null;
      return type === "date-time" && typeof value === "string" ? new Date(value) : value;
    }),
  }));
  const kvMetadata = [{ key: "focus_version", value: FOCUS_VERSION }];
  return new Uint8Array(parquetWriteBuffer({ columnData, kvMetadata }));
}
