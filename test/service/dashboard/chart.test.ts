import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { chartOf } from "../../../service/dashboard/chart.ts";

describe("a chart's time axis", () => {
  it("names the days of two days that points are of, and no hours between them", () => {
    assert.deepEqual(marksOf("Day", ["2026-11-21", "2026-11-22"]), ["21 Nov", "22 Nov"]);
  });

  it("names days for points of days however many they are", () => {
    const days = Array.from({ length: 20 }, (_, at) => `2026-11-${String(at + 1).padStart(2, "0")}`);
    const marks = marksOf("Day", days);
    assert.ok(marks.length > 2 && marks.length < 12);
    assert.ok(marks.every((mark) => /^\d+ Nov$/.test(mark)));
  });

  it("names hours for points of a day's hours", () => {
    const marks = marksOf(undefined, ["2026-11-21T00:00:00Z", "2026-11-21T12:00:00Z"]);
    assert.ok(marks.length > 2 && marks.every((mark) => /^\d\d:00$/.test(mark)));
  });
});

function marksOf(each: string | undefined, times: readonly string[]): readonly string[] {
  const { markup } = chartOf({
    title: "Cost",
    says: "",
    lines: ["Cost"],
    points: times.map((at) => ({ at, values: [1] })),
    ...(each !== undefined && { each }),
    format: String,
    least: 1,
  });
  return [...markup.matchAll(/<text class="across[^>]*>([^<]*)</g)].map(([, mark]) => mark ?? "");
}
