import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { afterUnpaused, either, isPaused, type PauseSpan } from "../../service/pauses.ts";

const HOUR_MS = 3_600_000;

describe("time without pauses", () => {
  const table: readonly [string, readonly PauseSpan[], string | undefined][] = [
    ["is the time", [], at(10)],
    ["goes on behind a pause, as far as it had come", [{ from: at(4), to: at(6) }], at(12)],
    [
      "leaves out each of several",
      [
        { from: at(1), to: at(2) },
        { from: at(10), to: at(13) },
      ],
      at(14),
    ],
    ["leaves out the rest of a pause that it begins in", [{ from: at(-5), to: at(3) }], at(13)],
    ["is not changed by one that was over before it, or begins behind its end", past(), at(10)],
    ["has no end while one lasts", [{ from: at(9) }], undefined],
    ["had its end before the one that lasts", [{ from: at(10) }], at(10)],
    [
      "takes one that ends before it began, by a clock that was put back, for none",
      [{ from: at(5), to: at(4) }],
      at(10),
    ],
  ];
  for (const [outcome, pauses, end] of table) {
    it(outcome, () => assert.equal(afterUnpaused(at(0), 10 * HOUR_MS, pauses), end));
  }

  it("leaves out once what lies in two pauses", () => {
    const span = (from: number, to?: number): PauseSpan => ({
      from: at(from),
      ...(to === undefined ? {} : { to: at(to) }),
    });
    assert.deepEqual(either([span(1, 3), span(8)], [span(2, 4), span(5, 6), span(9, 10)]), [
      span(1, 4),
      span(5, 6),
      span(8),
    ]);
    assert.deepEqual(either([span(1, 2)], [span(1)]), [span(1)]);
  });

  it("counts a pause from its beginning on, up to its end", () => {
    const pauses = [{ from: at(1), to: at(2) }, { from: at(5) }];
    assert.deepEqual(
      [at(0), at(1), at(2), at(5), at(99)].map((time) => isPaused(pauses, time)),
      [false, true, false, true, true],
    );
  });
});

function past(): readonly PauseSpan[] {
  return [
    { from: at(-5), to: at(-3) },
    { from: at(11), to: at(20) },
  ];
}

function at(hours: number): string {
  return new Date(Date.parse("2026-03-01T12:00:00.000Z") + hours * HOUR_MS).toISOString();
}
