import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { registry } from "../../../components/registry.ts";
import { type CostsConfig, defaultCosts } from "../../../service/config/costs.ts";
import { moneyWords } from "../../../service/money/amount.ts";
import { estimateOf, estimateWords } from "../../../service/money/estimate.ts";
import { type CostedSpec, hourlyCost, takenByHour } from "../../../service/money/hourly.ts";
import { pricesFor } from "../../../service/money/load-prices.ts";

const prices = (costs: Partial<CostsConfig> = {}) => pricesFor({ costs: { ...defaultCosts, ...costs } });

type Service = CostedSpec["services"][number];

const service = (name: string, more: Partial<Service> = {}): Service => ({
  ...{ name, kind: "web", directory: ".", startTimeoutSeconds: 60, environment: {}, dependsOn: [], sidecars: [] },
  ...{ memoryMiB: 512, cpu: 0.25 },
  ...more,
});

const choice = (driver: string, options: Record<string, unknown> = {}) => ({ driver, options });

function spec(more: Partial<CostedSpec["target"]> & { readonly only?: Partial<CostedSpec> } = {}): CostedSpec {
  const { only, ...target } = more;
  return {
    target: { name: "eu", service: choice("local"), dns: choice("gateway"), secrets: choice("local"), ...target },
    services: [service("web")],
    database: {},
    urls: {},
    generatedSecrets: [],
    grantedSecrets: [],
    ...only,
  };
}

const byMeter = (at: CostedSpec, costs?: Partial<CostsConfig>) =>
  Object.fromEntries(
    hourlyCost(at, prices(costs)).map((line) => [`${line.meter}${line.resource ? ` ${line.resource}` : ""}`, line]),
  );

const near = (actual: number | undefined, expected: number) =>
  assert.ok(actual !== undefined && Math.abs(actual - expected) < 1e-9, `${actual} is not ${expected}`);

describe("what a preview will cost", () => {
  it("is on Fargate what its sizes cost on the list, by the second that it is awake", () => {
    const ecs = choice("ecs", { region: "eu-central-1", capacity: "on-demand", architecture: "X86_64" });
    const lines = byMeter(spec({ service: ecs, only: { services: [service("web", { cpu: 0.3, memoryMiB: 700 })] } }));
    // Fargate's next size is half a CPU with 1 GiB.
    assert.equal(lines["cpu web"]?.quantityPerHour, 0.5);
    near(lines["cpu web"]?.costPerHour, 0.5 * 0.04656);
    near(lines["memory web"]?.costPerHour, 0.00511);
    assert.equal(lines["cpu web"]?.while, "awake");
    near((lines.secrets?.costPerHour ?? 0) * 730, 0.4);
    assert.equal(lines.secrets?.while, "always");
    assert.equal(lines["load-balancer"], undefined);
  });

  it("is less with Spot and ARM, as far as the lists say", () => {
    const of = (options: Record<string, unknown>) =>
      byMeter(spec({ service: choice("ecs", { region: "us-east-1", ...options }) }))["cpu web"]?.costPerHour;
    near(of({ capacity: "on-demand" }), 0.25 * 0.04048);
    near(of({ capacity: "on-demand", architecture: "ARM64" }), 0.25 * 0.03238);
    near(of({ capacity: "spot" }), 0.25 * 0.04048 * 0.3);
    near(of({ capacity: "spot", architecture: "ARM64" }), 0.25 * 0.03238 * 0.3);
  });

  it("has a share of the load balancer, and public addresses, where previews have them", () => {
    const ecs = choice("ecs", { region: "us-east-1", edge: { direct: {} }, publicIp: true });
    const lines = byMeter(spec({ service: ecs }), { assume: { ...defaultCosts.assume, previewsPerLoadBalancer: 10 } });
    near(lines["load-balancer"]?.costPerHour, (0.0225 + 0.008) / 10);
    assert.equal(lines["load-balancer"]?.while, "always");
    near(lines["other web"]?.costPerHour, 0.005);
  });

  it("is at Neon a compute while awake, and storage for ever", () => {
    const at = spec({ database: choice("neon", { minComputeUnits: 0.25 }) });
    near(byMeter(at)["database-compute database"]?.costPerHour, 0.25 * 0.106);
    near(byMeter(at, { neonPlan: "scale" })["database-compute database"]?.costPerHour, 0.25 * 0.222);
    near((byMeter(at)["database-storage database"]?.costPerHour ?? 0) * 730, 0.5 * 0.35 * 1.073741824);
  });

  it("is at Supabase the same asleep as awake", () => {
    const lines = byMeter(spec({ database: choice("supabase") }));
    assert.deepEqual(lines["database-compute database"]?.while, "always");
    near(lines["database-compute database"]?.costPerHour, 0.01344);
  });

  it("knows of every driver whether it costs anything", () => {
    // What is shared costs the same with one preview more.
    const free = ["schema", "shared", "replica"];
    const taken = (more: Parameters<typeof spec>[0]) => takenByHour(spec(more), prices()).length;
    for (const driver of Object.keys(registry.service)) assert.ok(taken({ service: choice(driver) }) > 0, driver);
    const none = taken({});
    for (const driver of Object.keys(registry.database)) {
      assert.equal(taken({ database: choice(driver) }) > none, !free.includes(driver), driver);
    }
  });

  it("counts no cron or job, which run for minutes", () => {
    const services = [service("web"), service("nightly", { kind: "cron" }), service("once", { kind: "job" })];
    const meters = hourlyCost(spec({ only: { services } }), prices()).map(({ resource }) => resource);
    assert.deepEqual([...new Set(meters)], ["web", undefined]);
  });

  it("has no price on a cluster before the operator sets one, and says so", () => {
    const at = spec({ service: choice("kubernetes"), database: undefined });
    assert.equal(estimateWords(estimateOf(at, prices())), "no price set for cpu, memory");
    const costs = { kubernetes: { cpuHour: 0.04, gibHour: 0.004 } };
    near(estimateOf(at, prices(costs)).awakePerHour, 0.25 * 0.04 + 0.5 * 0.004);
    near(estimateOf(at, prices({ ...costs, targets: { eu: { cpuHour: 0 } } })).awakePerHour, 0.5 * 0.004);
  });

  it("says that a price is another region's, or reckoned from another", () => {
    const at = (region: string) =>
      estimateOf(spec({ service: choice("ecs", { region, capacity: "on-demand" }) }), prices());
    assert.equal(at("us-east-1").approximate, false);
    assert.equal(at("eu-central-1").approximate, true);
    // Nobody invents what a region's computers cost.
    assert.ok(at("xx-nowhere-1").unpriced.includes("cpu"));
  });

  it("is told in the operator's currency, and not at all where nobody says what that is in dollars", () => {
    const at = spec({ service: choice("ecs", { region: "us-east-1", capacity: "on-demand" }) });
    near(
      estimateOf(at, prices({ currency: "EUR", exchange: { USD: 0.5 } })).awakePerHour,
      estimateOf(at, prices()).awakePerHour / 2,
    );
    assert.deepEqual(estimateOf(at, prices({ currency: "EUR" })).lines, []);
  });

  it("is told in words that a person can pay", () => {
    const ecs = choice("ecs", { region: "us-east-1", capacity: "on-demand" });
    const services = [service("web", { cpu: 0.5, memoryMiB: 1024 })];
    assert.equal(
      estimateWords(estimateOf(spec({ service: ecs, database: choice("clone"), only: { services } }), prices())),
      "about $0.03 an hour awake, $0.40 a month asleep, no price set for database storage",
    );
    assert.equal(
      estimateWords(estimateOf(spec({ database: choice("clone") }), prices())),
      "about $0.09 a day awake, $0.08 a month asleep",
    );
    assert.equal(moneyWords(0.001, "USD"), "less than $0.01");
    assert.equal(moneyWords(1204.5, "EUR"), "€1,204.50");
    assert.equal(moneyWords(1204.5, "JPY"), "¥1,205");
    assert.equal(moneyWords(0, "USD"), "$0.00");
  });
});
