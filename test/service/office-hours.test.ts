import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { OfficeHours } from "../../service/config/types.ts";
import { isTeardown, officeAt, teardownAfter } from "../../service/office-hours.ts";

const HOURS: OfficeHours = {
  awake: "0 8 * * 1-5",
  asleep: "0 19 * * 1-5",
  timeZone: "Europe/Berlin",
  wakeForSeconds: 3600,
};

describe("office hours", () => {
  const table: readonly [string, string, boolean, string][] = [
    ["are open in the middle of a working day", "2026-01-14T12:00:00.000Z", true, "2026-01-14T18:00:00.000Z"],
    ["begin at the very moment", "2026-01-14T07:00:00.000Z", true, "2026-01-14T18:00:00.000Z"],
    ["are over at the very moment", "2026-01-14T18:00:00.000Z", false, "2026-01-15T07:00:00.000Z"],
    ["are over for the weekend", "2026-01-16T18:00:00.000Z", false, "2026-01-19T07:00:00.000Z"],
    [
      "begin an hour earlier by UTC when summer time began meanwhile",
      "2026-03-27T18:00:00.000Z",
      false,
      "2026-03-30T06:00:00.000Z",
    ],
    [
      "begin an hour later by UTC when it ended meanwhile",
      "2026-10-23T17:00:00.000Z",
      false,
      "2026-10-26T07:00:00.000Z",
    ],
    ["go by the clock on the wall in summer", "2026-07-01T06:00:00.000Z", true, "2026-07-01T17:00:00.000Z"],
  ];
  for (const [outcome, now, open, until] of table) {
    it(outcome, () => assert.deepEqual(officeAt(HOURS, now), { open, until }));
  }

  it("may have a break, and may end after midnight", () => {
    const shifts = { ...HOURS, awake: "0 8,13 * * *", asleep: "0 2,12 * * *", timeZone: "UTC" };
    const open = (hour: string) => officeAt(shifts, `2026-01-14T${hour}:30:00.000Z`).open;
    assert.deepEqual(["01", "02", "08", "12", "13", "23"].map(open), [true, false, true, false, true, true]);
  });

  it("do not skip what falls into the hour that a spring night lacks", () => {
    const early = { ...HOURS, awake: "30 2 * * *", asleep: "0 19 * * *" };
    assert.deepEqual(officeAt(early, "2026-03-28T20:00:00.000Z"), { open: false, until: "2026-03-29T01:00:00.000Z" });
  });
});

describe("a teardown", () => {
  const friday = { at: "0 22 * * 5", timeZone: "America/New_York" };

  it("comes at its hour on the wall, summer or winter", () => {
    assert.equal(teardownAfter(friday, "2026-03-02T00:00:00.000Z"), "2026-03-07T03:00:00.000Z");
    assert.equal(teardownAfter(friday, "2026-03-07T03:00:00.000Z"), "2026-03-14T02:00:00.000Z", "and then the next");
  });

  it("is told from any other time", () => {
    assert.equal(isTeardown(friday, "2026-03-14T02:00:00.000Z"), true);
    assert.equal(isTeardown(friday, "2026-03-14T03:00:00.000Z"), false);
  });
});
