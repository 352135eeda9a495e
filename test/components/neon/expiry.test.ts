import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { expiryAfter } from "../../../components/neon/expiry.ts";

const now = Date.parse("2026-11-21T10:00:00.000Z");

describe("when Neon may remove a branch by itself", () => {
  const table: readonly (readonly [string, number | false, string | undefined, string | undefined])[] = [
    ["is a moment before its days are over", 30, undefined, "2026-12-21T09:59:00.000Z"],
    ["is a day after a nearer hard stop", 30, "2026-12-01T00:00:00.000Z", "2026-12-02T00:00:00.000Z"],
    ["is not put off by a later hard stop", 2, "2026-12-21T10:00:00.000Z", "2026-11-23T09:59:00.000Z"],
    ["is not bound by a hard stop that passed", 30, "2026-11-20T10:00:00.000Z", "2026-12-21T09:59:00.000Z"],
    ["is not bound by a hard stop that is no time", 30, "never", "2026-12-21T09:59:00.000Z"],
    ["is never when that is wanted", false, "2026-12-01T00:00:00.000Z", undefined],
  ];
  for (const [outcome, days, hardStop, expected] of table) {
    it(outcome, () => assert.equal(expiryAfter(days, now, hardStop), expected));
  }
});
