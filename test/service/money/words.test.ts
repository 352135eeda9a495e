import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { quantityWords, smallMoneyWords, spanWords } from "../../../service/money/words.ts";

describe("quantities in words", () => {
  const words = (quantity: number, unit: Parameters<typeof quantityWords>[0]["unit"]) =>
    quantityWords({ quantity, unit });

  it("are in the unit in which the number is one to read", () => {
    assert.equal(words(0.0013, "vCPU-hours"), "4.68 s");
    assert.equal(words(0.25, "vCPU-hours"), "15 min");
    assert.equal(words(1234.5, "vCPU-hours"), "1,235 h");
    assert.equal(words(0.002, "GiB-hours"), "2.05 MiB h");
    assert.equal(words(2.5, "GiB-months"), "2.5 GiB months");
    assert.equal(words(12, "requests"), "12 requests");
    assert.equal(words(0, "hours"), "0 s");
  });
});

describe("small amounts in words", () => {
  it("have two digits more than one can pay, so that they can be compared", () => {
    assert.deepEqual(
      [0, 0.00001, 0.0123, 0.5, 1, 1234.567].map((amount) => smallMoneyWords(amount, "USD")),
      ["$0.00", "< $0.0001", "$0.0123", "$0.5000", "$1.00", "$1,234.57"],
    );
    assert.equal(smallMoneyWords(0.5, "JPY"), "¥0.50");
  });

  it("say what a bill gives back", () => {
    const words = [-0.5, -12.3].map((amount) => smallMoneyWords(amount, "USD"));
    assert.deepEqual(words, ["-$0.5000", "-$12.30"]);
  });
});

describe("a span of days in words", () => {
  it("is a month's name where it is that month", () => {
    assert.equal(spanWords({ from: "2026-11-01", to: "2026-11-30" }), "November 2026");
    assert.equal(spanWords({ from: "2026-02-01", to: "2026-02-28" }), "February 2026");
    assert.equal(spanWords({ from: "2026-11-02", to: "2026-11-30" }), "2026-11-02 to 2026-11-30");
    assert.equal(spanWords({ from: "2026-11-02", to: "2026-11-02" }), "2026-11-02");
  });
});
