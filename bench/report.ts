/** What a benchmark line is, and how it becomes a table and JSON. Every line compares medians of one run. */
import Table from "cli-table3";

export interface BenchLine {
  /** What was measured, such as `event → link`. */
  readonly name: string;
  /** What it is compared with, such as `bare engine`; absent for a count that only our side has. */
  readonly peer?: string;
  readonly unit: "ms" | "per second" | "MiB" | "KiB" | "calls" | "deliveries";
  /** Raw samples, in the order they were taken. */
  readonly ours: readonly number[];
  /** Empty where there is no peer. */
  readonly theirs: readonly number[];
  /** How the ratio is read: ours ÷ theirs or theirs ÷ ours. */
  readonly ratio: "ours/theirs" | "theirs/ours";
  /** Aim as README.md states it; `max`: the ratio, or our own median, must not pass it, `min`: must reach it. */
  readonly aim?: { readonly kind: "max" | "min"; readonly value: number; readonly of?: "ours" };
  /** Facts a reader needs to judge the line: settings, file system, what was left out. */
  readonly notes?: readonly string[];
}

/** A part that this machine cannot run, with the reason. */
export interface BenchSkip {
  readonly name: string;
  readonly skipped: string;
  /** It could have been run, and broke. */
  readonly failed?: true;
}

export type BenchRow = BenchLine | BenchSkip;

export function median(samples: readonly number[]): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** Undefined where there is nothing to compare with. */
export function ratioOf(line: BenchLine): number | undefined {
  if (line.theirs.length === 0) return undefined;
  const [ours, theirs] = [median(line.ours), median(line.theirs)];
  return line.ratio === "ours/theirs" ? ours / theirs : theirs / ours;
}

export function meetsAim(line: BenchLine): boolean | undefined {
  if (!line.aim) return undefined;
  const reached = line.aim.of === "ours" ? median(line.ours) : ratioOf(line);
  if (reached === undefined) return undefined;
  return line.aim.kind === "max" ? reached <= line.aim.value : reached >= line.aim.value;
}

/** A table that fits `columns` characters. */
export function renderTable(rows: readonly BenchRow[], columns: number): string {
  const widths = [0.26, 0.3, 0.13, 0.13, 0.18].map((share) => Math.floor((columns - 6) * share));
  const table = new Table({
    head: ["measured", "against", "ours", "theirs", "ratio"],
    colWidths: widths,
    wordWrap: true,
    style: { head: [], border: [] },
  });
  for (const row of rows) {
    if ("skipped" in row) {
      table.push([row.name, { colSpan: 4, content: `not measured: ${row.skipped}` }]);
      continue;
    }
    table.push([
      row.name,
      row.peer ?? "nothing",
      format(median(row.ours), row.unit),
      row.theirs.length === 0 ? "" : format(median(row.theirs), row.unit),
      verdict(row),
    ]);
  }
  return table.toString();
}

/** Under the table: what a reader needs to judge each line, once where several say the same. */
export function renderNotes(rows: readonly BenchRow[]): string {
  const names = new Map<string, string>();
  for (const row of rows) {
    if ("skipped" in row) continue;
    for (const note of row.notes ?? []) if (!names.has(note)) names.set(note, row.name);
  }
  return [...names].map(([note, name]) => `${name}: ${note}`).join("\n");
}

function verdict(line: BenchLine): string {
  const how = line.ratio === "ours/theirs" ? "×" : "× better";
  const ratio = ratioOf(line);
  const text = ratio === undefined ? "" : `${ratio.toFixed(2)} ${how} `;
  if (!line.aim) return text.trim();
  const unit = line.aim.of === "ours" ? ` ${line.unit}` : "";
  const aim = `${line.aim.kind === "max" ? "≤" : "≥"} ${line.aim.value}${unit}`;
  return `${text}(${meetsAim(line) ? "" : "MISSES "}${aim})`;
}

function format(value: number, unit: BenchLine["unit"]): string {
  const digits = value < 10 ? 2 : value < 100 ? 1 : 0;
  return `${value.toFixed(digits)} ${unit}`;
}
