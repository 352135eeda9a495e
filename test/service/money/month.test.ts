/** Months as people ask for them, and the days that they have. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { firstOfMonth, MONTH, spanOfMonth } from "../../../service/money/month.ts";

describe("a month", () => {
  it("begins with its first day and ends with its last", () => {
    for (const [month, from, to] of [
      ["2026-11", "2026-11-01", "2026-11-30"],
      ["2026-12", "2026-12-01", "2026-12-31"],
      ["2028-02", "2028-02-01", "2028-02-29"],
    ] as const) {
      assert.deepEqual(spanOfMonth(month), { from, to });
    }
  });

  it("is counted from over the ends of years", () => {
    assert.equal(firstOfMonth("2026-01-31", -2), "2025-11-01");
    assert.equal(firstOfMonth("2026-11-22T10:00:00Z", 2), "2027-01-01");
  });

  it("is none where the calendar has none, or dates are read otherwise", () => {
    for (const text of ["2026-13", "2026-00", "2026-1", "0099-05", "2026-11-01", ""])
      assert.equal(MONTH.test(text), false);
    assert.ok(MONTH.test("2026-11"));
  });
});
