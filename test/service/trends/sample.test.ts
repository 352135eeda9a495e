import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { bucketsOf, type Move, percentile, type Sample, sampleOf, summaryOf } from "../../../service/trends/sample.ts";
import { aPreview } from "../../support/previews.ts";

const NOW = "2026-11-21T12:00:00.000Z";
const SINCE = "2026-11-21T11:00:00.000Z";
const URLS = { web: "http://pr-1-shop.localhost:4000" };
const at = (minute: number, second = 0) => new Date(Date.parse(SINCE) + minute * 60_000 + second * 1000).toISOString();
const move = (minute: number, reason: string, key = "shop#1"): Move => ({ key, at: at(minute), reason });

describe("a sample", () => {
  const of = (
    moves: readonly Move[],
    tornDown: readonly string[] = [],
    previews = [aPreview({ number: 1, urls: URLS })],
  ) => sampleOf(previews, { moves, tornDown: tornDown.map((key) => ({ key })) }, { since: SINCE, now: NOW });

  it("counts what is there, and no stages", () => {
    const previews = [
      aPreview({ number: 1, urls: URLS }),
      aPreview({ number: 2, urls: URLS, status: { awake: false, reason: "Asleep" } }),
      aPreview({ number: 3, status: { condition: "Stalled", reason: "BuildFailed" } }),
      aPreview({ number: 4, status: { reason: "Queued" } }),
      aPreview({ number: 5, status: { goneAt: NOW, reason: "Gone" } }),
      { ...aPreview({ urls: URLS }), key: "shop:staging" },
    ];
    const { here, awake, stalled, queued, meanAgeSeconds } = of([], [], previews);
    assert.deepEqual({ here, awake, stalled, queued }, { here: 4, awake: 1, stalled: 1, queued: 1 });
    assert.equal(meanAgeSeconds, 2 * 3600);
  });

  it("times a commit from its first word until it serves, failures on the way included", () => {
    const moves = [
      move(-5, "Healthy"),
      move(1, "Updating"),
      move(2, "BuildFailed"),
      move(3, "Updating"),
      move(4, "Healthy"),
    ];
    assert.deepEqual(of(moves).readySeconds, [180]);
  });

  it("times a new preview from when it was heard of", () => {
    const preview = { ...aPreview({ number: 1, urls: URLS }), createdAt: at(0, 30) };
    assert.deepEqual(of([move(1, "Provisioning"), move(2, "Healthy")], [], [preview]).readySeconds, [90]);
  });

  it("takes no version of a life before for one that was made since", () => {
    const preview = { ...aPreview({ number: 1, urls: URLS }), createdAt: at(20) };
    const moves = [move(1, "Provisioning"), move(2, "Healthy"), move(9, "Gone"), move(21, "Provisioning")];
    assert.deepEqual(of([...moves, move(23, "Healthy")], [], [preview]).readySeconds, [60, 120]);
  });

  it("takes no wake for a new version, nor what served before, nor a stage", () => {
    const moves = [
      move(-9, "Updating"),
      move(-8, "Healthy"),
      move(1, "Asleep"),
      move(2, "Waking"),
      move(3, "Healthy"),
      move(1, "Updating", "shop:staging"),
      move(2, "Healthy", "shop:staging"),
    ];
    assert.deepEqual(of(moves).readySeconds, []);
  });

  it("takes no outage of the forge for a new version, and not the time of one for that of the next", () => {
    const moves = [
      move(-9, "Updating"),
      move(-8, "Healthy"),
      move(1, "Unreachable"),
      move(50, "Healthy"),
      move(52, "Updating"),
      move(53, "Healthy"),
    ];
    assert.deepEqual(of(moves).readySeconds, [60]);
  });

  it("counts what began before it and ended in it", () => {
    assert.deepEqual(of([move(-10, "Healthy"), move(-2, "Updating"), move(1, "Healthy")]).readySeconds, [180]);
  });

  it("counts teardowns, and tries that failed, each once", () => {
    const moves = [move(-5, "DestroyFailed"), move(1, "Destroying"), move(2, "DestroyFailed"), move(3, "Destroying")];
    const { tornDown, teardownsFailed } = of(moves, ["shop#1", "shop#2", "shop:staging"]);
    assert.deepEqual({ tornDown, teardownsFailed }, { tornDown: 2, teardownsFailed: 1 });
  });
});

describe("many samples", () => {
  const sample = (minutesAgo: number, more: Partial<Sample> = {}): Sample => ({
    at: new Date(Date.parse(NOW) - minutesAgo * 60_000).toISOString(),
    here: 3,
    awake: 2,
    stalled: 0,
    queued: 0,
    meanAgeSeconds: 60,
    readySeconds: [],
    tornDown: 0,
    teardownsFailed: 0,
    ...more,
  });

  it("come to percentiles and a rate, and to none of nothing", () => {
    assert.deepEqual(summaryOf([sample(10)], 7), { days: 7 });
    const samples = [
      sample(70, { readySeconds: [10, 20], tornDown: 2 }),
      sample(10, { readySeconds: [30, 400], teardownsFailed: 1, tornDown: 1 }),
    ];
    assert.deepEqual(summaryOf(samples, 7), { days: 7, readyP50: 20, readyP95: 400, teardownRate: 0.75 });
    assert.equal(
      percentile(
        Array.from({ length: 100 }, (_, index) => index + 1),
        0.95,
      ),
      95,
    );
  });

  it("fall into stretches that end now, with gaps where nobody counted", () => {
    const samples = [sample(170, { here: 1 }), sample(30, { here: 5, readySeconds: [7] }), sample(0, { here: 6 })];
    const buckets = bucketsOf(samples, { now: NOW, days: 1, hours: 1 });
    assert.equal(buckets.length, 24);
    assert.deepEqual(
      buckets.slice(-3).map(({ here }) => here),
      [1, undefined, 6],
    );
    assert.deepEqual([buckets.at(-1)?.at, buckets.at(-1)?.readyP50], [NOW, 7]);
  });
});
