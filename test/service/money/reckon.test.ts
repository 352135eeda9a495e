import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Charges, type Look, type Reading, reckon } from "../../../service/money/reckon.ts";

const T0 = "2026-11-22T10:00:00.000Z";
const HOUR_MS = 3_600_000;
const at = (hours: number) => new Date(Date.parse(T0) + hours * HOUR_MS).toISOString();
const charges: Charges = {
  currency: "USD",
  counted: { cpu: 0.01, disk: 0.05 },
  lines: [
    { meter: "load-balancer", quantityPerHour: 1, unit: "hours", costPerHour: 0.02, while: "awake" },
    { meter: "secrets", quantityPerHour: 2, unit: "units", costPerHour: 0.001, while: "always" },
  ],
};
const nothing: Charges = { currency: "USD", counted: {}, lines: [] };
const cpu = (hours: number, id = "a") => ({ meter: "cpu", resource: "web", id, hours }) as const;
const disk = (gib: number) => ({ meter: "disk", resource: "files", gib }) as const;

function look(hours: number, more: Partial<Look> = {}, counters: Look["usage"]["counters"] = []): Look {
  const usage = { counters, held: [] };
  return {
    at: at(hours),
    createdAt: at(hours),
    elapsedMs: HOUR_MS,
    awake: true,
    gone: false,
    usage,
    heldAsked: false,
    ...more,
  };
}

/** One look after the other, with what all of them came to by meter. */
function reckonAll(looks: readonly Look[], charged = charges) {
  const quantities = new Map<string, number>();
  const days = new Map<string, number>();
  let reading: Reading | undefined;
  for (const one of looks) {
    const found = reckon(reading, one, charged);
    reading = JSON.parse(JSON.stringify(found.reading)) as Reading;
    for (const { meter, quantity, cost, day } of found.lines) {
      quantities.set(meter, (quantities.get(meter) ?? 0) + quantity);
      days.set(day, (days.get(day) ?? 0) + cost);
    }
  }
  return { quantities, days, reading };
}

describe("what is charged between two looks", () => {
  it("is what counters rose by, counted once however often it is looked", () => {
    const looks = [look(0, {}, [cpu(2)]), look(1, {}, [cpu(3)]), look(2, {}, [cpu(3)])];
    assert.equal(reckonAll(looks).quantities.get("cpu"), 3);
  });

  it("takes a counter that began anew, or fell, for one from 0", () => {
    const looks = [look(0, {}, [cpu(2)]), look(1, {}, [cpu(5, "b")]), look(2, {}, [cpu(1, "b")])];
    assert.equal(reckonAll(looks).quantities.get("cpu"), 2 + 5 + 1);
  });

  it("loses nothing of a counter that could not be asked for a while", () => {
    const looks = [look(0, {}, [cpu(2)]), look(1), look(2, {}, [cpu(6)])];
    assert.equal(reckonAll(looks).quantities.get("cpu"), 6);
  });

  it("charges by the hour from the first look on, and asleep only what always costs", () => {
    const looks = [look(0), look(1), look(2, { awake: false }), look(3, { awake: false }), look(4)];
    const { quantities } = reckonAll(looks);
    assert.equal(quantities.get("load-balancer"), 2);
    assert.equal(quantities.get("secrets"), 8);
  });

  it("charges asleep what it holds and nothing else, where all is counted", () => {
    const sleeping = { awake: false } as const;
    const held = { heldAsked: true, usage: { counters: [cpu(1)], held: [disk(7.3)] } };
    const before = reckon(undefined, look(0, { ...sleeping, ...held }), { ...charges, lines: [] });
    const { lines } = reckon(before.reading, look(1, sleeping, [cpu(1)]), { ...charges, lines: [] });
    const [line] = lines;
    assert.deepEqual(
      lines.map(({ meter, resource, unit, currency }) => ({ meter, resource, unit, currency })),
      [{ meter: "disk", resource: "files", unit: "GiB-months", currency: "USD" }],
    );
    assert.ok(Math.abs((line?.quantity ?? 0) - 0.01) < 1e-9);
    assert.ok(Math.abs((line?.cost ?? 0) - 0.0005) < 1e-9);
  });

  it("keeps the quantity of what has no price", () => {
    const { quantities, days } = reckonAll([look(0, {}, [cpu(2)])], nothing);
    assert.equal(quantities.get("cpu"), 2);
    assert.deepEqual([...days.values()], [0]);
  });

  it("spreads what lies around midnight over both days", () => {
    const looks = [look(0), look(20, { elapsedMs: 20 * HOUR_MS })];
    const { days } = reckonAll(looks, { ...nothing, lines: charges.lines });
    assert.deepEqual([...days.keys()], ["2026-11-22", "2026-11-23"]);
    assert.ok(Math.abs((days.get("2026-11-22") ?? 0) - 14 * 0.021) < 1e-9);
    assert.ok(Math.abs((days.get("2026-11-23") ?? 0) - 6 * 0.021) < 1e-9);
  });

  it("spreads what a lost store knew of over the preview's life, and charges none of its time twice", () => {
    const first = { createdAt: at(-24), heldAsked: true, usage: { counters: [cpu(48)], held: [disk(1)] } };
    const looks = [look(0, first), look(1, {}, [cpu(49)])];
    const { days } = reckonAll(looks, { currency: "USD", counted: { cpu: 1, disk: 0 }, lines: [] });
    assert.deepEqual(
      [...days].map(([day, cost]) => [day, Math.round(cost)]),
      [
        ["2026-11-21", 28],
        ["2026-11-22", 20 + 1],
      ],
    );
  });

  it("goes by the time that passed, whatever the machine's clock was set to", () => {
    const looks = [look(0), look(24 * 60, { elapsedMs: HOUR_MS }), look(-5, { elapsedMs: HOUR_MS })];
    assert.equal(reckonAll(looks).quantities.get("load-balancer"), 2);
  });

  it("charges nothing for the time between its end and its being made again", () => {
    const looks = [look(0), look(1, { gone: true, awake: false }), look(100, { elapsedMs: 99 * HOUR_MS }), look(101)];
    const { quantities, reading } = reckonAll(looks);
    assert.equal(quantities.get("secrets"), 4);
    assert.equal(reading?.gone, undefined);
  });
});
