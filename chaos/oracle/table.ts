import { countsOf, type Report } from "./report.ts";

/** A report as people read it: what was looked at, what was found, and the sum as last line. */
export function tableOf(report: Report): string {
  const { orphans, lost, stuck, looked, looks, tookMs } = report;
  const seen = Object.entries(looked).map(([what, count]) => `${count} × ${what}`);
  const rows = [
    ...orphans.map(({ kind, id, why, forMs }) => ["orphan", `${kind} ${id}`, secondsOf(forMs), why]),
    ...lost.map(({ key, wanted, found, forMs }) => [
      "lost",
      key,
      secondsOf(forMs),
      `wanted ${wanted}; found: ${found}`,
    ]),
    ...stuck.map(({ key, host, found, forMs }) => ["stuck", `${key} at ${host}`, secondsOf(forMs), found]),
  ];
  return [
    `looked at ${seen.join(", ")}; ${looks} ${looks === 1 ? "look" : "looks"} in ${secondsOf(tookMs)}`,
    ...(rows.length > 0 ? [columns([["found", "what", "for", "why"], ...rows])] : []),
    countsOf(report),
  ].join("\n");
}

/** Rows under each other, as wide as they need. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_cell, index) => Math.max(...rows.map((row) => row[index]?.length ?? 0)));
  const lines = rows.map((row) => row.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join("  "));
  return lines.map((line) => line.trimEnd()).join("\n");
}

function secondsOf(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
