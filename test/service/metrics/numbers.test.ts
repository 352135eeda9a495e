import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { gaugesOf } from "../../../service/metrics/budgets.ts";
import { CATALOG } from "../../../service/metrics/catalog.ts";
import type { MetricEntry } from "../../../service/metrics/entry.ts";
import { createLevels, previewLevels } from "../../../service/metrics/levels.ts";
import { createNumbers } from "../../../service/metrics/registry.ts";
import { type Samples, samplesBy, samplesOf } from "../../support/metrics.ts";
import { aPreview } from "../../support/previews.ts";

const read = async (numbers: { text(): Promise<string> }): Promise<Samples> => samplesOf(await numbers.text());

describe("the registry", () => {
  it("is one for each instance", async () => {
    const [one, other] = [createNumbers(), createNumbers()];
    one.add("stackling_drift_looks_total", { repository: "shop", outcome: "same" });
    const looks = samplesBy(await read(one), "stackling_drift_looks_total");
    assert.deepEqual(looks, { 'outcome="same",repository="shop"': 1 });
    assert.deepEqual(samplesBy(await read(other), "stackling_drift_looks_total"), {});
  });

  it("starts counts at 0 where all that they can say is known, for Prometheus sees no rise from nothing", async () => {
    const samples = await read(createNumbers());
    assert.equal(samples.get('stackling_engine_runs_total{operation="up",outcome="failed"}'), 0);
    assert.deepEqual(Object.keys(samplesBy(samples, "stackling_sweeps_total")).length, 4);
  });

  it("says nothing of what it was not told, which is not 0", async () => {
    const numbers = createNumbers();
    assert.equal((await read(numbers)).get("stackling_sweep_last_timestamp_seconds"), undefined);
    numbers.set({ name: "stackling_inbox_depth", labels: {}, value: 3 });
    assert.equal((await read(numbers)).get("stackling_inbox_depth"), 3);
    numbers.clear("stackling_inbox_depth");
    assert.equal((await read(numbers)).get("stackling_inbox_depth"), undefined);
  });

  it("tells only so many values of a label apart, however many come", async () => {
    const numbers = createNumbers();
    for (let n = 0; n < 1_000; n += 1) {
      numbers.add("stackling_deliveries_total", {
        forge: "hub",
        event: `made-up-${n}`,
        outcome: "ignored",
        reason: "",
      });
    }
    numbers.add("stackling_deliveries_total", {
      forge: "hub",
      event: "x".repeat(5_000),
      outcome: "ignored",
      reason: "",
    });
    const counted = samplesBy(await read(numbers), "stackling_deliveries_total");
    assert.equal(Object.keys(counted).length, 301);
    assert.equal(counted['event="other",forge="hub",outcome="ignored",reason=""'], 701);
  });

  it("says of all beyond that bound together how many there are, at each scrape anew", async () => {
    const numbers = createNumbers();
    for (const _scrape of [1, 2]) {
      numbers.clear("stackling_previews_asleep");
      for (let count = 0; count < 310; count++) {
        numbers.set({ name: "stackling_previews_asleep", labels: { repository: `shop-${count}` }, value: 2 });
      }
    }
    assert.equal((await read(numbers)).get('stackling_previews_asleep{repository="other"}'), 20);
  });

  it("names the fullest budgets, and says of those beyond that bound what the fullest of them has", async () => {
    const numbers = createNumbers();
    const budget = { name: "each", of: "repository", amount: 100 } as const;
    const states = Array.from({ length: 310 }, (_, count) => ({
      ...({ budget, subject: `shop-${count}`, currency: "EUR", held: "within" } as const),
      used: 50 + count,
    }));
    const said = async (repository: string) => {
      const samples = await read(numbers);
      const labels = `budget="each",currency="EUR",repository="${repository}"`;
      return ["limit", "used"].map((what) => samples.get(`stackling_budget_${what}{${labels}}`));
    };
    for (const more of [0, 5]) {
      for (const name of ["stackling_budget_limit", "stackling_budget_used", "stackling_budget_holds"] as const)
        numbers.clear(name);
      for (const gauge of gaugesOf(states.map((one) => ({ ...one, used: one.used + more })))) numbers.set(gauge);
      assert.deepEqual(await said("shop-309"), [100, 359 + more]);
      assert.deepEqual(await said("other"), [100, 59 + more]);
    }
  });

  it("takes a clock that was set back for no time at all", async () => {
    const numbers = createNumbers();
    for (const seconds of [-5, Number.NaN, 2]) {
      numbers.observe("stackling_wake_duration_seconds", { repository: "shop" }, seconds);
    }
    const samples = await read(numbers);
    assert.equal(samples.get('stackling_wake_duration_seconds_sum{repository="shop"}'), 2);
    assert.equal(samples.get('stackling_wake_duration_seconds_count{repository="shop"}'), 3);
  });

  it("cannot be broken out of by a label's value", async () => {
    const numbers = createNumbers();
    numbers.add("stackling_destroy_proofs_total", { repository: 'shop"} 1\nstackling_evil 1', reason: "Merged" });
    assert.doesNotMatch(await numbers.text(), /^stackling_evil/m);
  });
});

describe("the catalog", () => {
  const entries: readonly (readonly [string, MetricEntry])[] = Object.entries(CATALOG);

  it("names counters, units and labels as Prometheus asks for it", () => {
    for (const [name, { kind, labels, buckets }] of entries) {
      assert.match(name, /^stackling_[a-z]+(_[a-z]+)*$/);
      assert.equal(name.endsWith("_total"), kind === "counter", name);
      assert.doesNotMatch(name, /_(ms|milliseconds|minutes|hours|percent|kb|mb)(_|$)/);
      assert.equal(buckets !== undefined, kind === "histogram", name);
      for (const label of labels) assert.match(label, /^[a-z]+$/);
    }
  });

  it("has no label of which there is one for each pull request, commit, person or address", () => {
    const allowed = ["repository", "forge", "event", "reason", "team", "budget", "currency", "version", "node"];
    const free = entries.flatMap(([, { labels, values = {} }]) => labels.filter((label) => !values[label]));
    const unknown = [...new Set(free)].filter((label) => !allowed.includes(label));
    assert.deepEqual(unknown, [], "name its values in the catalog, or think of its bound before it is added here");
  });
});

describe("levels of previews", () => {
  const say = (levels: ReturnType<typeof previewLevels>, metric: string) =>
    Object.fromEntries(
      levels.filter(({ name }) => name === metric).map(({ labels, value }) => [Object.values(labels).join(" "), value]),
    );

  it("count what a person must see to, and stages apart from previews", () => {
    const failing = { condition: "Stalled", reason: "DestroyFailed", destroyFailures: 5 } as const;
    const levels = previewLevels([
      aPreview({ number: 1 }),
      aPreview({ number: 2, status: failing }),
      aPreview({ number: 3, status: { ...failing, destroyFailures: 4 } }),
      aPreview({ number: 4, status: { goneAt: "2026-11-21T10:00:00.000Z", reason: "Gone" } }),
      { ...aPreview({ number: 5 }), repository: "till" },
      { ...aPreview({ number: 6, status: { condition: "Stalled" } }), key: "shop:staging" },
    ]);
    assert.deepEqual(say(levels, "stackling_previews_destroy_failing"), { shop: 1, till: 0 });
    assert.deepEqual(say(levels, "stackling_stages"), { "shop Stalled": 1 });
    const all = Object.values(say(levels, "stackling_previews")).reduce((sum, count) => sum + count, 0);
    assert.equal(all, 4);
  });
});

describe("what is read from the store", () => {
  const numbers = createNumbers();
  const previews = [aPreview({}), aPreview({ number: 7 })];
  let [asked, isAway] = [0, false];
  const errors: unknown[] = [];
  const store = {
    async current() {
      asked += 1;
      if (isAway) throw new Error("the database is away");
      return previews;
    },
    pause: async () => undefined,
    lastSweep: async () => undefined,
    backlog: async () => ({ depth: 2, working: 1, oldestSeconds: 9 }),
    unproved: async () => 0,
  };

  it("is asked once by many scrapes, and again some seconds later", async (context) => {
    context.mock.method(performance, "now", () => clock);
    let clock = 1_000_000;
    const levels = createLevels({ store, numbers, onError: (error) => errors.push(error) });
    await Promise.all([levels(), levels()]);
    await levels();
    assert.equal(asked, 1);
    assert.equal((await read(numbers)).get("stackling_inbox_depth"), 2);

    clock += 60_000;
    isAway = true;
    await levels();
    assert.equal(asked, 2);
    const samples = await read(numbers);
    assert.equal(samples.get("stackling_store_up"), 0);
    assert.deepEqual(samplesBy(samples, "stackling_previews"), {}, "what is not known is not said");
    assert.equal(samples.get("stackling_paused"), 0, "and what is known is");
    assert.match(String(errors[0]), /away/);

    clock += 60_000;
    isAway = false;
    await levels();
    const again = await read(numbers);
    assert.equal(again.get("stackling_store_up"), 1);
    assert.equal(
      Object.values(samplesBy(again, "stackling_previews")).reduce((sum, count) => sum + count, 0),
      2,
    );
  });
});
