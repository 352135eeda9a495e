import { stripVTControlCharacters } from "node:util";
import Table from "cli-table3";
import { createColors } from "picocolors";
import type { PreviewView } from "../api/preview-view.ts";
import type { CliContext, Screen } from "./context.ts";

export function printLine(screen: Screen, text = ""): void {
  screen.write(`${text}\n`);
}

/** Text that strangers wrote (titles, logs), with nothing in it that a terminal would obey. */
export function plain(text: string): string {
  return stripVTControlCharacters(text).replace(/\p{Cc}/gu, (control) =>
    control === "\n" || control === "\t" ? control : "",
  );
}

export function printJson(screen: Screen, value: unknown): void {
  printLine(screen, JSON.stringify(value));
}

export function colorsFor(screen: Screen, environment: NodeJS.ProcessEnv): ReturnType<typeof createColors> {
  return createColors(screen.isTTY === true && !environment.NO_COLOR && environment.TERM !== "dumb");
}

export interface Column<Row> {
  readonly title: string;
  readonly value: (row: Row) => string;
  /** Gives way first when the window is narrow: cut with an ellipsis, and left out where next to nothing would be left. */
  readonly shrinks?: boolean;
}

const GAP = 2;
const NARROWEST = 12;

/** A table without lines that fits the window where it can: names and links are never cut, and without a window nothing is. */
export function table<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  { stdout, environment }: Pick<CliContext, "stdout" | "environment">,
): string {
  const measured = columns.map((column) => {
    const cells = rows.map((row) => plain(column.value(row)).replace(/\s+/g, " ").trim());
    const width = Math.max(column.title.length, ...cells.map((cell) => [...cell].length));
    return { ...column, cells, width };
  });
  const shown = fit(measured, stdout.columns);
  const colors = colorsFor(stdout, environment);
  const made = new Table({
    head: shown.map(({ title }) => colors.dim(title)),
    colWidths: shown.map(({ width }) => width + GAP),
    style: { head: [], border: [], "padding-left": 0, "padding-right": GAP },
    chars: Object.fromEntries(BORDERS.map((name) => [name, ""])),
  });
  made.push(...rows.map((_row, i) => shown.map(({ cells }) => cells[i] ?? "")));
  return made
    .toString()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
}

/** ISO 8601 as an age a person reads at a glance: `12s`, `5m`, `3h`, `9d`. */
export function age(since: string, now: Date): string {
  const seconds = Math.max(0, Math.round((now.getTime() - Date.parse(since)) / 1000));
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  return seconds < 86_400 ? `${Math.floor(seconds / 3600)}h` : `${Math.floor(seconds / 86_400)}d`;
}

/** One line on how a preview is, such as `Ready/Healthy`. */
export function conditionOf({ condition, reason }: Pick<PreviewView, "condition" | "reason">): string {
  return `${condition}/${reason}`;
}

const BORDERS = [
  "top",
  "top-mid",
  "top-left",
  "top-right",
  "bottom",
  "bottom-mid",
  "bottom-left",
  "bottom-right",
  "left",
  "left-mid",
  "mid",
  "mid-mid",
  "right",
  "right-mid",
  "middle",
] as const;

function fit<Measured extends { readonly width: number; readonly shrinks?: boolean }>(
  columns: readonly Measured[],
  window: number | undefined,
): readonly Measured[] {
  if (window === undefined) return columns;
  let excess = columns.reduce((sum, { width }) => sum + width + GAP, 0) - window;
  return columns.flatMap((column) => {
    if (excess <= 0 || !column.shrinks) return [column];
    const width = column.width - excess;
    excess -= width < NARROWEST ? column.width + GAP : excess;
    return width < NARROWEST ? [] : [{ ...column, width }];
  });
}
