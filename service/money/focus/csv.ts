/** Rows of FOCUS as CSV (RFC 4180). Pure. */
import { type FocusRow, type FocusValue, focusColumns } from "./rows.ts";

/** What no spreadsheet takes for a formula: OWASP, "CSV Injection". */
const FORMULA = /^[=+\-@\t\r]/;

/** Text that is given on at once. */
const CHUNK_CHARACTERS = 65_536;

/** With a line of names first, in pieces. An absent value is nothing between two commas. */
export function* focusCsv(rows: Iterable<FocusRow>): Generator<string> {
  let text = `${focusColumns.map(({ name }) => name).join(",")}\r\n`;
  for (const row of rows) {
    text += `${row.map(cell).join(",")}\r\n`;
    if (text.length < CHUNK_CHARACTERS) continue;
    yield text;
    text = "";
  }
  if (text !== "") yield text;
}

function cell(value: FocusValue): string {
  if (value === null) return "";
  // Exponents as the specification has them: "Numeric Format".
  if (typeof value === "number") return String(value).toUpperCase().replace("E+", "E");
  const text = FORMULA.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
