import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { countLook, type Look, type Seen, type UsageTotals } from "../../../components/local/usage-totals.ts";

const GIB = 1024 ** 3;
const empty: UsageTotals = { id: "one", boot: "b1", totals: {}, seen: {} };
const seen = (more: Partial<Seen> = {}): Seen => ({
  ...{ source: "web@1", resource: "web", ownSeconds: 0, childSeconds: 0, memoryBytes: 0 },
  ...more,
});
const look = (atSeconds: number, all: readonly Seen[], more: Partial<Look> = {}): Look => ({
  ...{ boot: "b1", atSeconds, seen: all, complete: true },
  ...more,
});
const after = (...looks: readonly Look[]) => looks.reduce(countLook, empty).totals;

describe("what processes took", () => {
  it("counts from a process's begin, and what each look finds more", () => {
    const totals = after(look(0, [seen({ ownSeconds: 2 })]), look(10, [seen({ ownSeconds: 5 })]));
    assert.equal(totals.web?.cpuSeconds, 5);
  });

  it("goes on counting when another process or group takes a service's place", () => {
    const totals = after(
      look(0, [seen({ ownSeconds: 4 })]),
      look(10, [seen({ source: "web@2", ownSeconds: 3 })]),
      look(20, [seen({ source: "web@2", ownSeconds: 3.5 })]),
    );
    assert.equal(totals.web?.cpuSeconds, 7.5);
  });

  it("counts a group once whose end was counted while it was still there", () => {
    const totals = after(
      look(0, [seen({ ownSeconds: 4 })]),
      look(5, [seen({ ownSeconds: 6 })], { complete: false }),
      look(10, [seen({ ownSeconds: 6 })]),
      look(20, []),
    );
    assert.equal(totals.web?.cpuSeconds, 6);
  });

  it("learns from its parent what a child did before it ended, and counts nothing of it twice", () => {
    const parent = { source: "1:a", resource: "web" };
    const child = { source: "2:b", resource: "web" };
    const totals = after(
      look(0, [seen({ ...parent, ownSeconds: 1 }), seen({ ...child, ownSeconds: 3 })]),
      // It came to 5 before it ended, and another came and went unseen for 2.
      look(2, [seen({ ...parent, ownSeconds: 1, childSeconds: 7 })]),
    );
    assert.equal(totals.web?.cpuSeconds, 1 + 5 + 2);
  });

  it("never counts backwards when a child ends that nobody waited for", () => {
    const totals = after(
      look(0, [seen({ source: "1:a", ownSeconds: 1 }), seen({ source: "2:b", ownSeconds: 30 })]),
      look(2, [seen({ source: "1:a", ownSeconds: 2 })]),
    );
    assert.equal(totals.web?.cpuSeconds, 32);
  });

  it("leaves out a look that a newer one overtook", () => {
    const totals = after(
      look(0, [seen({ source: "1:a", ownSeconds: 1 })]),
      look(4, []),
      look(2, [seen({ source: "1:a", ownSeconds: 3 })]),
    );
    assert.equal(totals.web?.cpuSeconds, 1);
  });

  it("takes memory for the average of two looks over the time between them", () => {
    const totals = after(look(0, [seen({ memoryBytes: GIB })]), look(10, [seen({ memoryBytes: 3 * GIB })]));
    assert.equal(totals.web?.memoryGibSeconds, 20);
  });

  it("charges no memory for the time in which nothing ran, nor for that in which the machine was off", () => {
    const totals = after(
      look(100, [seen({ memoryBytes: GIB })]),
      look(110, []),
      look(500, [seen({ source: "web@2", memoryBytes: GIB })]),
      look(5, [seen({ source: "web@2", memoryBytes: GIB })], { boot: "b2" }),
    );
    assert.equal(totals.web?.memoryGibSeconds, 0);
  });

  it("counts anew after the machine's start what bears the old name of something else", () => {
    const totals = after(look(100, [seen({ ownSeconds: 10 })]), look(5, [seen({ ownSeconds: 12 })], { boot: "b2" }));
    assert.equal(totals.web?.cpuSeconds, 22);
  });
});
