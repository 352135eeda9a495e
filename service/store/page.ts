/** Cuts a page out of rows of which one more than `limit` was asked for: that one tells that more follow. */
export function pageOfRows<Row>(
  rows: readonly Row[],
  limit: number,
  cursorOf: (row: Row) => string | undefined,
): { readonly rows: readonly Row[]; readonly next?: string } {
  const shown = rows.slice(0, limit);
  const last = rows.length > limit ? shown.at(-1) : undefined;
  const next = last && cursorOf(last);
  return { rows: shown, ...(next === undefined ? {} : { next }) };
}
